"""Section `prepare` of `params.yaml`."""

from typing import Literal

from pydantic import Field

from vae.settings import Section


class Prepare(Section):
    """The data set and how it is split."""

    dataset: Literal["mnist", "fashion_mnist", "kmnist"] = Field(
        description="The data set. `mnist` is part of this repository; the others are downloaded."
    )
    share: float = Field(gt=0, le=1, description="Share of the images of each set to use, stratified by class.")
    validation_size: int = Field(
        ge=1, le=100_000_000, description="Number of training images held out for early stopping, stratified by class."
    )
