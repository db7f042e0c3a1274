"""The optimizers that `train.optimizer` names."""

from typing import Any

import keras
from keras import KerasTensor, Variable, ops
from keras.optimizers.schedules import LearningRateSchedule


@keras.saving.register_keras_serializable("vae")
class ConvMuon(keras.optimizers.Muon):
    """Keras's Muon, extended to convolution kernels.

    Adam updates the biases, the embeddings, the kernels of the latent heads, and the means and pseudo-inputs of priors.

    Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) replaces the momentum of a weight matrix by
    the nearest orthogonal matrix, so that no direction is learnt more slowly than another. With the scale of Liu et al.
    (2025, https://arxiv.org/abs/2502.16982, equation 4), it uses the learning rate of Adam. Keras's Muon supports only
    matrices. Here a kernel (height, width, a, b) is the matrix (height * width * a, b), as in Jordan et al. They leave
    a network's output layer to Adam too; here, this is so for the encoder only.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None = None,
        name: str = "muon",
    ) -> None:
        super().__init__(
            learning_rate,
            name=name,
            momentum=0.9,
            weight_decay=weight_decay,
            adam_weight_decay=weight_decay,
            exclude_layers=["z_mean", "z_log_var"],
        )

    def _should_use_adamw(self, variable: Variable) -> bool:
        return len(variable.shape) != 4 and bool(super()._should_use_adamw(variable))

    def lr_adjust(self, x: KerasTensor) -> KerasTensor:
        return ops.reshape(super().lr_adjust(as_matrix(x)), x.shape)

    def zeropower_via_newtonschulz5(self, x: KerasTensor, steps: int) -> KerasTensor:
        return ops.reshape(super().zeropower_via_newtonschulz5(as_matrix(x), steps), x.shape)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {name: config[name] for name in ("learning_rate", "weight_decay", "name")}


def as_matrix(kernel: KerasTensor) -> KerasTensor:
    """Reshape a kernel (height, width, a, b) to (height * width * a, b); a matrix stays as it is."""
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


OPTIMIZERS = {"adam": keras.optimizers.Adam, "muon": ConvMuon}


def build_optimizer(
    name: str, learning_rate: float | LearningRateSchedule, weight_decay: float, model: keras.Model
) -> keras.optimizers.Optimizer:
    """Return an optimizer for the model, with decoupled weight decay of its kernels, but of no other weight.

    Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (2019), https://arxiv.org/abs/1711.05101; for Muon, Liu
    et al. (2025). Before each step, a kernel is multiplied by 1 - learning rate * weight decay.

    Args:
        name: a key of `OPTIMIZERS`.
        learning_rate: the learning rate or its schedule.
        weight_decay: the weight decay; 0 is none.
        model: the model, with its weights built.
    """
    optimizer = OPTIMIZERS[name](learning_rate, weight_decay=weight_decay or None)
    if weight_decay:
        others = [weight for weight in model.trainable_weights if weight.name != "kernel"]
        optimizer.exclude_from_weight_decay(var_list=others)
    return optimizer
