"""Bad inputs to the real stages: one sentence, exit status 1, no traceback, and nothing written."""

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

from vae.errors import run_stage
from vae.files import write_csv
from vae.nn.checkpoint import save_checkpoint
from vae.nn.classifier import build_classifier, save_classifier
from vae.nn.model import VAE
from vae.splits import SPLITS, Split, save_arrays, save_split

ROOT = Path(__file__).parents[1]
STAGES = ("prepare", "train", "evaluate", "embed", "visualize", "baseline", "classify", "score")
COUNT, LATENT_DIM = 20, 2


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that any stage reads, in order; nothing here computes with it."""
    path = tmp_path_factory.mktemp("inputs")
    shutil.copy(ROOT / "params.yaml", path)
    z = np.zeros((COUNT, LATENT_DIM), np.float32)
    labels = np.arange(COUNT, dtype=np.uint8) % 10
    for name in SPLITS:
        images = np.full((COUNT, 28, 28, 1), 0.5, np.float32)
        save_split(path / f"data/prepared/{name}.npz", Split(images, labels, np.array(list("0123456789"))))
        save_arrays(path / f"data/embeddings/{name}.npz", z_mean=z, z_log_var=z, labels=labels)
    save_arrays(path / "data/evaluation/test.npz", reconstruction=np.ones(COUNT), kl=np.ones(COUNT))
    write_csv(path / "reports/history.csv", pd.DataFrame([range(1, 8)], columns=HISTORY.split(",")))
    save_checkpoint(VAE(LATENT_DIM), path / "models/vae")
    save_classifier(build_classifier((28, 28, 1), 10, 0), path / "models/classifier")
    return path


@pytest.fixture
def folder(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, for one test to spoil, as the working folder."""
    path = Path(shutil.copytree(inputs, tmp_path / "folder"))
    monkeypatch.chdir(path)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file and folder below, with its contents."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def refusal(stage: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the stage says of its input, after all that is common to refusals has been checked."""
    main = importlib.import_module(stage).main
    before = tree(folder)
    with pytest.raises(SystemExit) as ended:
        run_stage(main)
    assert ended.value.code == 1
    assert tree(folder) == before
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    return line


Spoil = Callable[[Path], object]


