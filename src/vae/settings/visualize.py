"""Section `visualize` of `params.yaml`."""

import math

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from vae.settings import Section


class Visualize(Section):
    """The figures and the maps."""

    tsne_points: int = Field(
        ge=50,
        le=100_000_000,
        description="The largest number of images in each t-SNE map: the test images first, then the others.",
    )
    perplexity: float = Field(ge=2, description="Perplexity of t-SNE, at most a third of the points.")
    prior_samples: int = Field(
        ge=1,
        le=400,
        description="Images in the picture of samples from the prior; a conditional model draws about as many.",
    )

    @field_validator("perplexity")
    @classmethod
    def _fits_the_points(cls, perplexity: float, fields: ValidationInfo) -> float:
        points = fields.data.get("tsne_points", math.inf)  # absent if it is invalid
        if 3 * perplexity > points - 1:  # t-SNE looks at that many neighbours of each point
            limit = f"Input should be at most {(points - 1) / 3:.6g}, as visualize.tsne_points is {points}"
            raise PydanticCustomError("perplexity", limit)
        return perplexity
