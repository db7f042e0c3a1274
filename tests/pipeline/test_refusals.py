"""Wrong inputs of the real stages: one line on stderr, exit status 1, no traceback, and nothing written."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from vae.data.shards import save_split
from vae.data.splits import SPLITS, Split
from vae.evaluation.classifier import Classifier
from vae.io.arrays import save_arrays
from vae.io.tables import write_csv
from vae.model.checkpoint import save_model
from vae.model.vae import VAE
from vae.plots.charts import HISTORY_COLUMNS
from vae.stage import run_stage

COUNT, LATENT_DIM, SHAPE, DIGITS = 20, 2, (12, 12, 1), list("0123456789")
Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def inputs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything that a stage reads, except raw data."""
    path = tmp_path_factory.mktemp("inputs")
    shutil.copy(root / "params.yaml", path)
    (path / "data").mkdir()
    shutil.copy(root / "data/random_weights.txt", path / "data")
    z, labels = np.zeros((COUNT, LATENT_DIM), np.float32), np.arange(COUNT, dtype=np.uint8) % 10
    for name in SPLITS:
        split = Split(np.full((COUNT, *SHAPE), 0.5, np.float32), labels, np.array(DIGITS))
        save_split(path / f"data/prepared/{name}.npz", *split)
        save_arrays(path / f"data/embeddings/{name}.npz", z_mean=z, z_log_var=z, labels=labels)
    save_arrays(path / "data/evaluation/test.npz", reconstruction=np.ones(COUNT), kl=np.ones(COUNT))
    write_csv(path / "reports/history.csv", pd.DataFrame({name: [1] for name in HISTORY_COLUMNS}))
    save_model(VAE(SHAPE, LATENT_DIM), path / "models/vae.keras")
    save_model(Classifier(SHAPE, DIGITS, seed=0), path / "models/classifier.keras")
    return path


