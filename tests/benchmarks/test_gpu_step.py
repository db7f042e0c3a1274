"""The rows of a GPU: images a second, and the share of the matrix product's speed."""

import pandas as pd
import pytest
import tensorflow as tf

from benchmarks import gpu
from benchmarks.keras_worker import GPU_MATMUL_SIZE


def test_images_per_second_and_share_of_peak_are_medians_over_the_rounds() -> None:
    product = 2 * GPU_MATMUL_SIZE**3 / 1e12  # of a peak of a TFLOP/s
    names = [contender.name for contender in gpu.contenders((28, 28, 1), 2)]
    step = pd.DataFrame({name: [0.01, 0.02, 0.03] for name in names})
    seconds = step.assign(**{name: product for name in names if name.startswith("matmul")})
    found = gpu.compare(seconds, {size: 1e9 / size for size in gpu.BATCH_SIZES})
    assert found.keys() == {"float32", "bfloat16"}
    for part in found.values():
        assert part["matmul_gflops"] == pytest.approx(1000)
        for batch_size in gpu.BATCH_SIZES:
            row = part[str(batch_size)]
            assert row["images_per_second"] == pytest.approx(batch_size / 0.02)
            assert row["share_of_peak"] == pytest.approx(1e9 / 0.02 / 1e12)


def test_without_a_gpu_the_rows_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    assert gpu.measure() is None
    assert capsys.readouterr().out.startswith("left out: the step on a GPU; TensorFlow computes on ")
