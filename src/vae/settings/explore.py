"""Section `explore` of `params.yaml`."""

from pydantic import Field

from vae.settings import Section


class Explore(Section):
    """The page on which to explore the model."""

    images: int = Field(
        ge=1,
        le=1_000_000,
        description="Test images on the page at most, the first ones; fewer if they do not fit into its 5 MB.",
    )
