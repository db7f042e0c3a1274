"""What a program needs to know to use exported files: the contents of `vae.json`."""

from typing import Any

import vae
from vae.exporting.endpoints import Endpoint, Tensor
from vae.model.vae import VAE

FILE = "vae.json"


def describe(model: VAE, format_name: str, pair: tuple[Endpoint, Endpoint], files: dict[str, str]) -> dict[str, Any]:
    """Return the contents of `vae.json`; docs/export.md describes them.

    Args:
        model: the VAE.
        format_name: the name of the format.
        pair: its encoder and its decoder.
        files: the name of the file of each.
    """
    height, width, channels = model.image_shape
    parts = {
        endpoint.name: {
            "file": files[endpoint.name],
            "inputs": [_tensor(tensor) for tensor in endpoint.inputs],
            "outputs": [_tensor(tensor) for tensor in endpoint.outputs],
        }
        for endpoint in pair
    }
    return {
        "vae_pipeline": vae.__version__,
        "format": format_name,
        **parts,
        "latent_dim": model.latent_dim,
        "likelihood": model.get_config()["likelihood"],
        "conditional": model.conditional,
        "class_names": list(model.class_names),
        "images": {
            "height": height,
            "width": width,
            "channels": channels,
            "fit": model.image_fit,
            "resampling": "lanczos",
            "range": [0, 1],
            "binarized": model.likelihood.binarizes,
        },
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "shape": ["batch", *tensor.shape], "dtype": tensor.dtype}
