"""The optimizers that `train.optimizer` names."""

import keras
from keras import KerasTensor, Variable, ops
from keras.optimizers.schedules import LearningRateSchedule


class ConvMuon(keras.optimizers.Muon):
    """Keras's Muon, convolution kernels included; it steps biases, and the kernels of the latent heads, by Adam.

    Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) replaces the momentum of a weight matrix by
    the nearest orthogonal one, so that no direction of it is learnt slower than another. Scaled as by Liu et al.
    (2025, https://arxiv.org/abs/2502.16982, equation 4), it takes the learning rate of Adam. Keras has it for matrices
    alone. Here a kernel (height, width, a, b) is the matrix (height * width * a, b), as Jordan et al. have it. The
    heads are left to Adam, as they leave a network's output.
    """

    def __init__(self, learning_rate: float | LearningRateSchedule) -> None:
        super().__init__(
            learning_rate,
            momentum=0.9,
            weight_decay=None,
            adam_weight_decay=None,
            exclude_layers=["z_mean", "z_log_var"],
        )

    def _should_use_adamw(self, variable: Variable) -> bool:
        return len(variable.shape) != 4 and bool(super()._should_use_adamw(variable))

    def lr_adjust(self, x: KerasTensor) -> KerasTensor:
        return ops.reshape(super().lr_adjust(as_matrix(x)), x.shape)

    def zeropower_via_newtonschulz5(self, x: KerasTensor, steps: int) -> KerasTensor:
        return ops.reshape(super().zeropower_via_newtonschulz5(as_matrix(x), steps), x.shape)


def as_matrix(kernel: KerasTensor) -> KerasTensor:
    """(height, width, a, b) to (height * width * a, b); a matrix as it is."""
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


OPTIMIZERS = {"adam": keras.optimizers.Adam, "muon": ConvMuon}
