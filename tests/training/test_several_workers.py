"""Workers in processes of their own, connected by loopback: what they train, and what happens when one is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from vae.data.shards import save_split
from vae.errors import InputError
from vae.training.cluster import read_cluster
from vae.training.distribution import connected

pytestmark = pytest.mark.slow

EPOCHS = 12
SIZES = {"train": 247, "validation": 101}
LOST = (
    "error: another worker has ended or cannot be reached; start all workers again, and the training resumes after its "
    "last finished epoch.\n"
)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


class Cluster:
    """Workers that each have a folder of their own, as on machines without a common disk."""

    def __init__(self, root: Path, folder: Path, workers: int, settings: dict[str, Any]) -> None:
        self.root, self.folders = root, [folder / str(index) for index in range(workers)]
        rng = np.random.default_rng(0)
        params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
        params["model"] |= {"architecture": "mlp", "latent_dim": 2}
        params["train"] |= {"epochs": EPOCHS, "patience": EPOCHS, "batch_size": 20}
        params["train"] |= {"optimizer": "adam", "learning_rate": 1e-3} | settings
        splits = {name: rng.uniform(size=(n, 8, 8, 1)).astype(np.float32) for name, n in SIZES.items()}
        for own in self.folders:
            own.mkdir(parents=True)
            for name, images in splits.items():
                save_split(own / f"data/prepared/{name}.npz", images, None, np.array([], np.str_))
            (own / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
            (own / "data/random_weights.txt").write_text("", encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[list[subprocess.Popen[str]]]:
        """Start the workers, and kill those that are left at the end."""
        self.addresses = [f"127.0.0.1:{port}" for port in free_ports(len(self.folders))]
        workers = [self.start(index) for index in range(len(self.folders))]
        try:
            yield workers
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()

    def start(self, index: int) -> subprocess.Popen[str]:
        config = {"cluster": {"worker": self.addresses}, "task": {"type": "worker", "index": index}}
        return subprocess.Popen(
            [sys.executable, str(self.root / "src/train.py")],
            cwd=self.folders[index],
            env=os.environ | {"TF_CONFIG": json.dumps(config)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> list[str]:
        """Return what each worker prints in a training to the end."""
        with self.running() as workers:
            outputs = [worker.communicate(timeout=300) for worker in workers]  # on a busy machine
        assert [worker.returncode for worker in workers] == [0] * len(workers), outputs
        return [output for output, _ in outputs]

    def history(self) -> pd.DataFrame:
        return pd.read_csv(self.folders[0] / "reports/history.csv")

    def files(self, index: int) -> set[str]:
        own = self.folders[index]
        return {path.relative_to(own).as_posix() for path in own.rglob("*") if path.is_file()}

    def kill(self, victim: int, epochs: int) -> tuple[str, float]:
        """Kill a worker after so many more epochs and start it again at once, while the other is shutting down.

        Return what the other prints on stderr, and after how many seconds it ends.
        """
        history = self.folders[0] / "reports/history.csv"
        before = len(pd.read_csv(history)) if history.exists() else 0
        with self.running() as workers:
            deadline = time.monotonic() + 300
            while not (history.exists() and len(pd.read_csv(history)) >= before + epochs):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            workers[victim].kill()
            killed = time.monotonic()
            other = workers[1 - victim]
            workers.append(self.start(victim))
            _, errors = other.communicate(timeout=90)
            assert other.returncode == 1
            return errors, time.monotonic() - killed


@pytest.fixture(scope="module")
def one_worker(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return a training on one worker."""
    cluster = Cluster(root, tmp_path_factory.mktemp("one"), 1, {"strategy": "none"})
    cluster.run()
    return cluster


