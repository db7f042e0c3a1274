import numpy as np
import pandas as pd
import pytest

from benchmarks.scaling import exponent


@pytest.mark.parametrize("power", [0.5, 1.0, 1.7])
def test_the_exponent_of_a_power_law_is_its_power(power: float) -> None:
    images = np.array([1250, 2500, 5000, 10_000])
    assert exponent(pd.Series(3.2 * images**power, index=images)) == pytest.approx(power)
