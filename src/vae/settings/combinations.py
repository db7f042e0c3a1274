"""Settings of the model and of its training that do not fit together, each refused in a sentence."""

from vae.errors import InputError


def check_together(
    *,
    latent_dim: int,
    likelihood: str,
    prior: str,
    conditional: bool,
    objective: str,
    samples: int,
    beta: float,
    beta_warmup: int,
    free_bits: float,
    epsilon_std: float,
    precision: str,
    **others: object,
) -> None:
    """Check that values fit together: settings in `params.yaml`, or arguments of `vae.VAE`.

    All others fit together and are ignored.

    Raises:
        InputError: two of them do not fit together.
    """
    if prior == "flow" and latent_dim < 2:
        raise InputError(
            "model.prior is flow, which transforms one half of the latent dimensions given the other, but "
            f"model.latent_dim is {latent_dim}: set it to 2 or more, or choose another prior."
        )
    if prior == "vampprior" and conditional:
        raise InputError(
            "model.prior is vampprior, whose pseudo-inputs have no labels, but model.conditional is true: choose "
            "another prior, or set model.conditional to false."
        )
    if objective != "elbo" and samples < 2:
        raise InputError(
            f"train.objective is {objective}, which with one sample is no tighter than elbo, but train.samples is "
            f"{samples}: set it to 2 or more, or choose elbo."
        )
    if objective != "elbo" and (beta, beta_warmup, free_bits) != (1, 0, 0):
        raise InputError(
            f"train.objective is {objective}, which has no separate KL to weight: set train.beta to 1.0, "
            "train.beta_warmup to 0 and train.free_bits to 0.0, or choose elbo."
        )
    if free_bits and prior != "standard":
        raise InputError(
            f"train.free_bits is {free_bits:g}, which needs the KL of each latent dimension, but model.prior is "
            f"{prior}, whose KL is not a sum over them: set train.free_bits to 0.0, or model.prior to standard."
        )
    if not beta and (beta_warmup or free_bits):
        raise InputError(
            "train.beta is 0, so train.beta_warmup and train.free_bits have no effect: set train.beta above 0, or both "
            "of them to 0."
        )
    if not beta and prior != "standard":
        raise InputError(
            f"train.beta is 0, so model.prior {prior} would not be trained: set train.beta above 0, or model.prior to "
            "standard."
        )
    if epsilon_std != 1 and (prior != "standard" or objective != "elbo"):
        needs = f"model.prior: {prior}" if prior != "standard" else f"train.objective: {objective}"
        raise InputError(
            f"train.epsilon_std is {epsilon_std:g}, but {needs} needs samples of q(z|x) itself: set "
            "train.epsilon_std to 1.0."
        )
    if epsilon_std == 0 and samples > 1:
        raise InputError(
            f"train.epsilon_std is 0, so all draws of z for an image are equal, but train.samples is {samples}: set it "
            "to 1, or train.epsilon_std above 0."
        )
    if likelihood == "logistic_mixture" and precision == "mixed_bfloat16":
        raise InputError(
            "model.likelihood is logistic_mixture, which tells 256 levels apart, but train.precision is "
            "mixed_bfloat16, which rounds the decoder's outputs to about as many: set train.precision to float32."
        )
