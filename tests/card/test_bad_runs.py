"""Models and results that are missing, damaged or of different runs: one sentence, and nothing written."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.card.recorded import PARAMS, record, save_file, write_lock
from vae.cli.app import app

MODEL, LOCK, SCORE = Path("models/vae.keras"), Path("dvc.lock"), Path("reports/details/score.json")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    record(folder)
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of a run, which is the working folder."""
    monkeypatch.chdir(shutil.copytree(recorded, tmp_path / "run"))
    return Path.cwd()


def without_score() -> None:
    lock = yaml.safe_load(LOCK.read_text())
    del lock["stages"]["score"]
    LOCK.write_text(yaml.safe_dump(lock))


def without_output() -> None:
    lock = yaml.safe_load(LOCK.read_text())
    lock["stages"]["train"]["outs"] = []
    LOCK.write_text(yaml.safe_dump(lock))


def trained_again() -> None:
    lock = yaml.safe_load(LOCK.read_text())
    save_file(MODEL, latent_dim=2)
    write_lock(Path(), PARAMS)
    new = yaml.safe_load(LOCK.read_text())
    LOCK.write_text(yaml.safe_dump({"schema": "2.0", "stages": lock["stages"] | {"train": new["stages"]["train"]}}))


@pytest.mark.parametrize(
    ("break_it", "arguments", "message"),
    [
        (MODEL.unlink, (), "models/vae.keras is missing; `dvc repro train` makes it"),
        (lambda: None, ("other.keras",), "other.keras is missing."),
        (lambda: None, ("reports",), "reports cannot be read: Is a directory."),
        (lambda: MODEL.write_text("PK"), (), "models/vae.keras is not a model that this project saved ("),
        (lambda: MODEL.write_bytes(MODEL.read_bytes()[:900]), (), "models/vae.keras is not a model that this"),
        (
            lambda: save_file(MODEL, kind="vae>Classifier"),
            (),
            "models/vae.keras is not a VAE of this project, but a vae>C",
        ),
        (LOCK.unlink, (), "dvc.lock is missing here; run `dvc repro`"),
        (lambda: LOCK.write_text("stages: ["), (), "dvc.lock is not valid; run `git checkout dvc.lock`"),
        (without_score, (), "dvc.lock records no run of score;"),
        (lambda: save_file(MODEL, latent_dim=2), (), "the model is not the one that dvc.lock records"),
        (trained_again, (), "the results of evaluate in reports/ are of another models/vae.keras"),
        (without_output, (), "the model is not the one that dvc.lock records"),
        (SCORE.unlink, (), "reports/details/score.json is not the file that dvc.lock records;"),
        (lambda: SCORE.write_text("{}"), (), "reports/details/score.json is not the file that dvc.lock records;"),
        (lambda: None, ("--license", "My Licence"), "the licence is 'My Licence', but must be an identifier"),
        (lambda: None, ("--data", "a\nb"), "the name of the images is 'a\\nb', but must be one line"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    break_it: Callable[[], object], arguments: tuple[str, ...], message: str, run: Path
) -> None:
    break_it()
    result = CliRunner().invoke(app, ["card", *arguments, "--output", "new/card.md"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1
    assert not (run / "new").exists()


def test_a_published_data_set_keeps_its_name(run: Path) -> None:
    write_lock(run, PARAMS | {"prepare": PARAMS["prepare"] | {"dataset": "mnist"}})
    result = CliRunner().invoke(app, ["card", "--data", "digits"])
    assert result.stderr == "error: the images are MNIST, a published data set, which --data cannot rename.\n"


def test_a_card_is_overwritten_only_by_force(run: Path) -> None:
    card = run / "card.md"
    card.write_text("former")
    result = CliRunner().invoke(app, ["card", "-o", "card.md"])
    assert (result.exit_code, result.stderr) == (1, "error: card.md exists already; --force overwrites it.\n")
    assert card.read_text() == "former"
    assert CliRunner().invoke(app, ["card", "-o", "reports"]).stderr == "error: reports exists already.\n"
    assert CliRunner().invoke(app, ["card", "-o", "card.md", "--force"]).exit_code == 0
    assert card.read_bytes() == CliRunner().invoke(app, ["card"]).stdout_bytes


def test_the_command_imports_neither_tensorflow_nor_keras(run: Path) -> None:
    code = (
        "import sys; from vae.cli.app import app\n"
        "try: app(['card', '--output', 'card.md'])\n"
        "except SystemExit as end: print(end.code, sorted({'tensorflow', 'keras', 'pandas', 'dvc'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=run, capture_output=True, text=True, check=True)
    assert done.stdout == "0 []\n"
    assert "# A variational autoencoder" in (run / "card.md").read_text(encoding="utf-8")
