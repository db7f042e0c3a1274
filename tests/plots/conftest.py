"""Fixtures for the tests of the figures."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def noise() -> Callable[..., NDArray[np.float32]]:
    """Return images of noise, (*shape, 8, 6, 1)."""

    def draw(*shape: int) -> NDArray[np.float32]:
        return np.random.default_rng(0).uniform(size=(*shape, 8, 6, 1)).astype("float32")

    return draw


@pytest.fixture(scope="session")
def dimensions() -> Callable[..., pd.DataFrame]:
    """Return a table of latent dimensions with these KLs, the last dimension first."""

    def table(kl: Sequence[float], active: Sequence[bool] | bool = True) -> pd.DataFrame:
        return pd.DataFrame(
            {"dimension": np.arange(len(kl))[::-1], "kl": kl, "standard_error": 0.1, "active": active},
            np.arange(len(kl)),
        )

    return table
