"""The settings in `params.yaml`: a module for each section, the loader, and here what the sections share.

`python -m vae.settings` checks the whole file.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seed = Annotated[int, Field(ge=0, lt=2**32)]
BatchSize = Annotated[int, Field(ge=1, le=1_000_000)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]
LearningRate = Annotated[float, Field(gt=0, le=1000)]


class Section(BaseModel):
    """A section of settings. Unknown keys, silent conversions, infinity and NaN are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
