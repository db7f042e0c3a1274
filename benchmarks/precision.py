"""What `train.precision: mixed_bfloat16` does to the held-out loss: the same training in both, over several seeds.

On a processor without bfloat16 instructions a convolution in bfloat16 takes many times as long as one in float32. What
it yields is had there at float32's speed: convolve the bfloat16 inputs in float32, and round the result to bfloat16.
That is what the instructions do too, but for the order of summation; the gradients of the casts do the same on the way
back.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import vae.nn  # noqa: F401, before keras: sets TensorFlow up

# isort: split
import numpy as np
import tensorflow as tf

from benchmarks.machine import has_bfloat16
from vae.nn.training import build_model, fit
from vae.settings import Train, load_settings
from vae.splits import load_split

PRECISIONS = ("float32", "mixed_bfloat16")
EPOCHS = 3


def bfloat16_convolutions_in_float32() -> AbstractContextManager[Any]:
    """While it is open, convolutions of bfloat16 tensors accumulate in float32, by float32 instructions."""

    def widened(convolution: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
        def call(x: tf.Tensor, kernel: tf.Tensor, *args: Any, **kwargs: Any) -> tf.Tensor:
            if x.dtype != tf.bfloat16:
                return convolution(x, kernel, *args, **kwargs)
            return tf.cast(convolution(tf.cast(x, tf.float32), tf.cast(kernel, tf.float32), *args, **kwargs), x.dtype)

        return call

    stack = ExitStack()
    for name in ("convolution", "conv_transpose"):
        stack.enter_context(mock.patch.object(tf.nn, name, widened(getattr(tf.nn, name))))
    return stack


def measure(seeds: int = 3) -> dict[str, Any]:
    """Trains with the settings of `params.yaml` but for `EPOCHS` only, in each precision, with the seeds from 1 on."""
    native = has_bfloat16()
    settings, _ = load_settings(Train)
    images = load_split(Path("data/prepared/train.npz")).images
    validation_images = load_split(Path("data/prepared/validation.npz")).images
    losses: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    for seed in range(1, seeds + 1):
        for precision in PRECISIONS:
            changed = settings.model_copy(update={"precision": precision, "epochs": EPOCHS})
            with nullcontext() if native else bfloat16_convolutions_in_float32():
                history = fit(build_model(changed, seed), images, validation_images, changed, seed)
            losses[precision].append(float(history.val_loss.min()))
            print(f"seed {seed}, {precision}: validation loss {losses[precision][-1]:.2f}", flush=True)
    float32, bfloat16 = (np.array(losses[precision]) for precision in PRECISIONS)
    difference = bfloat16 - float32
    error = difference.std(ddof=1) / np.sqrt(seeds)
    print(f"mixed_bfloat16 costs {difference.mean():.2f} ± {error:.2f} nats of validation loss ({seeds} seeds)")
    return {
        "epochs": EPOCHS,
        "bfloat16_instructions": native,
        "validation_loss": losses,
        "cost": difference.mean(),
        "cost_standard_error": error,
    }
