import math
from typing import Any

import numpy as np
import pytest

from tests.training.small_training import train_settings
from vae.training.schedules import learning_rate_schedule


def schedule(**changes: Any) -> Any:
    """Return the schedule for 10 epochs of 100 images in batches of 8: 130 steps, of which 26 warm up."""
    return learning_rate_schedule(train_settings(**{"epochs": 10} | changes), 100)


def test_constant_schedule_is_the_learning_rate_itself() -> None:
    assert schedule(schedule="constant") == 0.01


def test_cosine_schedule_rises_linearly_then_falls_as_a_half_cosine() -> None:
    cosine, steps = schedule(schedule="cosine"), np.arange(131)
    expected = [
        0.01 * step / 26 if step < 26 else 0.01 * 0.5 * (1 + math.cos(math.pi * (step - 26) / 104)) for step in steps
    ]
    np.testing.assert_allclose([float(cosine(step)) for step in steps], expected, atol=1e-8)


def test_trapezoid_rises_stays_and_falls_in_straight_lines() -> None:
    trapezoid = schedule(schedule="trapezoid")  # the falling half is the last 65 steps
    steps, shares = [0, 13, 26, 50, 65, 78, 117, 130, 200], [0, 0.5, 1, 1, 1, 0.8, 0.2, 0, 0]
    np.testing.assert_allclose([float(trapezoid(step)) for step in steps], 0.01 * np.array(shares), atol=1e-9)
    assert type(trapezoid).from_config(trapezoid.get_config())(40) == trapezoid(40)


def test_trapezoid_with_a_long_warmup_is_a_triangle() -> None:
    triangle = schedule(schedule="trapezoid", warmup=0.8)
    rates = [float(triangle(step)) for step in (0, 52, 104, 117, 130)]
    np.testing.assert_allclose(rates, [0, 0.005, 0.01, 0.005, 0], atol=1e-9)


@pytest.mark.parametrize("name", ["trapezoid", "cosine"])
def test_a_schedule_without_warmup_starts_at_the_peak(name: str) -> None:
    assert float(schedule(schedule=name, warmup=0.0)(0)) == pytest.approx(0.01)
