"""Remotes and versions of the model, as docs/sharing.md describes: what one clone pushes, others need not run."""

import hashlib
import re
import shlex
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from repository import SMALL, Repository, stages_run

pytestmark = pytest.mark.slow

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
IDENTITY = {"user.name": "test", "user.email": "test@example.org"}
MODEL = "models/vae.keras"


def document(root: Path) -> str:
    return (root / "docs/sharing.md").read_text(encoding="utf-8")


def run_block(repository: Repository, first: str, replacements: Mapping[str, str]) -> None:
    """Run the block of commands in the document that starts with `first`, with other values in it."""
    (commands,) = re.findall(rf"```console\n *({first}.*?)```", document(repository.path), re.DOTALL)
    for old, new in replacements.items():
        assert old in commands
        commands = commands.replace(old, new)
    for line in filter(None, map(str.strip, commands.splitlines())):
        program, *arguments = shlex.split(line)
        repository.run(*([repository.python, "-m", "dvc"] if program == "dvc" else [program]), *arguments)


def copy_with_identity(repository: Repository, path: Path) -> Repository:
    """Copy a checkout, in which git then knows a name."""
    copy = repository.copy(path)
    for key, value in IDENTITY.items():
        copy.run("git", "config", key, value)
    copy.env = without_settings(copy.env)
    return copy


def without_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without the user's for S3 and proxies. No keys are looked for in Amazon's cloud."""
    kept = {name: value for name, value in env.items() if not name.startswith("AWS_")}
    return kept | {"NO_PROXY": "127.0.0.1", "AWS_EC2_METADATA_DISABLED": "true"}


def clone(repository: Repository, path: Path) -> Repository:
    path.parent.mkdir()
    repository.run("git", "clone", "--quiet", ".", str(path))
    cloned = Repository(path)
    cloned.env = without_settings(cloned.env)
    return cloned


def test_a_clone_pulls_the_results_from_a_folder_and_has_nothing_to_run(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shared")
    ours = copy_with_identity(repository, folder / "ours/repository")
    run_block(ours, "dvc remote add --default team /", {"/shared/vae-pipeline": str(folder / "remote")})
    theirs = clone(ours, folder / "theirs/repository")
    theirs.dvc("pull")
    output = theirs.dvc("repro")
    assert stages_run(output) == []
    assert "up to date" in output
    assert theirs.run("git", "status", "--porcelain") == ""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve S3 on this machine, with a bucket; yield the address."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    with urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT")):  # noqa: S310
        yield address
    running.stop()


@pytest.fixture(scope="module")
def team(compared: Repository, server: str, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a checkout of two commits, with a model each; both runs and models are in S3."""
    ours = copy_with_identity(compared, tmp_path_factory.mktemp("team") / "ours/repository")
    values = {"s3://vae-pipeline/results": "s3://bucket/results", "https://s3.example.org": server}
    run_block(ours, "dvc remote add --default team s3", values | {" KEY": " key", " SECRET": " secret"})
    assert "secret" not in ours.run("git", "show", "HEAD")
    ours.run("git", "commit", "--quiet", "--all", "--message", "slow")  # which the commands above have pushed
    ours.run(ours.python, ".dvc/push_runs.py")
    return ours


def test_a_clone_pulls_from_s3_and_restores_an_earlier_run_instead_of_running_it(
    team: Repository, repository: Repository, tmp_path: Path
) -> None:
    theirs = clone(team, tmp_path / "theirs/repository")
    assert "Unable to locate credentials" in theirs.dvc("pull", status=1)  # they are not in git
    assert not (theirs.path / MODEL).exists()
    theirs.env |= KEYS
    theirs.dvc("pull")
    assert stages_run(theirs.dvc("repro")) == []
    assert theirs.run("git", "status", "--porcelain") == ""
    assert (theirs.path / MODEL).read_bytes() != (repository.path / MODEL).read_bytes()

    theirs.change({"train": {"learning_rate": SMALL["train"]["learning_rate"]}})
    output = theirs.dvc("repro", "--pull")
    assert stages_run(output) == []
    assert "Stage 'train' is cached - skipping run, checking out outputs" in output
    assert (theirs.path / MODEL).read_bytes() == (repository.path / MODEL).read_bytes()
    assert theirs.read_json("metrics") == repository.read_json("metrics")
    assert (theirs.path / "dvc.lock").read_bytes() == (repository.path / "dvc.lock").read_bytes()


def test_a_version_of_the_model_has_a_name(team: Repository, repository: Repository, tmp_path: Path) -> None:
    team.run("gto", "register", "vae", "HEAD~1", "--version", "v0.1.0")
    run_block(team, "gto register", {})
    slow = (team.path / MODEL).read_bytes()
    assert slow != (repository.path / MODEL).read_bytes()

    elsewhere = clone(team, tmp_path / "elsewhere/repository")
    elsewhere.env |= KEYS
    run_block(elsewhere, "dvc artifacts get", {"REPOSITORY": team.path.as_uri(), "v0.2.0": "v0.1.0"})
    for name in ("vae.keras", "same.keras"):
        assert (elsewhere.path / name).read_bytes() == (repository.path / MODEL).read_bytes()
    (code,) = re.findall(r"```python\n(.*?)```", document(team.path), re.DOTALL)
    code = code.replace("REPOSITORY", team.path.as_uri()).replace("import vae\n", "").replace("vae.load", "print")
    elsewhere.run(elsewhere.python, "-c", code)
    assert (elsewhere.path / "vae.keras").read_bytes() == slow


def test_the_card_has_the_results_of_the_run(repository: Repository, compared: Repository) -> None:
    for ours in (repository, compared):
        card = ours.run(str(Path(ours.python).with_name("vae")), "card")
        grey, binarized = (ours.read_json("details/evaluate")[protocol] for protocol in ("grey", "binarized"))
        assert f"| −ELBO | {grey['loss']:.2f} ± " in card
        assert f" | {binarized['importance_weighted']:.2f} ± " in card
        probes = ours.read_json("details/embed")["latents"]
        assert f"| logistic regression, accuracy, % | {100 * probes['logistic_regression']['accuracy']:.2f} ± " in card
        distance = ours.read_json("details/score")["frechet"]["prior"]
        assert f"| decoded samples of the prior | {distance:.4f} ± " in card
        assert hashlib.md5((ours.path / MODEL).read_bytes(), usedforsecurity=False).hexdigest() in card
        assert "It was trained on 0.01 of the images" in card
        assert str(ours.path) not in card
