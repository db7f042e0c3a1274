"""Section `model` of `params.yaml`."""

from typing import Literal

from pydantic import Field

from vae.settings import Section


class Model(Section):
    """The variational autoencoder."""

    architecture: Literal["tutorial", "resnet", "mlp"] = Field(
        description="The layers of the encoder and the decoder: the tutorial's convolutions; a small residual network; "
        "or two layers of 200 units on each side, the papers' baseline."
    )
    latent_dim: int = Field(ge=1, le=1024, description="K, the number of latent dimensions.")
    dropout: float = Field(ge=0, lt=1, description="Rate of the dropout before the latent heads. The tutorial: 0.5.")
    likelihood: Literal[
        "bernoulli", "binarized", "continuous_bernoulli", "gaussian", "gaussian_per_value", "logistic_mixture"
    ] = Field(
        description="p(x|z), the distribution of a pixel given the latents. `bernoulli` takes grey levels as targets; "
        "`binarized` draws pixels 0 or 1 from them; `gaussian` learns one variance, `gaussian_per_value` predicts one "
        "for each value; `logistic_mixture` describes 8-bit levels, and suits colour images."
    )
    prior: Literal["standard", "flow", "mixture", "vampprior"] = Field(
        description="p(z): `standard` is N(0, I). The others are trained: `flow` is RealNVP, `mixture` is 100 diagonal "
        "Gaussians, and `vampprior` is the mixture of the posteriors of up to 500 pseudo-inputs."
    )
    conditional: bool = Field(
        description="Whether the encoder and the decoder see the label y: q(z|x, y) and p(x|z, y). p(z) is the same "
        "for all classes."
    )
