"""The files in cluster/ start what they say, with the addresses of all workers."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ADDRESSES = ["node-1:2222", "node-2:2222"]


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """Return a folder with cluster/, and with programs that only print what they are and what they get."""
    shutil.copytree(root / "cluster", tmp_path / "cluster")
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("dvc", "python"):
        program(programs / name, f'echo "{name} $* $TF_CONFIG"')
    return tmp_path


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True)


def config(index: int, addresses: list[str]) -> dict[str, Any]:
    return {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}


@pytest.mark.parametrize(
    ("index", "command"), [(0, "dvc repro --force --single-item train "), (1, "python src/train.py ")]
)
def test_worker_runs_the_stage_as_one_of_the_workers(checkout: Path, index: int, command: str) -> None:
    done = run(checkout.parent, str(checkout / "cluster/worker.sh"), str(index), *ADDRESSES)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(command)
    assert json.loads(done.stdout.removeprefix(command)) == config(index, ADDRESSES)


@pytest.mark.parametrize(
    "arguments",
    [[], ["0", ADDRESSES[0]], [*ADDRESSES, "node-3:2222"], ["-1", *ADDRESSES], ["00", *ADDRESSES], ["2", *ADDRESSES]],
)
def test_worker_explains_its_arguments(checkout: Path, arguments: list[str]) -> None:
    done = run(checkout, "cluster/worker.sh", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: cluster/worker.sh INDEX HOST:PORT HOST:PORT ...\n"


def test_slurm_starts_a_worker_on_each_node(checkout: Path) -> None:
    programs = checkout / "slurm"
    programs.mkdir()
    program(programs / "scontrol", 'test "$*" = "show hostnames node-[1-2]" && printf "node-1\\nnode-2\\n"')
    limits = 'test "$SRUN_CPUS_PER_TASK $TF_NUM_INTRAOP_THREADS" = "8 8" || exit 3'
    program(
        programs / "srun",
        limits + '\ntest "$1" = --kill-on-bad-exit=1 && shift\nfor i in 0 1; do SLURM_PROCID=$i "$@"; done',
    )
    variables = {
        "SLURM_SUBMIT_DIR": str(checkout),
        "SLURM_JOB_ID": "2222",
        "SLURM_CPUS_PER_TASK": "8",
        "SLURM_JOB_NODELIST": "node-[1-2]",
    }
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = run(checkout, "bash", "cluster/slurm/train.sbatch", PATH=path, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    configs = [json.loads(line[line.index("{") :]) for line in done.stdout.splitlines()]
    assert configs == [config(index, ["node-1:22222", "node-2:22222"]) for index in (0, 1)]


def test_kubernetes_runs_the_stage_in_the_chief_and_the_script_in_the_workers(root: Path) -> None:
    job = yaml.safe_load((root / "cluster/kubernetes/train.yaml").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "TFJob")
    pods = {kind: replicas["template"]["spec"] for kind, replicas in job["spec"]["tfReplicaSpecs"].items()}
    containers = {kind: pod["containers"][0] for kind, pod in pods.items()}
    assert {container["name"] for container in containers.values()} == {"tensorflow"}  # where TF_CONFIG is set
    assert containers["Chief"]["command"][-1].endswith("dvc repro --force --single-item train")
    assert containers["Worker"]["command"] == [".venv/bin/python", "src/train.py"]
    for pod in pods.values():
        (threads,) = (entry["value"] for entry in pod["containers"][0]["env"])
        assert threads == pod["containers"][0]["resources"]["limits"]["cpu"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == volumes


@pytest.mark.parametrize("script", ["cluster/worker.sh", "cluster/slurm/train.sbatch"])
def test_scripts_have_no_errors_of_syntax(root: Path, script: str) -> None:
    first = (root / script).read_text(encoding="utf-8").splitlines()[0]
    assert run(root, first.removeprefix("#!"), "-n", script).returncode == 0
