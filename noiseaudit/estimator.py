"""The audit as a scikit-learn estimator, for feature vectors that are in memory already."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import _safe_indexing, check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from noiseaudit.audit_samples import audit_samples
from noiseaudit.config import AuditConfig
from noiseaudit.data.training import TrainingData
from noiseaudit.labels.table import LabelTable
from noiseaudit.plan import make_plan
from noiseaudit.runtime import training_runtime
from noiseaudit.samples import column_scales, from_vectors
from noiseaudit.train import predict_all
from noiseaudit.trusted import with_trusted


class NoiseAuditClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Trains on labels that may be wrong, says which, and predicts with the Guider.

    Parameters are those of `AuditConfig`, `random_state` being its seed; `epochs=None` and `batch_size=None` are
    chosen from the number of rows.

    Rows without a label are given in `X` like the others and marked in `fit`'s `is_labelled`. No value of `y` means
    "no label": what it holds there, be it None or NaN, is not looked at. These rows help to learn, get a
    `suggested_label_`, and are never a label issue:

    >>> import numpy as np
    >>> from noiseaudit import NoiseAuditClassifier
    >>> X = np.array([[0.0, 0.1], [0.2, 0.0], [5.0, 5.1], [5.2, 5.0], [0.1, 0.1], [5.1, 5.1]])
    >>> y = np.array(["cat", "cat", "dog", "dog", "", ""])
    >>> model = NoiseAuditClassifier(epochs=30, random_state=0).fit(X, y, is_labelled=y != "")
    >>> model.classes_.tolist()
    ['cat', 'dog']
    >>> np.isnan(model.p_mislabeled_).tolist()
    [False, False, False, False, True, True]
    >>> model.suggested_label_[4:].tolist()
    ['cat', 'dog']

    Attributes after `fit` on n rows: `classes_`; `p_mislabeled_` (n,) and `epsilon_` (n,), NaN on unlabelled rows;
    `is_label_issue_` (n,) bool; `suggested_label_` (n,); `audit_`, the AuditResult.
    """

    def __init__(
        self,
        *,
        method: str = "umn_plus",
        epochs: int | None = None,
        batch_size: int | None = None,
        folds: int | None = None,
        cutoff: str = "auto",
        noise_rate: float | None = None,
        device: str = "auto",
        random_state: int | np.integer[Any] | np.random.RandomState | None = None,
    ) -> None:
        self.method = method
        self.epochs = epochs
        self.batch_size = batch_size
        self.folds = folds
        self.cutoff = cutoff
        self.noise_rate = noise_rate
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X: Any,  # noqa: N803
        y: Any,
        is_labelled: npt.ArrayLike | None = None,
        is_trusted: npt.ArrayLike | None = None,
    ) -> Self:
        """Audit labels `y` (n,) of vectors `X` (n, d); where `is_labelled` (n,) is False, y is not looked at.

        Without `is_labelled` every row counts as labelled. `is_trusted` (n,) says which labels are known to be
        right, for a method that needs some. Raises ValueError for what scikit-learn refuses, if one of these two is
        not of bool or not as long as y, and if fewer than two classes are labelled; ConfigError and DataError as
        `run_audit`.
        """
        # y is passed over here, unless there is none: scikit-learn would look at all of it.
        X = validate_data(self, X, y if y is None else "no_validation", dtype=np.float32)  # noqa: N806
        check_consistent_length(X, y)
        labelled = np.ones(len(X), np.bool_)
        if is_labelled is not None:
            labelled = _flags("is_labelled", is_labelled, len(X))
            y = _narrowed(_safe_indexing(y, np.flatnonzero(labelled)))
        y = check_array(
            column_or_1d(y, warn=True), ensure_2d=False, dtype=None, ensure_min_samples=0, input_name="y"
        )
        try:
            check_classification_targets(y)
            self.classes_ = np.unique(y)
        except TypeError as error:
            raise ValueError(
                "y mixes types that have no order, or holds None where it is labelled"
            ) from error
        if len(self.classes_) < 2:
            raise ValueError(f"labels of two classes or more are needed, got {len(self.classes_)} class")
        table = _table(y, labelled, self.classes_)
        if is_trusted is not None:
            table = with_trusted(table, _flags("is_trusted", is_trusted, len(X)))
        self._mean, self._deviation = column_scales(X)
        samples = from_vectors(table, X, self._mean, self._deviation)
        audit = audit_samples(table, samples, make_plan(table, samples, self._config()))
        self._method, self._device = audit.method, audit.plan.device
        self.audit_ = audit.result
        self.p_mislabeled_ = audit.result.column("p_mislabeled")
        self.epsilon_ = audit.result.column("epsilon")
        self.is_label_issue_ = audit.result.suspects()
        self.suggested_label_ = self.classes_[audit.result.column("suggested_label").astype(np.int64)]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:  # noqa: N803
        """The Guider's probabilities, (n, C), in the order of `classes_`."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)  # noqa: N806
        x = torch.from_numpy((X - self._mean) / self._deviation)
        unlabelled = torch.full((len(x),), -1)
        data = TrainingData(x, torch.arange(len(x)), unlabelled, len(self.classes_))
        with training_runtime():
            return np.asarray(predict_all(self._method, data, self._device).guider.numpy())

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """The most probable class of each row, (n,)."""
        check_is_fitted(self)
        best: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return best

    def _config(self) -> AuditConfig:
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(2**31 - 1)
        return AuditConfig(
            method=self.method,
            epochs=self.epochs,
            batch_size=self.batch_size,
            folds=self.folds,
            cutoff=self.cutoff,
            noise_rate=self.noise_rate,
            device=self.device,  # type: ignore[arg-type]
            seed=int(seed),
        )


def _flags(name: str, values: npt.ArrayLike, n: int) -> npt.NDArray[np.bool_]:
    """(n,) of bool. Numbers or text in their place would be taken for true."""
    flags = np.asarray(values)
    if flags.dtype != np.bool_ or flags.shape != (n,):
        raise ValueError(
            f"{name} must be an array of bool of shape ({n},), got {flags.dtype.name} of shape {flags.shape}"
        )
    return flags


def _narrowed(y: Any) -> Any:
    """Integers that stood beside None or text are integers again: scikit-learn takes no objects but text."""
    from pandas import Series

    return (
        Series(y).infer_objects().to_numpy() if getattr(y, "dtype", None) == np.object_ and y.ndim == 1 else y
    )


def _table(y: npt.NDArray[Any], labelled: npt.NDArray[np.bool_], classes: npt.NDArray[Any]) -> LabelTable:
    """Labels `y` (k,) of the labelled rows, of (n,), named by their place in `classes`.

    So the audit's canonical order is the order of `classes`.
    """
    names = np.full(len(labelled), None, dtype=np.object_)
    names[labelled] = np.searchsorted(classes, y).astype(str)
    ids = np.arange(len(labelled)).astype(str).astype(np.object_)
    return LabelTable(source=None, sample_id=ids, image=None, given_label=names, class_type="integer")
