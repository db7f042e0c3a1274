"""The learning-rate schedules that `train.schedule` names."""

import math
from typing import Any

import keras
from keras import KerasTensor, ops
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule

from vae.settings.train import Train


@keras.saving.register_keras_serializable("vae")
class Trapezoid(LearningRateSchedule):
    """A straight line from zero to the peak, the peak until half of the steps, then a straight line to zero.

    Hägele et al. (2024), "Scaling laws and compute-optimal training beyond fixed training durations",
    https://arxiv.org/abs/2405.18392: a constant rate with a linear cooldown.
    """

    def __init__(self, peak: float, steps: int, warmup_steps: int) -> None:
        self.peak, self.steps, self.warmup_steps = peak, steps, warmup_steps

    def __call__(self, step: KerasTensor) -> KerasTensor:
        step = ops.cast(step, "float32")
        rising = step / self.warmup_steps if self.warmup_steps else 1.0
        falling = (self.steps - step) / (self.steps - max(self.warmup_steps, self.steps // 2))
        return self.peak * ops.clip(ops.minimum(rising, falling), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps, "warmup_steps": self.warmup_steps}


def learning_rate_schedule(settings: Train, images: int) -> float | LearningRateSchedule:
    """Return the learning rate, or a schedule that rises to it from zero and falls to zero as `schedule` names.

    The cosine: Loshchilov & Hutter, "SGDR" (2017), equation 5, without restarts, https://arxiv.org/abs/1608.03983.

    Args:
        settings: `epochs`, `batch_size`, `learning_rate`, `schedule` and `warmup` are used.
        images: the number of training images.
    """
    if settings.schedule == "constant":
        return settings.learning_rate
    steps = settings.epochs * math.ceil(images / settings.batch_size)
    warmup_steps = int(settings.warmup * steps)
    if settings.schedule == "trapezoid":
        return Trapezoid(settings.learning_rate, steps, warmup_steps)
    return CosineDecay(0.0, steps - warmup_steps, warmup_target=settings.learning_rate, warmup_steps=warmup_steps)
