"""The paper's objective, Eq. 1-8, in order: Sun et al., "Training Better Deep Neural Networks with Uncertainty
Mining Net", BMVC 2021.

x image, z_a its latent, y true label (latent), z_b latent of (z_a, y), y_hat observed label, g' Guider, g Learner;
B samples, C classes. Every function returns one value per sample (B,) unless it says otherwise, as a loss to be
minimised; callers average. Eq. 4 as printed has its first two terms as products where KL is meant, and the sign of
its third term reversed; the signs here are right (docs/method.md derives them).

Eq. 1   y, z_b ~ M(y), p(z_b);  z_a ~ p(z_a | z_b, y);  x ~ p(x | z_a)
Eq. 2   y_hat ~ p(y_hat | y, z_a)
Eq. 3   q(z_a, z_b, y | x) = q(z_a | x) q(y | z_a) q(z_b | z_a, y)
"""

from __future__ import annotations

import torch
from torch import Tensor

from noiseaudit.densities import kl_categorical, kl_standard_normal, log_normal

# --- Eq. 4: the evidence lower bound, term by term -------------------------------------------------------------


def class_cost(z_a: Tensor, q_zb: tuple[Tensor, Tensor], p_za: tuple[Tensor, Tensor]) -> Tensor:
    """KL(q(z_b|z_a,y) || N(0,I)) - log p(z_a|z_b,y) for each class y: (B, C).

    `q_zb` is mean and log-variance of z_b, (B, C, Zb); `p_za` those of z_a given (z_b, y), (B, C, Za).
    """
    return kl_standard_normal(*q_zb) - log_normal(z_a.unsqueeze(1), *p_za)


def conditional_term(probs: Tensor, cost: Tensor, log_q_za: Tensor) -> Tensor:
    """sum_y q(y|z_a) [KL(q(z_b|z_a,y) || N(0,I)) - log p(z_a|z_b,y)] + log q(z_a|x), exact over y.

    `probs` q(y|z_a) and `cost` are (B, C), `log_q_za` is (B,).
    """
    return (probs * cost).sum(1) + log_q_za


def label_kl_per_sample(probs: Tensor, log_probs: Tensor, log_prior: Tensor) -> Tensor:
    """KL(q(y|z_a) || p(y)) of each sample, as in Eq. 4: it pulls every prediction towards the prior."""
    return kl_categorical(probs, log_probs, log_prior)


def label_kl_of_mean(mean: Tensor, log_prior: Tensor) -> Tensor:
    """KL(batch mean of q(y|z_a) || p(y)), a scalar: it balances the classes and leaves single predictions free.

    `mean` and `log_prior` are (C,).
    """
    return kl_categorical(mean, torch.log(mean.clamp_min(1e-12)), log_prior)


# --- Eq. 5 and 6: the observed label ---------------------------------------------------------------------------


def log_label_likelihood(epsilon: Tensor, given: Tensor, n_classes: int) -> Tensor:
    """Eq. 5, log p(y_hat | y, z_a) for every y: (B, C). log(1 - eps) at y = y_hat, log(eps / (C - 1)) elsewhere."""
    wrong = torch.log(epsilon / (n_classes - 1)).unsqueeze(1).repeat(1, n_classes)
    return wrong.scatter(1, given.unsqueeze(1), torch.log1p(-epsilon).unsqueeze(1))


def label_weight(epsilon: Tensor, n_classes: int, epsilon_min: float) -> Tensor:
    """Eq. 6, f(eps) = log[(C - 1)(1 - eps) / eps], negative above (C - 1) / C.

    eps is clamped to [epsilon_min, 1 - epsilon_min], which removes only f's infinities.
    """
    clamped = epsilon.clamp(epsilon_min, 1 - epsilon_min)
    return torch.log((n_classes - 1) * (1 - clamped) / clamped)


def labelled_term(probs: Tensor, given: Tensor, weight: Tensor) -> Tensor:
    """Eq. 6, -f(eps) q(y_hat|z_a): linear in q, so robust to label noise by itself.

    No gradient flows through `weight`. The exact expectation of Eq. 5 under q(y|z_a) is
    f(eps) q(y_hat|z_a) + log(eps / (C - 1)); the second part is constant in the parameters.
    """
    return -weight.detach() * probs.gather(1, given.unsqueeze(1)).squeeze(1)


# --- Eq. 7 is noiseaudit.ema; Eq. 8 ----------------------------------------------------------------------------


def label_uncertainty(guider: Tensor, learner: Tensor, given: Tensor) -> Tensor:
    """Eq. 8, eps = |g'(z_a, y_hat) - g(z_a, y_hat)|: Guider against Learner at the observed class.

    `guider` and `learner` are probabilities (B, C); `given` is (B,). float32 in, float32 out: the paper's rule
    eps > 0 counts on softmax saturating to exactly 0 or 1 there.
    """
    index = given.unsqueeze(1)
    return (guider.gather(1, index) - learner.gather(1, index)).squeeze(1).abs()


# --- Named additions of `umn_plus`, not in the paper -----------------------------------------------------------


def consistency(learner: Tensor, guider: Tensor) -> Tensor:
    """Squared distance of Learner and Guider probabilities (Tarvainen and Valpola 2017): (B, C) -> (B,)."""
    return ((learner - guider.detach()) ** 2).sum(1)


def noisy_label_loss(probs: Tensor, given: Tensor, rates: Tensor, power: float = 0.0) -> Tensor:
    """-log p, p = sum_y q(y|z_a) T[y, y_hat]: Eq. 2 without y, noise that depends on the class (Patrini et al. 2017).

    With a `power`, (1 - p^power) / power, between it and a linear loss, which learns less by heart (Zhang and Sabuncu
    2018). `probs` is (B, C), `given` (B,), `rates` T (C, C), rows y. Labels that T makes unlikely weigh like others:
    unlike Eq. 6 it teaches hard right labels, and unlike plain cross-entropy few wrong ones, because T explains these.
    """
    likelihood = (probs * rates[:, given].T).sum(1).clamp_min(1e-9)
    return (1 - likelihood**power) / power if power else -torch.log(likelihood)


def entropy(probs: Tensor, log_probs: Tensor) -> Tensor:
    """Entropy of q(y|z_a), minimised to make predictions decided (Grandvalet and Bengio 2005), (B, C) -> (B,)."""
    return -(probs * log_probs).sum(1)