@pytest.fixture(scope="module")
def two_workers(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return a training on two workers."""
    cluster = Cluster(root, tmp_path_factory.mktemp("two"), 2, {"strategy": "multi_worker"})
    outputs = cluster.run()
    assert "1 of 2 replicas" in outputs[0]
    return cluster


def test_two_workers_compute_the_losses_of_one(one_worker: Cluster, two_workers: Cluster) -> None:
    np.testing.assert_allclose(two_workers.history(), one_worker.history(), rtol=1e-5)


def test_four_workers_compute_the_losses_of_one(root: Path, tmp_path: Path, one_worker: Cluster) -> None:
    cluster = Cluster(root, tmp_path, 4, {"strategy": "multi_worker"})
    outputs = cluster.run()
    assert "1 of 4 replicas" in outputs[0]
    np.testing.assert_allclose(cluster.history(), one_worker.history(), rtol=1e-5)


def test_only_the_chief_writes(two_workers: Cluster) -> None:
    given = {"params.yaml", "data/random_weights.txt", *(f"data/prepared/{name}" for name in prepared())}
    assert two_workers.files(0) == given | {"models/vae.keras", "models/.training.lock", "reports/history.csv"}
    assert two_workers.files(1) == given


def prepared() -> list[str]:
    return [name for split in SIZES for name in (f"{split}.npz", f"{split}.shards/files.txt")]


def test_a_killed_worker_ends_the_other_and_they_resume_to_the_same_bytes(
    root: Path, tmp_path: Path, two_workers: Cluster
) -> None:
    cluster = Cluster(root, tmp_path, 2, {"strategy": "multi_worker"})
    for victim, epochs in ((1, 1), (0, 2)):
        errors, seconds = cluster.kill(victim, epochs)
        assert errors == LOST
        assert seconds < 60
    outputs = cluster.run()
    assert "Resuming after epoch" in outputs[0]
    for name in ("models/vae.keras", "reports/history.csv"):
        assert (cluster.folders[0] / name).read_bytes() == (two_workers.folders[0] / name).read_bytes()


def test_workers_with_different_parameters_are_refused(root: Path, tmp_path: Path) -> None:
    cluster = Cluster(root, tmp_path, 2, {"strategy": "multi_worker"})
    params = cluster.folders[1] / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("latent_dim: 2", "latent_dim: 3"), encoding="utf-8")
    with cluster.running() as workers:
        chief, other = (worker.communicate(timeout=120)[1] for worker in workers)
    assert other == (
        "error: worker 1 has other parameters, data, code, libraries or TF_... variables than the chief: all workers "
        "need the same commit, params.yaml, data/prepared and environment.\n"
    )
    assert chief == LOST
    assert [worker.returncode for worker in workers] == [1, 1]


def test_the_chief_does_not_wait_forever_for_a_worker_who_never_starts() -> None:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    assert chief_alone(addresses) == (
        f"error: the other workers ({addresses[1]}) did not connect within 1 s; start all workers, and check the "
        "addresses in TF_CONFIG.\n"
    )


def test_ctrl_c_ends_a_worker_that_waits_for_the_others() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CONNECT.format(patience=300)],
        env=os.environ | {"TF_CONFIG": chief_of([f"127.0.0.1:{port}" for port in free_ports(2)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout
        assert "connects to the other workers" in worker.stdout.readline()
        while subprocess.run(["pgrep", "-P", str(worker.pid)], stdout=subprocess.DEVNULL).returncode:
            time.sleep(0.05)  # until the shell that would print the sentence has started
        time.sleep(1)  # TensorFlow connects
        worker.send_signal(signal.SIGINT)
        _, errors = worker.communicate(timeout=60)
    assert (worker.returncode, errors) == (-signal.SIGINT, "")


def test_a_worker_whose_address_is_in_use_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        sentence = chief_alone([taken, f"127.0.0.1:{free_ports(1)[0]}"])
    assert sentence == (
        f"error: this worker cannot listen at its address in TF_CONFIG, {taken} (Could not start gRPC server): is it "
        "another machine's, or does another program use the port?\n"
    )


CONNECT = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)  # as vae/__init__.py does for the project's scripts\n"
    "import vae.stage, vae.training.distribution as d; d.PATIENCE = {patience}\n"
    "vae.stage.run_stage(lambda: d.connected('multi_worker').__enter__())"
)


def chief_of(addresses: list[str]) -> str:
    """Return `TF_CONFIG` of the first worker."""
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 0}})


def chief_alone(addresses: list[str]) -> str:
    """Return what the chief prints on stderr if it connects for a second, and fails."""
    done = subprocess.run(
        [sys.executable, "-c", CONNECT.format(patience=1)],
        env=os.environ | {"TF_CONFIG": chief_of(addresses)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (None, "not set"),
        ("{", "{"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', '{"cluster": {"worker": ["a:1", "b:1"]}}'),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', None),
        ('{"cluster": {"worker": ["a:b", "b:1"]}, "task": {"type": "worker", "index": 1}}', None),
        ('{"cluster": {"worker": ["a:1x", "b:1"]}, "task": {"type": "worker", "index": 1}}', None),
        ('{"cluster": {"worker": ["a", "b"]}, "task": {"type": "worker", "index": 1}}', None),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}', None),
    ],
)
def test_a_wrong_cluster_is_refused(config: str | None, found: str | None) -> None:
    with pytest.raises(InputError) as refused:
        read_cluster(config or "")
    assert str(refused.value).startswith(
        f"train.strategy is multi_worker, but the environment variable TF_CONFIG is {found or config}; it must "
    )


def test_two_workers_at_one_address_are_refused() -> None:
    cluster = {"worker": ["a:1", "b:2", "a:1"]}
    with pytest.raises(
        InputError, match=r"^TF_CONFIG lists a:1 twice, but each worker must have an address of its own"
    ):
        read_cluster(json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 1}}))


def test_workers_that_would_each_train_alone_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    sentence = "TF_CONFIG lists 2 workers, but train.strategy is none: set it to multi_worker, or unset TF_CONFIG."
    with pytest.raises(InputError, match=f"^{sentence}$"), connected("none"):
        pass
    monkeypatch.setenv("TF_CONFIG", "of another program")
    with connected("none") as workers:
        assert workers.total == 1


def test_the_chief_comes_first_among_the_workers() -> None:
    cluster = {"worker": ["a:1", "b:2"], "chief": ["c:3"]}
    for task, place in ((("chief", 0), 0), (("worker", "0"), 1), (("worker", 1), 2)):
        config = {"cluster": cluster, "task": dict(zip(("type", "index"), task, strict=True))}
        assert read_cluster(json.dumps(config)) == (["c:3", "a:1", "b:2"], place)
