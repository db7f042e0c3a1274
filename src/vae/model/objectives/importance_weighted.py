"""The importance-weighted bound, with its own gradient and with the doubly reparameterized one."""

import math
import threading
from typing import Any

from keras import KerasTensor, ops

from vae.model.objectives.draws import Draws, Options


class ImportanceWeighted:
    """The negative importance-weighted bound with k draws of z for each image.

    Burda et al., "Importance Weighted Autoencoders" (2016), equation 8, https://arxiv.org/abs/1509.00519:

        -log p(x) <= -E[log 1/k sum_i w_i],    w_i = p(x|z_i) p(z_i) / q(z_i|x)

    Args:
        options: only `samples` is used.
    """

    def __init__(self, options: Options) -> None:
        self.samples = options.samples
        self.loss_name = f"importance-weighted, k = {options.samples}"

    def draw(self, z: KerasTensor) -> KerasTensor:
        """Return the draws as they are."""
        return z

    def loss(self, draws: Draws, step: KerasTensor | int) -> KerasTensor:
        """Return the negative bound, (batch,), in nats per image."""
        log_weights = draws.log_weights(draws.z_mean, draws.z_log_var)
        return math.log(self.samples) - ops.logsumexp(log_weights, axis=0)


class DoublyReparameterized(ImportanceWeighted):
    """The same bound, with the doubly reparameterized gradient of the encoder.

    Tucker et al., "Doubly reparameterized gradient estimators for Monte Carlo objectives" (2019), equation 8,
    https://arxiv.org/abs/1810.04152. With the normalized weights v_i = w_i / sum_j w_j, the gradient is

        of the decoder and the prior:  sum_i v_i  d log w_i / d theta
        of the encoder:                sum_i v_i² d log w_i / d z_i  d z_i / d phi

    It equals the other gradient in expectation. Its variance is lower, and its signal-to-noise ratio does not fall as k
    grows.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._of_replica = threading.local()  # `tf.distribute` traces the replicas in turn, each in a thread of its own

    def draw(self, z: KerasTensor) -> KerasTensor:
        """Return the draws, with gradients that are multiplied by the normalized weights.

        The weights follow from what is computed with the draws. They are known by the time that gradients flow back.
        """

        @ops.custom_gradient  # type: ignore[untyped-decorator]
        def weighted(z: KerasTensor) -> Any:
            return ops.convert_to_tensor(z), lambda upstream: upstream * self._of_replica.weights

        return weighted(z)

    def loss(self, draws: Draws, step: KerasTensor | int) -> KerasTensor:
        """Return the negative bound, (batch,), in nats per image, with the gradient of the class's description."""
        fixed = ops.stop_gradient(draws.z_mean), ops.stop_gradient(draws.z_log_var)
        log_weights = draws.log_weights(*fixed)
        log_sum = ops.logsumexp(log_weights, axis=0)
        normalized = ops.stop_gradient(ops.exp(log_weights - log_sum))
        self._of_replica.weights = ops.reshape(normalized, (-1, 1))
        # log_sum has the gradient of the weighted sum. `draw` multiplies it by the weights again on its way back.
        return math.log(self.samples) - log_sum
