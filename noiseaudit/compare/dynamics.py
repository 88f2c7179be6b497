"""Tools that watch a plain network learn: area under the margin, and small loss."""

from __future__ import annotations

import math

import numpy as np

from noiseaudit.compare.case import Case, Codes, Floats
from noiseaudit.compare.verdict import Verdict
from noiseaudit.course import EpochRecord

THRESHOLD_PERCENTILE = 99.0  # of the threshold samples' margins, Pleiss et al. 2020, section 3.2
# Of the epochs that scan takes, on vectors. Margins are to be taken while the network has not memorised its labels:
# the paper stops before the learning rate first falls, at half of its schedule. Ours is constant. Of 1, 1/2 and 1/4
# the last has the best AP and F1 on features of Chars74K (20 % asymmetric noise), which are learnt by heart, the first
# on images of MNIST (30 % symmetric), which are not (one seed each).
AUM_SHARE_OF_VECTORS = 0.25
SMALLEST = 1e-12  # probabilities below it are one and the same


def small_loss(case: Case) -> Verdict:
    """Mean cross entropy of the given label over the epochs; flagged where the mixture's higher part is likelier.

    The mixture of two normals of Li et al., "DivideMix", ICLR 2020, on the mean over all epochs in place of one epoch's
    loss, which a network may have driven to zero. Losses are taken after each epoch, on unperturbed inputs. A shorter
    training, as AUM has it, flags better and ranks worse (features of Chars74K), so it has all epochs.
    """
    from sklearn.mixture import GaussianMixture

    losses: list[Floats] = []

    def note(record: EpochRecord) -> None:
        losses.append(-np.log(np.maximum(record.p_given_learner.astype(np.float64), SMALLEST)))

    case.train("supervised", case.data.codes.numpy(), on_epoch=note)
    mean = np.mean(losses, axis=0)
    scaled = ((mean - mean.min()) / max(float(np.ptp(mean)), SMALLEST))[:, None]
    mixture = GaussianMixture(2, reg_covar=5e-4, max_iter=100, random_state=case.seed).fit(scaled)
    high = int(mixture.means_[:, 0].argmax())
    return Verdict(mean, mixture.predict_proba(scaled)[:, high] > 0.5)


def aum(case: Case) -> Verdict:
    """The given label's margin averaged over the epochs, negative = suspicious, with threshold samples as cut-off.

    Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin Ranking", NeurIPS 2020, Algorithm 1: in
    each of two trainings another 1 / (C + 1) of the rows is given a class that does not exist; a row is flagged whose
    margin is below the 99th percentile of theirs. A row's own threshold training does not judge it. From the paper
    depart: margins are taken after each epoch, unperturbed, not in the training steps; on vectors training ends after
    AUM_SHARE_OF_VECTORS of the epochs; it uses Adam and the batches of all tools; a row's score is of one training, not
    the mean of two.
    """
    n, n_classes = len(case.given), case.data.n_classes
    size = max(1, n // (n_classes + 1))
    order = np.random.default_rng((case.seed, n_classes)).permutation(n)
    scores, flagged = np.zeros(n), np.zeros(n, np.bool_)
    for stream, fakes in (
        (1, order[size : 2 * size]),
        (0, order[:size]),
    ):  # the second judges all but its own
        margin = _mean_margin(case, fakes, stream)
        limit = np.percentile(margin[fakes], THRESHOLD_PERCENTILE)
        judged = np.setdiff1d(np.arange(n), fakes)
        scores[judged], flagged[judged] = -margin[judged], margin[judged] <= limit
    return Verdict(scores, flagged)


def _mean_margin(case: Case, fakes: Codes, stream: int) -> Floats:
    """log p(given) - log p(best other), which is the margin of the logits, averaged over the epochs: (k,)."""
    codes = case.data.codes.numpy().copy()
    codes[case.labelled[fakes]] = case.data.n_classes
    share = AUM_SHARE_OF_VECTORS if len(case.data.shape) == 1 else 1.0
    epochs = math.ceil(share * case.schedule("supervised", codes)[1])
    margins: list[Floats] = []

    def note(record: EpochRecord) -> None:
        margins.append(record.margin_learner.astype(np.float64))

    n_classes = case.data.n_classes + 1
    case.train("supervised", codes, n_classes, stream=100 + stream, epochs=epochs, on_epoch=note)
    mean: Floats = np.mean(margins, axis=0)
    return mean
