"""The stage `evaluate` on images that are not 28x28x1: its results in bits per dimension."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vae.data.shards import save_split
from vae.evaluation.likelihood_bounds import bits_per_dimension
from vae.model.checkpoint import save_model
from vae.model.vae import VAE

SHAPE = (33, 47, 3)


@pytest.mark.slow
def test_bits_per_dimension_are_printed_and_written_next_to_nats(root: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((6, *SHAPE), dtype=np.float32)
    save_split(tmp_path / "data/prepared/test.npz", images, None, np.array([], str))
    save_model(VAE(SHAPE, 2), tmp_path / "models/vae.keras")
    shutil.copy(root / "params.yaml", tmp_path)
    command = [sys.executable, str(root / "src/evaluate.py")]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    results = json.loads((tmp_path / "reports/details/evaluate.json").read_text())
    for protocol, file in {"grey": "metrics", "binarized": "binarized"}.items():
        bits, nats = results[protocol]["bits_per_dimension"], results[protocol]
        assert bits["loss"] == pytest.approx(bits_per_dimension(nats["loss"], SHAPE))
        assert f"{protocol}, bits per dimension: loss {bits['loss']:.4f}, importance-weighted " in output
        metrics = json.loads((tmp_path / f"reports/{file}.json").read_text())
        assert metrics["bpd"] == pytest.approx(bits["loss"], rel=1e-5)
