"""Section `evaluate` of `params.yaml`."""

from pydantic import Field

from vae.settings import BatchSize, Section


class Evaluate(Section):
    """The bounds on the likelihood of the test images."""

    samples: int = Field(
        ge=1, le=1_000_000, description="Samples of z for each test image: k of the importance-weighted bound."
    )
    batch_size: BatchSize = Field(
        description="Samples of z that are decoded at once, at most; fewer if the images are large."
    )