def text(content: str | bytes) -> Spoil:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def replaced(old: str, new: str) -> Spoil:
    def spoil(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def removed(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def array(name: str, change: Callable[[NDArray[Any]], NDArray[Any] | None]) -> Spoil:
    """Another array in the place of one; None leaves it out."""

    def spoil(path: Path) -> None:
        with np.load(path) as file:
            arrays = dict(file)
        changed = change(arrays.pop(name))
        np.savez(path, **arrays | ({} if changed is None else {name: changed}), allow_pickle=True)

    return spoil


def with_one(value: float) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def change(old: NDArray[Any]) -> NDArray[Any]:
        new = old.copy()
        new.flat[5] = value
        return new

    return change


class Payload:
    """Makes a folder where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("unpickled",)


def pickled(_: NDArray[Any]) -> NDArray[Any]:
    return np.array([Payload()], object)


def no_image(path: Path) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {"images": arrays["images"][:0], "labels": arrays["labels"][:0]}, allow_pickle=False)


def check(stage: str, name: str, spoil: Spoil, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(folder / name)
    assert refusal(stage, folder, capsys) == f"error: {sentence}"


SECTIONS = "seed, prepare, train, evaluate, embed, visualize, baseline, classify, score"


@pytest.mark.parametrize(
    ("stage", "spoil", "mistake"),
    [
        ("prepare", removed, "cannot be read: No such file or directory"),
        ("train", a_folder, "cannot be read: Is a directory"),
        ("evaluate", text("- 1"), f"must hold a mapping of sections ({SECTIONS})"),
        ("embed", text(""), f"must hold a mapping of sections ({SECTIONS})"),
        ("visualize", text("a: 1\na: 1"), "is not valid YAML: key 'a' is given twice (line 2, column 1)"),
        (
            "baseline",
            text("a: !!python/name:os.system"),
            "is not valid YAML: a tag (!…) has no place here (line 1, column 4)",
        ),
        (
            "classify",
            text(b"a: \xff"),
            "is not valid YAML: 'utf-8' codec can't decode byte 0xff in position 3: invalid start byte",
        ),
        ("score", text("a: b: 1"), "is not valid YAML: mapping values are not allowed here (line 1, column 5)"),
    ],
)
def test_parameters_that_are_no_yaml(
    stage: str, spoil: Spoil, mistake: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(stage, "params.yaml", spoil, f"params.yaml {mistake}.", folder, capsys)


@pytest.mark.parametrize(
    ("stage", "old", "new", "mistake"),
    [
        ("prepare", "seed: 1", "seed: -1", "seed is -1, but must be greater than or equal to 0."),
        ("prepare", "seed: 1", "seed: one", "seed is 'one', but must be a valid integer."),
        ("prepare", "mnist", "cifar", "prepare.dataset is 'cifar', but must be 'mnist', 'fashion_mnist' or 'kmnist'."),
        ("prepare", "1.0", "0", "prepare.share is 0, but must be greater than 0."),
        ("prepare", "5000", "0", "prepare.validation_size is 0, but must be greater than or equal to 10."),
        ("train", "latent_dim: 10", "latent_dim: 1.5", "train.latent_dim is 1.5, but must be a valid integer."),
        ("train", "latent_dim", "laten_dim", "train.laten_dim is unknown; did you mean latent_dim?"),
        ("train", "dropout: 0.0", "dropout: 1", "train.dropout is 1, but must be less than 1."),
        ("train", "muon", "sgd", "train.optimizer is 'sgd', but must be 'adam' or 'muon'."),
        (
            "train",
            "learning_rate: ",
            "learning_rate: .nan # ",
            "train.learning_rate is nan, but must be a finite number.",
        ),
        ("train", "  epochs: ", "  # ", "train.epochs is missing."),
        ("evaluate", "samples: 8", "samples: 0", "evaluate.samples is 0, but must be greater than or equal to 1."),
        ("embed", "embed:", "embed:\n  device: 0", "embed.device is unknown; known are batch_size."),
        ("visualize", "perplexity: 30", "perplexity:", "visualize.perplexity is None, but must be a valid number."),
        ("baseline", "baseline", "baselines", "baselines is unknown; did you mean baseline?"),
        ("classify", "0.002", "0", "classify.learning_rate is 0, but must be greater than 0."),
        ("score", "seed: 1", "seed: 1\ngpu: 0", f"gpu is unknown; known are {SECTIONS}."),
    ],
)
def test_parameters(
    stage: str, old: str, new: str, mistake: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(stage, "params.yaml", replaced(old, new), f"params.yaml: {mistake}", folder, capsys)


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_of_another_stage(stage: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil = replaced("principal_components: 10", "principal_components: 785")
    sentence = "params.yaml: baseline.principal_components is 785, but must be less than or equal to 784."
    check(stage, "params.yaml", spoil, sentence, folder, capsys)


@pytest.mark.parametrize(
    ("share", "mistake"),
    [
        ("0.0001", "prepare.share is 0.0001, which leaves 6 of 60000 images, but must be 1 or leave from 10 to 59990."),
        (
            "0.05",
            "prepare.validation_size is 5000, but must be from 10 to 2990: "
            "there are 3000 training images of 10 classes.",
        ),
    ],
)
def test_more_images_wanted_than_there_are(
    share: str, mistake: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data/raw").symlink_to(ROOT / "data/raw")
    check("prepare", "params.yaml", replaced("share: 1.0", f"share: {share}"), mistake, folder, capsys)


# What each stage reads before it writes or prints anything.
SPLITS_READ = [
    ("train", "train"),
    ("train", "validation"),
    ("evaluate", "test"),
    ("embed", "train"),
    ("visualize", "test"),
    ("baseline", "train"),
    ("baseline", "test"),
    ("classify", "train"),
    ("classify", "validation"),
    ("classify", "test"),
    ("score", "train"),
    ("score", "test"),
]
HISTORY = "epoch,loss,reconstruction,kl,val_loss,val_reconstruction,val_kl"
ANEW = "; `dvc repro` makes it anew."
UNREADABLE = "it is not a readable .npz file ({})"
PIXELS = "array 'images' has values from {}, but must be within 0 and 1"


@pytest.mark.parametrize(("stage", "split"), SPLITS_READ)
def test_splits_without_an_image(stage: str, split: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"data/prepared/{split}.npz"
    check(stage, name, no_image, f"{name}: there is no image in it{ANEW}", folder, capsys)


@pytest.mark.parametrize(("stage", "split"), [("train", "validation"), ("baseline", "test"), ("classify", "train")])
def test_splits_that_are_missing(stage: str, split: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"data/prepared/{split}.npz"
    check(stage, name, removed, f"{name} is missing; `dvc repro` makes it.", folder, capsys)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (text(""), UNREADABLE.format("File is not a zip file")),
        (text("images"), UNREADABLE.format("File is not a zip file")),
        (cut, UNREADABLE.format("File is not a zip file")),
        (one_bit, UNREADABLE.format("Bad CRC-32 for file 'images.npy'")),
        (a_folder, UNREADABLE.format("[Errno 21] Is a directory: 'data/prepared/train.npz'")),
        (array("images", pickled), UNREADABLE.format("Object arrays cannot be loaded when allow_pickle=False")),
        (array("images", lambda x: None), "there is no array 'images' in it"),
        (
            array("images", lambda x: x.astype("float64")),
            "array 'images' is float64 of shape (20, 28, 28, 1), {images}",
        ),
        (array("images", lambda x: x[..., 0]), "array 'images' is float32 of shape (20, 28, 28), {images}"),
        (array("images", np.transpose), "array 'images' is float32 of shape (1, 28, 28, 20), {one_image}"),
        (array("images", lambda x: np.float32(0)), "array 'images' is float32 of shape (), {one_image}"),
        (array("images", lambda x: x[:, :27]), "array 'images' is float32 of shape (20, 27, 28, 1), {images}"),
        (array("images", with_one(np.nan)), PIXELS.format("nan to nan")),
        (array("images", with_one(np.inf)), PIXELS.format("0.5 to inf")),
        (array("images", with_one(255)), PIXELS.format("0.5 to 255")),
        (array("images", with_one(-1)), PIXELS.format("-1 to 0.5")),
        (array("labels", lambda x: None), "there is no array 'labels' in it"),
        (array("labels", lambda x: x[1:]), "array 'labels' is uint8 of shape (19,), {labels}"),
        (array("labels", lambda x: x.astype("int64")), "array 'labels' is int64 of shape (20,), {labels}"),
        (array("labels", lambda x: x[:, None]), "array 'labels' is uint8 of shape (20, 1), {labels}"),
        (array("labels", with_one(10)), "array 'labels' has a label 10, but must be below 10"),
        (array("class_names", lambda x: None), "there is no array 'class_names' in it"),
        (array("class_names", lambda x: x[:3]), "array 'class_names' is <U1 of shape (3,), {class_names}"),
        (array("class_names", lambda x: x.astype("S")), "array 'class_names' is |S1 of shape (10,), {class_names}"),
        (array("class_names", lambda x: x.astype(int)), "array 'class_names' is int64 of shape (10,), {class_names}"),
        (array("class_names", pickled), UNREADABLE.format("Object arrays cannot be loaded when allow_pickle=False")),
    ],
)
def test_splits(spoil: Spoil, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = {
        "images": "but must be float32 of shape (20, 28, 28, 1)",
        "one_image": "but must be float32 of shape (1, 28, 28, 1)",
        "labels": "but must be uint8 of shape (20,)",
        "class_names": "but must be str of shape (10,)",
    }
    name = "data/prepared/train.npz"
    check("train", name, spoil, f"{name}: {sentence.format(**right)}{ANEW}", folder, capsys)


@pytest.mark.parametrize(
    ("stage", "name", "spoil", "sentence"),
    [
        ("visualize", "data/embeddings/test.npz", array("z_mean", with_one(np.nan)), "array 'z_mean' {finite}"),
        (
            "visualize",
            "data/embeddings/test.npz",
            array("z_log_var", lambda x: None),
            "there is no array 'z_log_var' in it",
        ),
        ("visualize", "data/evaluation/test.npz", array("kl", with_one(-np.inf)), "array 'kl' {finite}"),
        (
            "visualize",
            "data/evaluation/test.npz",
            array("kl", lambda x: x[:0]),
            "array 'kl' is float64 of shape (0,), but must be floating-point of shape (20,)",
        ),
        (
            "visualize",
            "data/embeddings/test.npz",
            array("z_mean", lambda x: x[:, :1]),
            "array 'z_mean' {one_dimension}",
        ),
        (
            "score",
            "data/embeddings/train.npz",
            array("z_log_var", lambda x: x[:, :1]),
            "array 'z_log_var' {one_dimension}",
        ),
        (
            "score",
            "data/embeddings/test.npz",
            array("z_mean", lambda x: x[1:]),
            "array 'z_mean' is float32 of shape (19, 2), but must be floating-point of shape (20, 2)",
        ),
        (
            "visualize",
            "data/embeddings/test.npz",
            array("z_mean", lambda x: x.astype(str)),
            "array 'z_mean' is <U32 of shape (20, 2), but must be floating-point of shape (20, 2)",
        ),
        ("visualize", "data/evaluation/test.npz", cut, UNREADABLE.format("File is not a zip file")),
        ("score", "data/embeddings/train.npz", array("z_log_var", with_one(np.nan)), "array 'z_log_var' {finite}"),
        ("score", "data/embeddings/train.npz", array("z_mean", pickled), UNREADABLE.format("{pickled}")),
        ("score", "data/embeddings/test.npz", array("z_mean", with_one(np.inf)), "array 'z_mean' {finite}"),
    ],
)
def test_embeddings_and_losses(
    stage: str, name: str, spoil: Spoil, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {
        "one_dimension": "is float32 of shape (20, 1), but must be floating-point of shape (20, 2)",
        "finite": "holds NaN or infinity, but must hold finite numbers",
        "pickled": "Object arrays cannot be loaded when allow_pickle=False",
    }
    check(stage, name, spoil, f"{name}: {sentence.format(**parts)}{ANEW}", folder, capsys)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "No columns to parse from file"),
        ("epoch,loss\n1,2\n", "\"['reconstruction', 'kl', 'val_loss', 'val_reconstruction', 'val_kl'] not in index\""),
        (f"{HISTORY}\n", "there is no row in it"),
        (f"{HISTORY}\n1,2,3,4,5,6,many\n", "could not convert string to float: 'many'"),
        (
            f"{HISTORY}\n1,2,3,4,5,6,7\n1,2,3,4,5,6,7,8,9\n",
            "Error tokenizing data. C error: Expected 7 fields in line 3, saw 9",
        ),
    ],
)
def test_histories(content: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "reports/history.csv"
    sentence = f"{name} is not a table with {HISTORY.replace(',', ', ')} ({reason}){ANEW}"
    check("visualize", name, text(content), sentence, folder, capsys)


DAMAGED = "it was changed or damaged, as the SHA-256 in config.json shows"


@pytest.mark.parametrize(
    ("name", "spoil", "reason"),
    [
        ("vae.weights.h5", cut, DAMAGED),
        ("vae.weights.h5", one_bit, DAMAGED),
        ("vae.weights.h5", text(""), DAMAGED),
        ("config.json", replaced(": 2", ": 3"), DAMAGED),
        ("config.json", replaced(": 2", ': "ten"'), DAMAGED),
        ("config.json", replaced(": 2", ": 1000000000"), DAMAGED),
        ("config.json", text('{"latent_dim": 2}'), "config.json has no 'sha256'"),
        ("config.json", text("latent_dim: 2"), "config.json is not JSON"),
    ],
)
@pytest.mark.parametrize("stage", ["evaluate", "embed", "visualize", "score"])
def test_checkpoints(
    stage: str, name: str, spoil: Spoil, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = f"models/vae is not a checkpoint of this model: {reason}; `dvc repro train` makes it anew."
    check(stage, f"models/vae/{name}", spoil, sentence, folder, capsys)


def test_a_classifier_that_is_damaged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentence = f"models/classifier is not a checkpoint of this model: {DAMAGED}; `dvc repro classify` makes it anew."
    check("score", "models/classifier/classifier.weights.h5", one_bit, sentence, folder, capsys)


@pytest.mark.parametrize(
    ("stage", "name", "maker"),
    [
        ("evaluate", "models/vae/config.json", "train"),
        ("embed", "models/vae/vae.weights.h5", "train"),
        ("score", "models/classifier/config.json", "classify"),
    ],
)
def test_models_that_are_missing(
    stage: str, name: str, maker: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(stage, name, removed, f"{name} is missing; `dvc repro {maker}` makes it.", folder, capsys)


@pytest.mark.parametrize(
    ("stage", "name", "spoil", "sentence"),
    [
        ("prepare", "params.yaml", removed, "params.yaml cannot be read: No such file or directory."),
        ("baseline", "data/prepared/train.npz", no_image, f"data/prepared/train.npz: there is no image in it{ANEW}"),
        pytest.param(
            "evaluate",
            "models/vae/config.json",
            removed,
            "models/vae/config.json is missing; `dvc repro train` makes it.",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_exit_status_of_the_process(stage: str, name: str, spoil: Spoil, sentence: str, folder: Path) -> None:
    spoil(folder / name)
    before = tree(folder)
    done = subprocess.run([sys.executable, ROOT / f"src/{stage}.py"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: {sentence}\n")
    assert tree(folder) == before
