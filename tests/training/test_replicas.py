"""Training on several replicas is the training on one: the same loss, and the same first gradient."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.replica_cases import CASES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the results of one, two and four replicas."""
    folder = tmp_path_factory.mktemp("replicas")
    for replicas in (1, 2, 4):
        command = [sys.executable, "-m", "tests.training.replicated", str(replicas), str(folder)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(
    ("case", "replicas"), [(name, number) for name, case in CASES.items() for number in case.replicas if number > 1]
)
def test_replicas_train_as_one_with_the_whole_batch(trained: Path, case: str, replicas: int) -> None:
    one, several = (np.load(trained / f"{case}, {count}.npz") for count in (1, replicas))
    largest = np.abs(one["gradient"]).max()
    assert largest > 0
    np.testing.assert_allclose(several["gradient"], one["gradient"], rtol=1e-5, atol=1e-5 * largest)
    np.testing.assert_allclose(several["losses"], one["losses"], rtol=1e-5)
    np.testing.assert_allclose(several["weights"], one["weights"], atol=1e-4)
