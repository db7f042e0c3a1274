"""Settings and an untrained model for trainings of a second or two."""

from typing import Any

import numpy as np

from vae.data.splits import Split
from vae.model.vae import VAE
from vae.settings.model import Model
from vae.settings.train import Train
from vae.training.fit import build_model

MODEL = Model(
    architecture="tutorial", latent_dim=2, dropout=0.0, likelihood="bernoulli", prior="standard", conditional=False
)
TRAIN = Train(
    objective="elbo",
    samples=1,
    beta=1.0,
    beta_warmup=0,
    free_bits=0.0,
    initial_weights="data/random_weights.txt",
    epsilon_std=1.0,
    epochs=3,
    batch_size=8,
    optimizer="adam",
    learning_rate=0.01,
    weight_decay=0.0,
    schedule="constant",
    warmup=0.2,
    patience=5,
    precision="float32",
    strategy="none",
)


def train_settings(**changes: Any) -> Train:
    return TRAIN.model_copy(update=changes)


def untrained(settings: Train = TRAIN, seed: int = 0, **changes: Any) -> VAE:
    """Return a model for images of 28x28 pixels, with changes to `MODEL`."""
    data = Split(np.zeros((64, 28, 28, 1), "float32"), None, np.array(["a", "b"]))
    return build_model(data, MODEL.model_copy(update=changes), settings, seed)
