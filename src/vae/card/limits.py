"""The section `Limits`: what the model is not good for, and what in its training a reader must know."""

from collections.abc import Iterator

from vae.card.subject import Subject

LEARNED_PRIORS = {
    "flow": "a RealNVP flow",
    "mixture": "a mixture of 100 Gaussians",
    "vampprior": "a VampPrior",
}


def limits(subject: Subject) -> str:
    """Return the section."""
    points = [*_use(subject), *_training(subject)]
    return "## Limits\n\n" + "\n".join(f"- {point}" for point in points)


def _use(subject: Subject) -> Iterator[str]:
    yield (
        "It is for teaching and research. Base no decisions about people on it, and none in which a wrong "
        "reconstruction, class or score does harm."
    )
    yield (
        f"It knows only images like these: {subject.size}. Other images are fitted to that form, and get latent "
        "vectors, reconstructions and scores that mean little."
    )
    yield subject.data.limit
    if subject.own_images:
        yield (
            "Reconstructions and samples may show training images almost as they are, above all if these were few. "
            "Treat the model like the images."
        )
    yield (
        "Scores compare images under one model only. A low score is no proof that an image is like the training "
        "images: simple images may get low scores, too (Nalisnick et al., 2019, https://arxiv.org/abs/1810.09136)."
    )
    yield "The pixels are independent given z, so that reconstructions and means of samples are blurred."
    if subject.conditional:
        yield "The encoder and the decoder need the class of each image: a wrong class gives wrong results."


def _training(subject: Subject) -> Iterator[str]:
    params, config = subject.run.params, subject.model.config
    train = params["train"]
    if (share := params["prepare"]["share"]) < 1:
        yield f"It was trained on {share:.3g} of the images: this is a trial, not the best that the settings can give."
    if (std := train["epsilon_std"]) != 1:
        yield (
            f"Training drew the noise of z with standard deviation {std:g} instead of 1: its loss was no bound. "
            "The bounds above use the full noise."
        )
    if (beta := train["beta"]) != 1:
        yield f"Training weighted the KL by {beta:g}. The bounds above weight it by 1: they are not what was minimized."
    if train["free_bits"]:
        yield (
            f"Training did not penalize the first {train['free_bits']:g} nats of each latent dimension. The bounds "
            "above count them."
        )
    if train["objective"] != "elbo":
        yield (
            f"Training maximized the importance-weighted bound with {train['samples']} samples "
            f"(`{train['objective']}`), so that q(z|x) is not the best for the ELBO."
        )
    if config["prior"] in LEARNED_PRIORS:
        yield (
            f"The prior is learned: {LEARNED_PRIORS[config['prior']]}. Latent vectors are not distributed as N(0, I), "
            "and the KL is an estimate from the samples of z."
        )
    if config["precision"] != "float32":
        yield "Most of its layers compute in bfloat16, which has two to three significant digits."
    active = subject.run.results["evaluate"]["posterior"]["active_units"]
    if active < config["latent_dim"]:
        yield (
            f"The posterior has collapsed to the prior in {config['latent_dim'] - active} of {config['latent_dim']} "
            "latent dimensions, which therefore say nothing about an image."
        )
