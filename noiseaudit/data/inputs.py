"""What is known of a data set before anything is trained on it: what settings are chosen by."""

from __future__ import annotations

import enum
from dataclasses import dataclass

MANY_VALUES, LABELS_A_VALUE = 512, 16
LEAST_SPARED = 64  # values of x: where they are fewer, each may be the only one that tells
FEW_LABELS = 2_000  # of vectors: up to so many are learnt by heart in the end


class Kind(enum.Enum):
    """What x are, as far as training cares: how soon their labels are learnt by heart."""

    IMAGES = "images"  # which are jittered
    SHORT_VECTORS = "short vectors"  # of fewer than LEAST_SPARED values
    VECTORS = "vectors"
    WIDE_VECTORS = (
        "wide vectors"  # of MANY_VALUES or more, each with fewer than LABELS_A_VALUE labels: soonest
    )


@dataclass(frozen=True)
class Inputs:
    """All labels count that were given: folds, and tools of a comparison that hide some, take the same settings."""

    shape: tuple[int, ...]  # of one x: (channels, H, W), or (d,)
    n_classes: int
    n_labelled: int
    n_rows: int  # labelled and not

    @property
    def kind(self) -> Kind:
        """What x are, wide by the labels that were given to all of them."""
        if len(self.shape) > 1:
            return Kind.IMAGES
        (width,) = self.shape
        if width >= MANY_VALUES and self.n_labelled < LABELS_A_VALUE * width:
            return Kind.WIDE_VECTORS
        return Kind.VECTORS if width >= LEAST_SPARED else Kind.SHORT_VECTORS

    @property
    def is_image(self) -> bool:
        return self.kind is Kind.IMAGES

    @property
    def has_few_labels(self) -> bool:
        """Whether labels of vectors are so few that no noise is learnt from them (noiseaudit.class_noise), but labels
        may be hidden in turn (noiseaudit.crossfit.choose_folds).
        """
        return not self.is_image and self.n_labelled <= FEW_LABELS


# For the names and types of a method's settings, which are those of all data, and for the paper's tables.
SOME_IMAGES = Inputs((1, 28, 28), n_classes=10, n_labelled=10_000, n_rows=10_000)
