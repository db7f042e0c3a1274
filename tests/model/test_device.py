"""The line about the device that TensorFlow computes on."""

import os
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from vae.model import runtime


@pytest.fixture(autouse=True)
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the only driver file that is searched for. The file does not exist yet."""
    path = tmp_path / "version"
    monkeypatch.setattr(runtime, "GPU_DRIVERS", (str(path),))
    return path


@pytest.mark.parametrize(("cores", "line"), [({0}, "1 CPU core"), ({0, 3}, "2 CPU cores")])
def test_cores_that_this_process_may_use_are_counted(
    monkeypatch: pytest.MonkeyPatch, cores: set[int], line: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: cores, raising=False)
    assert runtime.device() == line


def test_a_gpu_is_mentioned_if_its_libraries_are_missing_and_it_is_not_hidden(
    driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert runtime.device().endswith(
        "; TensorFlow cannot load the libraries of this machine's GPU: see docs/troubleshooting.md"
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "GPU" not in runtime.device()


def test_the_gpus_in_use_are_named(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.touch()
    devices: list[dict[str, Any]] = [{"device_name": "NVIDIA T4"}, {}]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: devices if kind == "GPU" else [])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: device)
    assert runtime.device() == "GPU NVIDIA T4"
    assert runtime.device(2) == "GPU NVIDIA T4, GPU unknown"
