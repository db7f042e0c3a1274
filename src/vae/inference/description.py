"""What a model is: the numbers and names that its file contains."""

from typing import Any

from vae.inference.model import MODEL, Model, open_model


def info(model: Model = MODEL) -> dict[str, Any]:
    """Return what a model is, by name: its architecture, sizes, parameters, likelihood, prior, training and images.

    Args:
        model: a VAE, or the path of its file.

    Raises:
        InputError: as in `vae.load`.
    """
    opened = open_model(model)
    config = opened.get_config()
    height, width, channels = opened.image_shape
    return {
        "architecture": config["architecture"],
        "latent_dim": opened.latent_dim,
        "likelihood": config["likelihood"],
        "prior": config["prior"],
        "conditional": opened.conditional,
        "objective": config["objective"],
        "precision": config["precision"],
        "parameters": opened.count_params(),
        "encoder_parameters": opened.encoder.count_params(),
        "decoder_parameters": opened.decoder.count_params(),
        "image": {"height": height, "width": width, "channels": channels, "fit": opened.image_fit},
        "class_names": list(opened.class_names),
        "unit_of_scores": opened.likelihood.unit,
    }
