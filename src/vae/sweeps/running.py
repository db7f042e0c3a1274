"""One trial: a clone of the checkout in which DVC runs the experiment, which the checkout then receives.

Several `dvc exp run` in one repository disturb each other (treeverse/dvc#10673), also with --temp and in the queue. A
clone has its own references and locks, and shares DVC's cache, with its run cache. Unfinished trainings keep their
state in the checkout, as with `dvc exp run --temp`, so that they resume in a new clone.
"""

import csv
import fcntl
import io
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import pandas as pd
from configobj import ConfigObj
from ruamel.yaml import YAML

from vae.errors import InputError
from vae.history import kept_epoch
from vae.sweeps.checkout import Checkout, git, has_experiment, reference
from vae.sweeps.params import write_params
from vae.sweeps.records import Folder, Record
from vae.sweeps.settings import Trial

HISTORY = "reports/history.csv"
UNFINISHED = ("models/unfinished", "data/evaluation/unfinished")
"""The folders of unfinished work."""
THREADS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")
"""The variables that limit threads where cores cannot."""


class Epochs(NamedTuple):
    """What a training has done so far."""

    losses: list[float]
    """The validation loss of each epoch, in nats per image."""
    ended: bool
    """Whether nothing more will come."""


class Run:
    """A running trial.

    Args:
        checkout: the user's checkout.
        folder: the folder of the sweep.
        trial: the trial.
        stages: the stages to run.
        threads: the number of its cores.
    """

    def __init__(self, checkout: Checkout, folder: Folder, trial: Trial, stages: list[str], threads: int) -> None:
        self.checkout, self.folder, self.trial = checkout, folder, trial
        self.clone = folder.clone(trial.name)
        self.locks = [_locked(folder.lock(trial.name), wait=True)]
        try:
            cores, locks = _cores(folder, threads)
            self.locks += locks
            self.committed = make_clone(checkout, self.clone, trial)
            self.process = self._start(stages, cores, threads)
        except BaseException:
            self._release()
            raise

    def _start(self, stages: list[str], cores: str, threads: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dvc", "exp", "run", "--name", self.trial.name, *stages]
        environment = os.environ | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "DVC_SITE_CACHE_DIR": str(self.clone / ".dvc/tmp/site"),
            "DVC_NO_ANALYTICS": "1",
            "PYTHONUTF8": "1",
        }
        if not cores:
            environment |= dict.fromkeys(THREADS, str(threads))
        log = self.folder.log(self.trial.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "vae.sweeps.guard", cores, *command],
                cwd=self.clone,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno() for lock in self.locks],
            )

    def epochs(self) -> Epochs:
        """Return what the training has done so far."""
        ended = self.process.poll() is not None  # first, so that nothing is missed
        history = read_history(self.clone)
        # DVC brings the committed history back for a moment, while it looks for changes.
        return Epochs(losses(history) if ended or history != self.committed else [], ended)

    def collect(self) -> Record:
        """Return how the trial has ended, which it has, and bring its experiment to the checkout if it succeeded."""
        found, status, history = self.epochs().losses, self.process.returncode, read_history(self.clone)
        self.kill()
        if not status:
            fetch(self.checkout, self.clone, self.trial.name)
            return Record("finished", found, kept=float(kept_epoch(pd.read_csv(io.StringIO(history))).val_loss))
        shutil.rmtree(self.clone, ignore_errors=True)
        return Record("failed", found, failure(self.folder.log(self.trial.name), status))

    def kill(self) -> None:
        """End all processes of the trial, if any are left."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        assert self.process.stdin
        self.process.stdin.close()
        self._release()
        _locked(self.folder.lock(self.trial.name), wait=True).close()  # until no process of the guard holds it

    def _release(self) -> None:
        for lock in self.locks:
            lock.close()


def make_clone(checkout: Checkout, clone: Path, trial: Trial) -> str:
    """Make the clone of a trial, with its parameters and without what other parameters have given.

    Returns:
        The history of the commit, as text.
    """
    shutil.rmtree(clone, ignore_errors=True)
    clone.parent.mkdir(parents=True, exist_ok=True)
    git(checkout.root, "clone", "--quiet", "--no-checkout", str(checkout.root), str(clone))
    git(clone, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", checkout.commit)
    for key, value in checkout.git_config.items():
        git(clone, "config", key, value)
    config = ConfigObj({"cache": checkout.cache_config | {"dir": checkout.cache}})
    with (clone / ".dvc/config.local").open("wb") as file:
        config.write(file)
    for name in UNFINISHED:
        (checkout.root / name).mkdir(parents=True, exist_ok=True)
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).symlink_to(checkout.root / name)
    write_params(clone / "params.yaml", trial.settings, clone / "params.yaml")
    _link_data_set(checkout, clone)
    history = read_history(clone)
    for name in checkout.stale:
        (clone / name).unlink(missing_ok=True)
    return history


def _link_data_set(checkout: Checkout, clone: Path) -> None:
    """Link images at a relative path, such as ../photos, so that the clone finds them there too."""
    dataset = YAML(typ="safe").load(clone / "params.yaml")["prepare"]["dataset"]
    images, link = checkout.root / dataset, Path(os.path.normpath(clone / dataset))
    if images.exists() and not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another trial was faster
            link.symlink_to(images)


def fetch(checkout: Checkout, clone: Path, name: str) -> None:
    """Bring an experiment from a clone to the checkout, then remove the clone.

    Raises:
        InputError: there is no such experiment, or git fails.
    """
    if not has_experiment(clone, checkout.commit, name):
        raise InputError(f"DVC has made no experiment {name}, as its parameters equal the last commit's.")
    branch = reference(checkout.commit, name)
    # Without FETCH_HEAD, which another trial may be writing, and git's maintenance, which it may be running.
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
    git(checkout.root, "fetch", *options, str(clone), f"+{branch}:{branch}")
    shutil.rmtree(clone, ignore_errors=True)


def save_stopped(checkout: Checkout, folder: Folder, trial: Trial) -> None:
    """Make an experiment of a trial that was stopped: its parameters and its history so far, and no results.

    Its dvc.lock says nothing of the training, so that `dvc repro` continues it.
    """
    clone = folder.clone(trial.name)
    with _locked(folder.lock(trial.name), wait=True):
        (clone / ".git/index.lock").unlink(missing_ok=True)  # left by a git that was killed
        if git(clone, "rev-parse", "HEAD") == checkout.commit:  # otherwise a kill came after the commit
            git(clone, "add", "--update")
            message = ("--quiet", "--no-verify", "--no-gpg-sign", "--message", f"sweep: {trial.name}, stopped")
            git(clone, "commit", *message)
        git(clone, "update-ref", reference(checkout.commit, trial.name), "HEAD")
        fetch(checkout, clone, trial.name)


def read_history(clone: Path) -> str:
    """Return the text of a clone's history, which is empty if there is none."""
    try:
        return (clone / HISTORY).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def losses(history: str) -> list[float]:
    """Return the validation loss of each epoch in the text of a history."""
    return [float(row["val_loss"]) for row in csv.DictReader(history.splitlines())]


def failure(log: Path, status: int) -> str:
    """Return the sentence that says why a command failed: the stage's, or else DVC's, or else the last line."""
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    found = [line.strip() for line in lines if line.strip()] or [f"it ended with status {status}"]
    for start in ("error: ", "ERROR: "):
        if said := [line for line in found if line.startswith(start)]:
            return said[0].removeprefix(start)
    return found[-1]


def _locked(path: Path, wait: bool) -> IO[bytes]:
    """Return an open file with a lock, which all processes that inherit it hold.

    Raises:
        BlockingIOError: another process holds it, and we do not wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        lock.close()
        raise
    return lock


def _cores(folder: Folder, threads: int) -> tuple[str, list[IO[bytes]]]:
    """Return the numbers of cores that no other trial of the sweep uses on this machine, and the lock on them.

    They are empty if there are not enough, or where a process cannot be kept on some cores, as on macOS.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    for start in range(0, len(allowed) - threads + 1, threads):
        try:
            lock = _locked(folder.lock(f"cores-{os.uname().nodename}-{start}"), wait=False)
        except BlockingIOError:
            continue
        return ",".join(map(str, allowed[start : start + threads])), [lock]
    return "", []
