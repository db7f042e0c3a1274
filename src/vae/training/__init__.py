"""Training: fit, batches, optimizers, schedules, callbacks, and how an interrupted training resumes."""

from vae.model import runtime  # noqa: F401, before any module here imports Keras
