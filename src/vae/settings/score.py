"""Section `score` of `params.yaml`."""

from pydantic import Field

from vae.settings import BatchSize, Section


class Score(Section):
    """The comparison of generated images with test images."""

    mixture_components: int = Field(
        ge=1, le=100, description="Gaussians in the mixture that is fitted to the latents in place of the prior."
    )
    batch_size: BatchSize = Field(description="Images in one batch at most; fewer if the images are large.")
