"""The files in `cluster/` that start `vae encode` in parts: run as their schedulers run them, but on this machine."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import vae
from benchmarks.machine import facts
from tests.trained import trained
from vae.cli.app import app
from vae.model.checkpoint import save_model

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "cluster/slurm/encode.sbatch"
JOB = yaml.safe_load((ROOT / "cluster/kubernetes/encode.yaml").read_text(encoding="utf-8"))
CONTAINER: dict[str, Any] = JOB["spec"]["template"]["spec"]["containers"][0]
ENVIRONMENT = {entry["name"]: entry["value"] for entry in CONTAINER["env"]}


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model of convolutions, 1,800 images in three archives, and the environment as .venv."""
    path = tmp_path_factory.mktemp("cluster")
    save_model(trained((28, 28, 1), 10, architecture="tutorial"), path / "models/vae.keras")
    (path / "vae.keras").symlink_to("models/vae.keras")
    (path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        np.savez(path / f"images/{number}.npz", images=rng.integers(0, 256, (600, 28, 28, 1), dtype=np.uint8))
    (path / ".venv").symlink_to(Path(sys.executable).parents[1])
    return path


def test_tasks_of_both_schedulers_with_one_thread_write_what_one_process_with_all_threads_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    whole = vae.encode("images/*.npz")
    slurm = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_CPUS_PER_TASK": "1"}
    first = run(["bash", str(SCRIPT), "2", "latents", "images/*.npz"], folder, **slurm)
    kubernetes = ENVIRONMENT | {"PARTS": "2", "TF_NUM_INTRAOP_THREADS": "1", "JOB_COMPLETION_INDEX": "1"}
    second = run(CONTAINER["command"], folder, **kubernetes)
    written = [result.stderr.splitlines()[-1] for result in (first, second)]
    assert written == ["wrote 1,000 rows to latents/00001.npz", "wrote 800 rows to latents/00002.npz"]
    parts = [np.load(path) for path in sorted(folder.glob("latents/*"))]
    for name, values in whole.items():
        together = np.concatenate([part[name] for part in parts])
        if name == "name" or "avx512f" in facts()["instructions"]:
            np.testing.assert_array_equal(together, values)
        else:  # the number of threads may change the last bits
            np.testing.assert_allclose(together, values, rtol=0, atol=1e-5)


def test_a_failed_part_leaves_the_others_and_a_repeated_one_replaces_its_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "broken").mkdir()
    np.savez(folder / "broken/0.npz", images=np.zeros((500, 28, 28, 1), np.uint8))
    content = (folder / "broken/0.npz").read_bytes()
    (folder / "broken/1.npz").write_bytes(content[:200_000] + b"?" + content[200_001:])  # whose checksum is wrong
    (folder / "others").mkdir()
    for number in "12":
        (folder / f"others/{number}.npz").write_text("former")
    results = [
        CliRunner().invoke(
            app, ["encode", "broken/*.npz", "--part", f"{number}/2", "-o", f"others/{number}.npz", "--force"]
        )
        for number in "12"
    ]
    assert [result.exit_code for result in results] == [0, 1]
    assert results[1].stderr.startswith("error: broken/1.npz is not a readable .npz file (Bad CRC-32")
    assert len(np.load(folder / "others/1.npz")["z_mean"]) == 500
    assert (folder / "others/2.npz").read_text() == "former"
    assert sorted(path.name for path in (folder / "others").iterdir()) == ["1.npz", "2.npz"]


def test_the_job_of_kubernetes_has_the_fields_that_the_parts_need() -> None:
    assert (JOB["apiVersion"], JOB["kind"]) == ("batch/v1", "Job")
    spec = JOB["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] == int(ENVIRONMENT["PARTS"])
    assert spec["backoffLimitPerIndex"] > 0  # otherwise the first index that fails ends the others
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # which a limit for each index requires
    assert CONTAINER["resources"]["limits"]["cpu"] == ENVIRONMENT["TF_NUM_INTRAOP_THREADS"]
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_script_of_slurm_states_what_a_task_needs() -> None:
    options = [
        line.split()[1] for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line.startswith("#SBATCH")
    ]
    assert {option.split("=")[0] for option in options} >= {"--cpus-per-task", "--mem", "--time", "--output"}


@pytest.mark.parametrize(
    ("arguments", "variables"), [([], {"SLURM_ARRAY_TASK_ID": "1"}), (["2", "latents", "images/*.npz"], {})]
)
def test_the_script_of_slurm_explains_its_arguments(
    tmp_path: Path, arguments: list[str], variables: dict[str, str]
) -> None:
    done = run(["bash", str(SCRIPT), *arguments], tmp_path, **variables)
    usage = "usage: sbatch --array=1-PARTS cluster/slurm/encode.sbatch PARTS FOLDER IMAGES ...\n"
    assert (done.returncode, done.stderr) == (2, usage)


def test_tables_of_parts_are_joined_to_the_bytes_of_one_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    def encode(*arguments: str) -> None:
        result = CliRunner().invoke(app, ["encode", "images/0.npz", "--batch-size", "100", *arguments])
        assert result.exit_code == 0, result.output

    encode("--output", "whole.csv")
    for number in (1, 2, 3):
        encode("--part", f"{number}/3", "--output", f"tables/{number}.csv")
    joined = run(["sh", "-c", "awk 'FNR > 1 || NR == 1' tables/*.csv"], folder).stdout
    assert joined == Path("whole.csv").read_text(encoding="utf-8")
