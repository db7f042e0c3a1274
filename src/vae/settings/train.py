"""Section `train` of `params.yaml`."""

from pathlib import PurePath
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from vae.settings import BatchSize, Epochs, LearningRate, Section

RANDOM_WEIGHTS = "data/random_weights.txt"
"""A file without weights, since DVC cannot leave out a dependency."""


class Train(Section):
    """The training of the VAE."""

    objective: Literal["elbo", "iwae", "dreg"] = Field(
        description="What training maximizes: `elbo` is the evidence lower bound; `iwae` is the importance-weighted "
        "bound, which is tighter; `dreg` is the same bound, by gradients of lower variance."
    )
    samples: int = Field(ge=1, le=1_000_000, description="Draws of z for each image in a training step.")
    beta: float = Field(ge=0, le=1e6, description="Weight of the KL in `elbo`.")
    beta_warmup: int = Field(
        ge=0, le=1_000_000_000, description="Steps in which that weight rises from 0 in a straight line."
    )
    free_bits: float = Field(
        ge=0, le=1e6, description="KL of each latent dimension, in nats, that `elbo` does not penalize."
    )
    initial_weights: str = Field(
        description="The checkpoint whose weights training starts from; `data/random_weights.txt` means none.",
    )
    epsilon_std: float = Field(
        ge=0, le=100, description="Standard deviation of the noise ε in z = μ + σ ⊙ ε. The tutorial: 1e-4."
    )
    epochs: Epochs = Field(description="The largest number of epochs. The tutorial: 200.")
    batch_size: BatchSize = Field(description="Images in one step. The tutorial: 128.")
    optimizer: Literal["adam", "muon"] = Field(
        description="`muon` orthogonalizes the updates of kernels and matrices. The tutorial: `adam`."
    )
    learning_rate: LearningRate = Field(description="The peak of the learning-rate schedule. The tutorial: 0.001.")
    weight_decay: float = Field(
        ge=0, le=1000, description="Share of each kernel, times the learning rate, that a step subtracts from it."
    )
    schedule: Literal["trapezoid", "cosine", "constant"] = Field(
        description="`trapezoid` is level, then falls in a straight line to zero over the second half of the steps; "
        "`cosine` falls by half a cosine. The tutorial: `constant`."
    )
    warmup: float = Field(ge=0, lt=1, description="Share of the steps in which a falling schedule first rises from 0.")
    patience: int = Field(
        ge=1, le=100_000, description="Epochs in a row without a lower validation loss after which training stops."
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        description="Precision of the encoder and the decoder, except for the latent heads. `mixed_bfloat16` is for "
        "processors with bfloat16 instructions."
    )
    strategy: Literal["none", "mirrored", "multi_worker"] = Field(
        description="What trains: `none` is one device; `mirrored` is all GPUs of the machine; `multi_worker` is "
        "several machines, which `TF_CONFIG` lists in the environment. `batch_size` is divided between them."
    )

    @field_validator("initial_weights")
    @classmethod
    def _is_a_checkpoint(cls, path: str) -> str:
        if path != RANDOM_WEIGHTS and (not path.endswith(".keras") or path.startswith("~")):  # DVC expands no ~
            raise PydanticCustomError("path", f"Input should be the path of a .keras file, or {RANDOM_WEIGHTS}")
        if PurePath(path) == PurePath("models/vae.keras"):
            raise PydanticCustomError("path", "Input should be a copy: DVC removes this file before it trains")
        return path
