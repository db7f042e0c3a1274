"""What a sweep needs to know about the user's checkout: its commit, its DVC, its git."""

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vae.errors import InputError

EXPERIMENTS = "refs/exps"
"""Where DVC keeps experiments in git: refs/exps/<first two digits of the base commit>/<the others>/<name>."""


class Checkout(NamedTuple):
    """The user's checkout as the trials need it."""

    root: Path
    """Its absolute path, the same on all machines."""
    commit: str
    """The commit that all trials start from."""
    cache: str
    """The folder of DVC's cache."""
    cache_config: dict[str, str]
    """What DVC's `config.local` says of its cache. What it says of remotes may be secret, and no trial needs it."""
    git_config: dict[str, str]
    """The name and the address under which experiments are committed."""
    stale: tuple[str, ...]
    """The files in git that are outputs of stages which the trials' settings change."""


def git(root: Path | str, *arguments: str) -> str:
    """Return what git prints.

    Raises:
        InputError: it failed, or there is no git.
    """
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise InputError("git is not installed, but experiments need it.") from None
    if done.returncode:
        reason = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise InputError(f"`git {arguments[0]}` failed in {root}: {reason}")
    return done.stdout.strip()


def reference(commit: str, name: str) -> str:
    """Return the reference of the experiment of that name which starts from the commit."""
    return f"{EXPERIMENTS}/{commit[:2]}/{commit[2:]}/{name}"


def experiments(root: Path | str) -> set[str]:
    """Return the names of all experiments in a repository."""
    return {name.rpartition("/")[2] for name in git(root, "for-each-ref", "--format=%(refname)", EXPERIMENTS).split()}


def has_experiment(root: Path | str, commit: str, name: str) -> bool:
    """Return whether a repository has an experiment of that name which starts from the commit."""
    return bool(git(root, "for-each-ref", reference(commit, name)))


def committed(root: Path) -> str:
    """Return the commit of the checkout, which has no changes that a clone would not have.

    Raises:
        InputError: it has such changes, no commit, or is not a checkout of a DVC project.
    """
    if not (root / "dvc.yaml").is_file() or not (root / ".git").exists():
        raise InputError("this folder is not a git repository with a dvc.yaml: run vae sweep in the project's folder.")
    try:
        commit = git(root, "rev-parse", "--verify", "HEAD")
    except InputError:
        raise InputError("this git repository has no commit, from which experiments start: commit first.") from None
    if changed := git(root, "status", "--porcelain", "--untracked-files=no").splitlines():
        files = ", ".join(line.split(maxsplit=1)[1] for line in changed[:3]) + (", …" if len(changed) > 3 else "")
        raise InputError(
            f"{files} differ{'s' if len(changed) == 1 else ''} from the last commit, from which all trials start: "
            "commit the changes, or put settings under sweep.fixed."
        )
    return commit


def inspect_checkout(root: Path, commit: str, stages: Sequence[str], keys: Iterable[str]) -> Checkout:
    """Return what the trials need to know about a checkout.

    Args:
        root: its folder.
        commit: the commit that the trials start from.
        stages: the stages that the trials run.
        keys: the dotted keys of `params.yaml` that they change.

    Raises:
        InputError: DVC cannot read the project, a stage does not exist, or git knows no name for the user.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            named = {stage.addressing: stage for stage in repo.index.stages}
            if unknown := [name for name in stages if name not in named]:
                raise InputError(
                    f"sweep.stages contains {unknown[0]}, but the stages of dvc.yaml are {', '.join(sorted(named))}."
                )
            if named["train"] not in _reached({named[name] for name in stages}, repo.index.graph.successors):
                raise InputError(
                    f"sweep.stages is {', '.join(stages)}, but a sweep compares validation losses: it must contain "
                    "train or a stage that depends on it."
                )
            return Checkout(
                root=root,
                commit=commit,
                cache=repo.cache.local_cache_dir,
                cache_config={name: str(value) for name, value in repo.config.read("local").get("cache", {}).items()},
                git_config=_identity(root),
                stale=_stale(repo, set(keys)),
            )
    except DvcException as error:
        raise InputError(f"DVC cannot read this project: {' '.join(str(error).split())}") from None


def _stale(repo: Any, keys: set[str]) -> tuple[str, ...]:
    """Return the outputs in git of the stages that changed keys affect, and of the stages after them."""
    graph = repo.index.graph  # from each stage to those that it depends on
    changed = _reached({stage for stage in graph if any(_is_read(stage, key) for key in keys)}, graph.predecessors)
    return tuple(sorted(out.def_path for stage in changed for out in stage.outs if not out.use_cache))


def _reached(stages: set[Any], following: Callable[[Any], Iterable[Any]]) -> set[Any]:
    """Return the stages, and all that follow them in the graph."""
    reached, pending = set(stages), [*stages]
    while pending:
        new = set(following(pending.pop())) - reached
        reached |= new
        pending += new
    return reached


def _is_read(stage: Any, key: str) -> bool:
    read = [name for dependency in stage.params for name in dependency.params or ()]
    # A value in a path, such as ${prepare.dataset}, belongs to a section that the stage declares as well.
    return any(key == name or key.startswith(f"{name}.") for name in read)


def _identity(root: Path) -> dict[str, str]:
    """Return git's name and address of the user."""
    found = {}
    for key, variable in (("user.name", "NAME"), ("user.email", "EMAIL")):
        try:
            value = os.environ.get(f"GIT_COMMITTER_{variable}") or git(root, "config", key)
        except InputError:
            raise InputError(
                "git has no user.name or user.email, which experiments need: run git config --global user.name NAME, "
                "and git config --global user.email ADDRESS."
            ) from None
        found[key] = re.sub(r"\s+", " ", value)
    return found
