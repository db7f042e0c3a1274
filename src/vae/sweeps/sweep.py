"""A sweep from its file to its table."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tqdm import tqdm

from vae.errors import InputError
from vae.settings.__main__ import SECTIONS
from vae.settings.loader import validate
from vae.sweeps.checkout import Checkout, committed, experiments, git, has_experiment, inspect_checkout
from vae.sweeps.params import check_params
from vae.sweeps.records import Folder, Record
from vae.sweeps.running import save_stopped
from vae.sweeps.settings import Sweep, Trial, read_sweep
from vae.sweeps.table import describe, table


def run_sweep(path: Path, address: str | None = None, dry_run: bool = False) -> None:
    """Run the trials of a sweep that have not finished, and print a table of all.

    Args:
        path: the file of the sweep.
        address: the address of a Ray cluster; None uses this machine.
        dry_run: only print the trials.

    Raises:
        InputError: the file, a setting or the checkout is not as it must be; or a trial failed.
    """
    root = Path.cwd()
    sweep, trials = read_sweep(path)
    folder = Folder(root, sweep.name)
    if began := _began(path, root, sweep, trials, folder):
        epochs = _epochs_at(began, trials)
    else:
        validate("params.yaml", SECTIONS, others="forbid")
        checked = tqdm(trials, desc="check", unit="trial", delay=2, leave=False, disable=None)
        epochs = {trial.name: _checked(path, trial) for trial in checked}
    _check_asha(path, sweep, max(epochs.values()))
    if dry_run:
        for trial in trials:
            print(f"{trial.name}: {trial.description()}")
        return
    threads = _threads(path, sweep, address)
    tune = _require_ray()
    with folder.exclusive():
        checkout = _began(path, root, sweep, trials, folder) or _begin(path, root, sweep, trials, folder)
        pending = _pending(checkout, folder, trials)
        done = len(trials) - len(pending)
        print(f"{len(trials)} trials{f', {done} of them from an earlier run' if done else ''}", flush=True)
        for name in pending:
            folder.forget(name)
        if pending:
            work = tune.Work(checkout, folder, {trial.name: trial for trial in trials}, sweep.stages, threads)
            tune.run_trials(work, pending, sweep, epochs, address, describe)
            shutil.rmtree(folder.ray, ignore_errors=True)  # nothing in it is needed again
            _pending(checkout, folder, trials)
    records = {trial.name: folder.read(trial.name) for trial in trials}
    _report(trials, records, folder)


def _epochs_at(checkout: Checkout, trials: list[Trial]) -> dict[str, int]:
    """Return the epochs of each trial at most, by the params.yaml of the commit that all start from.

    That of the checkout may have changed since the sweep began, when the trials were checked.
    """
    params = YAML(typ="safe").load(git(checkout.root, "show", f"{checkout.commit}:params.yaml"))
    return {trial.name: int(trial.settings.get("train.epochs", params["train"]["epochs"])) for trial in trials}


def _checked(path: Path, trial: Trial) -> int:
    """Return the epochs of a trial at most."""
    try:
        return check_params(Path("params.yaml"), trial.settings)
    except InputError as error:
        raise InputError(f"{path}: {trial.name}: {error}") from None


def _check_asha(path: Path, sweep: Sweep, longest: int) -> None:
    if sweep.reduction_factor and sweep.grace_period >= longest:
        raise InputError(
            f"{path}: sweep.grace_period is {sweep.grace_period}, but must be less than train.epochs, {longest}, or "
            "ASHA stops no trial; or set sweep.reduction_factor to null."
        )


def _threads(path: Path, sweep: Sweep, address: str | None) -> int:
    """Return the cores of each trial."""
    if sweep.threads:
        return sweep.threads
    if address:
        raise InputError(f"{path}: sweep.threads is null, but on a cluster it must be the number of cores of a trial.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // sweep.workers)


def _require_ray() -> Any:
    try:
        from vae.sweeps import asha
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "ray"
        raise InputError(
            f"ray, which a sweep needs, {'is not installed' if missing else f'cannot be imported ({error})'}: run "
            "make sweep-packages in this project's repository, or pip install '.[sweep]' in a clone of it."
        ) from None
    return asha


def _plan(sweep: Sweep, trials: list[Trial]) -> dict[str, Any]:
    """Return what must not change while a sweep is not finished."""
    return {"trials": {trial.name: trial.settings for trial in trials}, "stages": sweep.stages}


def _began(path: Path, root: Path, sweep: Sweep, trials: list[Trial], folder: Folder) -> Checkout | None:
    """Return what the trials started from if the sweep has begun before, or None.

    Raises:
        InputError: it has begun with other trials.
    """
    began = folder.read_plan()
    if began is None:
        return None
    if began["plan"] != _plan(sweep, trials):
        raise InputError(
            f"{path}: sweep.name is {sweep.name}, but a sweep of that name has other trials: choose another name, or "
            f"remove {folder.path.relative_to(root)} and its experiments."
        )
    return Checkout(**began["checkout"])._replace(root=root)


def _begin(path: Path, root: Path, sweep: Sweep, trials: list[Trial], folder: Folder) -> Checkout:
    """Return what the trials start from, and remember it."""
    commit = committed(root)
    if taken := sorted(experiments(root) & {trial.name for trial in trials}):
        raise InputError(
            f"{path}: sweep.name is {sweep.name}, but there is an experiment {taken[0]}: choose another name, or "
            "remove the experiment by dvc exp remove."
        )
    keys = {key for trial in trials for key in trial.settings}
    checkout = inspect_checkout(root, commit, sweep.stages, keys)
    folder.write_plan({"plan": _plan(sweep, trials), "checkout": checkout._asdict() | {"root": None}})
    return checkout


def _pending(checkout: Checkout, folder: Folder, trials: list[Trial]) -> list[str]:
    """Return the trials that are left to run, which includes those that failed; save those that ASHA stopped."""
    names = []
    for trial in trials:
        record = folder.read(trial.name)
        saved = record is not None and has_experiment(checkout.root, checkout.commit, trial.name)
        if record and record.status == "stopped" and not saved and folder.clone(trial.name).exists():
            save_stopped(checkout, folder, trial)
        elif not saved:
            names.append(trial.name)
    return names


def _report(trials: list[Trial], records: Mapping[str, Record | None], folder: Folder) -> None:
    """Print the table, and the command that brings the best trial back.

    Raises:
        InputError: a trial failed.
    """
    print(table(trials, records))
    finished = [(record.best, name) for name, record in records.items() if record and record.status == "finished"]
    if found := [(best, name) for best, name in finished if best is not None]:
        print(f"the best is {min(found)[1]}: dvc exp apply {min(found)[1]}")
    if failed := [name for name, record in records.items() if not record or record.status == "failed"]:
        logs = (folder.path / "logs").relative_to(Path.cwd())
        raise InputError(
            f"{len(failed)} of {len(trials)} trials failed: {', '.join(failed)}; what each printed is in {logs}. The "
            "same command tries them again."
        )