@pytest.fixture
def folder(inputs: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the inputs for one test to damage; it is the working folder."""
    path = Path(shutil.copytree(inputs, tmp_path / "folder"))
    monkeypatch.chdir(path)
    monkeypatch.syspath_prepend(root / "src")
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file and folder in the folder, with its contents."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def refusal(stage: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a stage, check what all refusals have in common, and return its message."""
    main = importlib.import_module(stage).main
    before = tree(folder)
    with pytest.raises(SystemExit) as ended:
        run_stage(main)
    assert ended.value.code == 1
    assert tree(folder) == before
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def write(content: bytes) -> Damage:
    return lambda path: path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    """Change one bit in the middle of the file, which is among its images or its weights."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change(name: str, make: Callable[[NDArray[Any]], NDArray[Any] | None]) -> Damage:
    """Return a damage that replaces an array; None removes it."""

    def damage(path: Path) -> None:
        with np.load(path) as file:
            arrays = dict(file)
        changed = make(arrays.pop(name))
        np.savez(path, **arrays | ({} if changed is None else {name: changed}), allow_pickle=True)

    return damage


def empty(path: Path) -> None:
    """Remove all images and labels of a split."""
    change("images", lambda old: old[:0])(path)
    change("labels", lambda old: old[:0])(path)


class Payload:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("unpickled",)


MISSING = {
    "prepare": ("params.yaml", "cannot be read: No such file or directory."),
    "train": ("data/prepared/validation.npz", "is missing; `dvc repro` makes it."),
    "evaluate": ("models/vae.keras", "is missing; `dvc repro train` makes it."),
    "embed": ("data/prepared/test.npz", "is missing; `dvc repro` makes it."),
    "visualize": ("reports/history.csv", "is missing; `dvc repro` makes it."),
    "baseline": ("data/prepared/test.npz", "is missing; `dvc repro` makes it."),
    "classify": ("data/prepared/test.npz", "is missing; `dvc repro` makes it."),
    "score": ("models/classifier.keras", "is missing; `dvc repro classify` makes it."),
}


@pytest.mark.parametrize("stage", MISSING)
def test_a_missing_input_is_refused(stage: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, reason = MISSING[stage]
    (folder / name).unlink()
    assert refusal(stage, folder, capsys) == f"{name} {reason}"


@pytest.mark.parametrize("stage", ["embed", "visualize", "score"])
def test_a_missing_vae_is_refused(stage: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "models/vae.keras").unlink()
    assert refusal(stage, folder, capsys) == "models/vae.keras is missing; `dvc repro train` makes it."


def test_a_wrong_parameter_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "params.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("latent_dim: 10", "latent_dim: 0"), encoding="utf-8")
    assert refusal("train", folder, capsys).startswith("params.yaml: model.latent_dim is 0, but must be ")


@pytest.mark.parametrize(
    ("share", "validation_size", "message"),
    [
        (
            "0.0001",
            "0.1",
            "prepare.share is 0.0001, which leaves 6 of 60000 training images, "
            "but must be 1 or leave from 10 to 59990.",
        ),
        (
            "0.05",
            "5000",
            "prepare.validation_size is 5000, but must leave at least one of the 3,000 training images: use a share "
            "below 1, or a smaller number.",
        ),
    ],
)
def test_a_share_that_leaves_too_few_images_is_refused(
    share: str, validation_size: str, message: str, folder: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data/raw").symlink_to(root / "data/raw")
    path = folder / "params.yaml"
    changed = path.read_text(encoding="utf-8").replace("share: 1.0", f"share: {share}")
    path.write_text(changed.replace("size: 0.08333", f"size: {validation_size}"), encoding="utf-8")
    assert refusal("prepare", folder, capsys) == message


UNREADABLE = "it is not a readable .npz file ("
ARRAYS = {
    "text": (write(b"images"), UNREADABLE),
    "truncated": (truncate, UNREADABLE),
    "one bit": (flip_a_bit, UNREADABLE),
    "pickled": (change("labels", lambda old: np.array([Payload()], object)), UNREADABLE),
    "array missing": (change("images", lambda old: None), "array 'images' is missing"),
    "another type": (
        change("images", lambda old: old.astype("float64")),
        "array 'images' is float64 with 4 dimensions",
    ),
    "no images": (empty, "it contains no images"),
    "levels up to 255": (change("images", lambda old: old * 255), "array 'images' has values from 127.5 to 127.5"),
}


@pytest.mark.parametrize(("damage", "reason"), ARRAYS.values(), ids=ARRAYS)
def test_damaged_images_are_refused(
    damage: Damage, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "data/prepared/train.npz"
    damage(folder / name)
    message = refusal("train", folder, capsys)
    assert message.startswith(f"{name}: {reason}")
    assert message.endswith("; `dvc repro` makes it again.")


TEST, TRAIN, LOSSES = "data/embeddings/test.npz", "data/embeddings/train.npz", "data/evaluation/test.npz"
RESULTS = {
    "embeddings of other images": ("visualize", TEST, change("z_mean", lambda old: old[1:]), "(19, 2)"),
    "embeddings of another model": ("visualize", TRAIN, change("z_mean", lambda old: old[:, :1]), "(20, 1)"),
    "embeddings with NaN": ("visualize", TEST, change("z_log_var", lambda old: old * np.float32(np.nan)), "NaN"),
    "losses of other images": ("visualize", LOSSES, change("kl", lambda old: old[1:]), "(19,)"),
    "infinite losses": ("visualize", LOSSES, change("kl", lambda old: old * np.inf), "infinity"),
    "score, embeddings of other images": ("score", TEST, change("z_mean", lambda old: old[1:]), "(19, 2)"),
    "score, embeddings of another model": ("score", TRAIN, change("z_log_var", lambda old: old[:, :1]), "(20, 1)"),
}


@pytest.mark.parametrize(("stage", "name", "damage", "reason"), RESULTS.values(), ids=RESULTS)
def test_results_that_do_not_fit_the_images_and_the_model_are_refused(
    stage: str, name: str, damage: Damage, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder / name)
    message = refusal(stage, folder, capsys)
    assert message.startswith(f"{name}: array ")
    assert reason in message


HISTORY = ",".join(HISTORY_COLUMNS)
HISTORIES = {
    "empty": "",
    "columns missing": "epoch,loss\n1,2\n",
    "no rows": f"{HISTORY}\n",
    "a word": f"{HISTORY}\n1,2,3,4,5,6,many\n",
    "a long row": f"{HISTORY}\n1,2,3,4,5,6,7\n1,2,3,4,5,6,7,8,9\n",
}


@pytest.mark.parametrize("content", HISTORIES.values(), ids=HISTORIES)
def test_a_damaged_history_is_refused(content: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "reports/history.csv").write_text(content)
    assert refusal("visualize", folder, capsys).startswith("reports/history.csv is not a table with epoch, loss, ")


WEIGHTS_DAMAGED = "its part 'model.weights.h5' is damaged"
MODELS = {
    "VAE, text": ("evaluate", "vae", write(b"weights"), "it is damaged or not a .keras file ("),
    "VAE, truncated": ("evaluate", "vae", truncate, "it is damaged or not a .keras file ("),
    "VAE, one bit": ("evaluate", "vae", flip_a_bit, WEIGHTS_DAMAGED),
    "VAE, a classifier": (
        "evaluate",
        "vae",
        lambda path: shutil.copy("models/classifier.keras", path),
        "it contains a ",
    ),
    "classifier, one bit": ("score", "classifier", flip_a_bit, WEIGHTS_DAMAGED),
    "classifier, a VAE": ("score", "classifier", lambda path: shutil.copy("models/vae.keras", path), "it contains a "),
}


@pytest.mark.parametrize(("stage", "name", "damage", "reason"), MODELS.values(), ids=MODELS)
def test_a_damaged_model_is_refused(
    stage: str, name: str, damage: Damage, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder / f"models/{name}.keras")
    maker = {"vae": "train", "classifier": "classify"}[name]
    start = f"models/{name}.keras is not a model that `dvc repro {maker}` made: {reason}"
    assert refusal(stage, folder, capsys).startswith(start)


def enlarge(path: Path) -> None:
    """Give the images of a split another shape."""
    change("images", lambda old: np.repeat(old, 2, axis=1))(path)


@pytest.mark.parametrize("stage", ["evaluate", "embed", "visualize", "score"])
def test_images_of_another_shape_than_the_model_are_refused(
    stage: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in SPLITS:
        enlarge(folder / f"data/prepared/{name}.npz")
    message = refusal(stage, folder, capsys)
    assert message.startswith("data/prepared/")
    assert "(24, 12, 1), but must have (12, 12, 1)" in message


def test_a_classifier_of_images_of_another_shape_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(Classifier((16, 12, 1), DIGITS, seed=0), folder / "models/classifier.keras")
    assert "(n, 16, 12, 1)" in refusal("score", folder, capsys)


@pytest.mark.parametrize(
    ("stage", "split"), [("train", "validation"), ("baseline", "test"), ("classify", "test"), ("visualize", "train")]
)
def test_splits_of_different_shapes_are_refused(
    stage: str, split: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enlarge(folder / f"data/prepared/{split}.npz")
    assert refusal(stage, folder, capsys).startswith(f"data/prepared/{split}.npz: its images have the shape ")


@pytest.mark.parametrize("stage", ["embed", "visualize", "baseline", "classify", "score"])
def test_labels_of_some_splits_only_are_refused(stage: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change("labels", lambda old: None)(folder / "data/prepared/test.npz")
    none, some = (
        "data/prepared/test.npz: it contains no labels, but data/prepared/train.npz contains labels",
        "data/prepared/train.npz: it contains labels, but data/prepared/test.npz contains no labels",
    )
    expected = some if stage in ("visualize", "score") else none
    assert refusal(stage, folder, capsys) == f"{expected}; `dvc repro` makes it again."


def test_too_few_images_for_a_map_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in SPLITS:
        for array in ("images", "labels"):
            change(array, lambda old: old[:2])(folder / f"data/prepared/{name}.npz")
    assert refusal("visualize", folder, capsys) == "there are 6 images, but a t-SNE map needs at least 7."


@pytest.mark.parametrize("stage", ["prepare", pytest.param("evaluate", marks=pytest.mark.slow)])
def test_the_process_of_a_stage_ends_with_status_1(stage: str, folder: Path, root: Path) -> None:
    name, reason = MISSING[stage]
    (folder / name).unlink()
    before = tree(folder)
    done = subprocess.run([sys.executable, root / f"src/{stage}.py"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: {name} {reason}\n")
    assert tree(folder) == before
