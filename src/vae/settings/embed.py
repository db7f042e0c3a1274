"""Section `embed` of `params.yaml`."""

from pydantic import Field

from vae.settings import BatchSize, Section


class Embed(Section):
    """The encoding of all images."""

    batch_size: BatchSize = Field(description="Images in one batch at most; fewer if the images are large.")
