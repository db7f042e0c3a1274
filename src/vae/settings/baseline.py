"""Section `baseline` of `params.yaml`."""

from pydantic import Field

from vae.settings import Section


class Baseline(Section):
    """The representations to compare the latent vectors with."""

    principal_components: int = Field(
        ge=1, le=1_000_000, description="Number of principal components of the pixels, at most their dimension."
    )
