"""What the page shows: facts about the model, test images with their places, and draws of latent vectors."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data.splits import Split
from vae.evaluation.embedding import Embedding
from vae.evaluation.latent_dimensions import by_kl
from vae.evaluation.latent_moments import Moments
from vae.explorer.arrays import PackedArrays
from vae.explorer.programs import Programs
from vae.model.priors.standard import StandardNormal
from vae.model.vae import VAE
from vae.plots.mosaic import INK, grey_colors
from vae.plots.style import class_colors

NOISE_DRAWS = 4
"""Draws of z for each image over which the page averages the terms, as `VAE.terms(images, samples=4)` does."""


class Contents(NamedTuple):
    """All that is on the page, before it is cut down to a size."""

    model: VAE
    test: Split
    """The test images as the model sees them: see `vae.evaluation.embedding.seen_by`."""
    embedding: Embedding
    """q(z|x) of the test images."""
    maps: Mapping[str, NDArray[np.float64]]
    """The title of each map, and the places of the first test images on it, (at most n, 2)."""
    draws: Mapping[str, NDArray[np.float32]]
    """Latent vectors (n, latent_dim) by where they are drawn from: `prior`, and `mixture` if there is one."""
    reconstruction: float
    """The mean over the test images in nats, like `kl`."""
    kl: float

    def moments(self) -> Moments:
        """Return the range of each dimension: the prior's if that is N(0, I), or else the aggregate posterior's."""
        if isinstance(self.model.prior, StandardNormal):
            return Moments.of_standard_prior(self.model.latent_dim)
        return Moments.of_aggregate_posterior(self.embedding.z_mean, self.embedding.z_log_var)

    def description(self, programs: Programs, precision: str) -> dict[str, Any]:
        """Return the facts that the page's script needs besides arrays, as JSON has them."""
        moments, config = self.moments(), self.model.get_config()
        table = by_kl(self.embedding.z_mean, self.embedding.z_log_var, moments)
        names = [str(name) for name in self.test.class_names]
        return {
            "engine": programs.description(),
            "precision": precision,
            "shape": list(self.model.image_shape),
            "latentDim": self.model.latent_dim,
            **{name: config[name] for name in ("architecture", "likelihood", "prior")},
            "unit": self.model.likelihood.unit,
            "weights": self.model.count_params(),
            "conditional": self.model.conditional,
            "binarizes": self.model.likelihood.binarizes,
            "ink": self.model.image_shape[-1] == 1 and grey_colors(self.test.images) == INK,
            "classes": names,
            "colors": list(class_colors(max(1, len(names)))),
            "standard": moments.is_prior,
            "mean": moments.mean.tolist(),
            "std": moments.std.tolist(),
            "dimensions": table.dimension.tolist(),
            "kl": table.kl.tolist(),
            "maps": list(self.maps),
            "test": {"count": len(self.test.images), "reconstruction": self.reconstruction, "kl": self.kl},
        }

    def arrays(self, programs: Programs, precision: str, count: int) -> PackedArrays:
        """Return the arrays for the first `count` test images."""
        packed = PackedArrays()
        packed.add("constants", np.frombuffer(programs.constants(precision), np.uint8))
        packed.add("images", np.rint(self.test.images[:count] * 255).astype(np.uint8))
        if self.test.labels is not None:
            packed.add("labels", self.test.labels[:count].astype(np.uint16))
        packed.add_points("z_mean", self.embedding.z_mean[:count])
        for number, places in enumerate(self.maps.values()):
            packed.add_points(f"map{number}", places[:count])
        for name, z in self.draws.items():
            packed.add_points(name, z)
        noise = np.random.default_rng(0).standard_normal((NOISE_DRAWS, self.model.latent_dim), np.float32)
        packed.add("noise", noise)  # equal to the noise in VAE.terms
        return packed
