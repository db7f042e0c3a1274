"""A training that is broken off goes on from its last finished epoch, and ends with the bytes of an unbroken one."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray

from vae.errors import InputError
from vae.nn import resume
from vae.nn.model import VAE
from vae.nn.resume import StateFile, fingerprint, unfinished
from vae.nn.training import build_model, fit
from vae.settings import Train

EPOCHS = 4
STEPS = 4
# every kind of state: two kinds of optimizer state, a schedule, dropout, noise
SETTINGS = Train(
    latent_dim=2,
    epsilon_std=1.0,
    dropout=0.5,
    epochs=EPOCHS,
    batch_size=8,
    optimizer="muon",
    learning_rate=0.01,
    schedule="cosine",
    warmup=0.2,
    patience=EPOCHS,
    precision="float32",
)
Images = NDArray[np.float32]

pytestmark = pytest.mark.slow


class Break(keras.callbacks.Callback):
    """Breaks a training off in a step of an epoch, both counted from 1; in step 0, as the epoch begins."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__()
        self.at, self.epoch = (epoch, step), 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1
        self.on_train_batch_end(-1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch + 1) == self.at:
            raise KeyboardInterrupt


def train(
    images: Images, path: Path, *breaks: keras.callbacks.Callback, settings: Train = SETTINGS
) -> tuple[VAE, pd.DataFrame]:
    model = build_model(settings, 1)
    history = fit(model, images[:30], images[30:], settings, 1, StateFile(path, "same"), breaks)
    return model, history.drop(columns="seconds")


def assert_same(one: tuple[VAE, pd.DataFrame], other: tuple[VAE, pd.DataFrame]) -> None:
    """Weights, random states, optimizer and history, bit by bit."""
    pd.testing.assert_frame_equal(one[1], other[1], check_exact=True)
    ours, theirs = ([*model.variables, *model.optimizer.variables] for model, _ in (one, other))
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state after the last epoch of an unbroken training."""
    return tmp_path_factory.mktemp("unbroken") / "state.npz"


@pytest.fixture(scope="module")
def unbroken(blobs: Images, finished: Path) -> tuple[VAE, pd.DataFrame]:
    return train(blobs, finished)


@pytest.mark.parametrize(("epoch", "step"), [(2, 0), (4, STEPS)])
def test_a_training_broken_off_once_ends_as_if_it_had_not_been(
    epoch: int, step: int, blobs: Images, unbroken: tuple[VAE, pd.DataFrame], tmp_path: Path
) -> None:
    path = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        train(blobs, path, Break(epoch, step))
    again = Epochs()
    assert_same(train(blobs, path, again), unbroken)
    assert again.seen == list(range(epoch, EPOCHS + 1))


class Epochs(keras.callbacks.Callback):
    """The epochs that are begun, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(epoch + 1)


def test_a_training_broken_off_in_every_epoch_ends_as_if_it_had_not_been(
    blobs: Images, unbroken: tuple[VAE, pd.DataFrame], tmp_path: Path
) -> None:
    for epoch in range(1, EPOCHS + 1):
        with pytest.raises(KeyboardInterrupt):
            train(blobs, tmp_path / "state.npz", Break(epoch, 2))
    assert_same(train(blobs, tmp_path / "state.npz"), unbroken)


def test_a_finished_training_is_not_trained_further(
    blobs: Images, unbroken: tuple[VAE, pd.DataFrame], finished: Path
) -> None:
    again = Epochs()
    resumed = train(blobs, finished, again)
    assert again.seen == []
    assert_same(resumed, unbroken)


def test_early_stopping_remembers_its_best_epoch_and_its_patience(blobs: Images, tmp_path: Path) -> None:
    # validation on the negatives of the training images: what is learnt makes their loss rise
    images = np.concatenate([blobs[:30], 1 - blobs[30:]])
    impatient = SETTINGS.model_copy(update={"epochs": 20, "patience": 3, "schedule": "constant"})
    unbroken = train(images, tmp_path / "unbroken.npz", settings=impatient)
    best, last = int(unbroken[1].val_loss.idxmin()) + 1, len(unbroken[1])
    assert last == best + 3 < 20
    with pytest.raises(KeyboardInterrupt):
        train(images, tmp_path / "state.npz", Break(last, 1), settings=impatient)
    assert_same(train(images, tmp_path / "state.npz", settings=impatient), unbroken)
    again = Epochs()
    assert_same(train(images, tmp_path / "state.npz", again, settings=impatient), unbroken)
    assert again.seen == []


def test_the_former_state_counts_where_a_write_is_broken_off(
    blobs: Images, unbroken: tuple[VAE, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, savez, written = tmp_path / "state.npz", np.savez, []

    def half(file: Path, **arrays: Any) -> None:
        savez(file, **arrays)
        written.append(file)
        if len(written) == 3:
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
            raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(KeyboardInterrupt):
        train(blobs, path)
    monkeypatch.undo()
    again = Epochs()
    assert_same(train(blobs, path, again), unbroken)
    assert again.seen == [3, 4]


def test_a_state_of_another_training_is_not_taken_up(
    blobs: Images, unbroken: tuple[VAE, pd.DataFrame], finished: Path, tmp_path: Path
) -> None:
    path = tmp_path / "state.npz"
    values, arrays = StateFile(finished, "same").read() or ({}, [])
    StateFile(path, "another").write(values, arrays)
    again = Epochs()
    assert_same(train(blobs, path, again), unbroken)
    assert again.seen == [1, 2, 3, 4]


def write_another(path: Path) -> None:
    StateFile(path, "another").write({"rows": []}, [])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def write_other_text(path: Path) -> None:
    np.savez(path, state=np.array("[]"))


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (write_another, "is of a training with other parameters, data or code: starting anew."),
        (cut, "can't be used, starting anew:"),
        (empty, "can't be used, starting anew:"),
        (write_other_text, "can't be used, starting anew:"),
    ],
)
def test_a_line_says_why_a_state_is_left(
    spoil: Callable[[Path], None], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "state.npz"
    StateFile(path, "same").write({"rows": []}, [np.arange(1000)])
    spoil(path)
    assert StateFile(path, "same").read() is None
    (printed,) = capsys.readouterr().out.splitlines()
    assert printed.startswith(f"{path} {line}")


def test_a_state_is_read_as_it_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = StateFile(tmp_path / "state.npz", "same")
    assert file.read() is None
    written = {"rows": [{"loss": 0.1 + 0.2}], "stopped": False}
    arrays = [np.float32([1.1, -0.0]), np.array(2**40)]
    file.write(written, arrays)
    values, read = file.read() or ({}, [])
    assert values == written
    for array, expected in zip(read, arrays, strict=True):
        assert (array.dtype, array.tobytes(), array.shape) == (expected.dtype, expected.tobytes(), expected.shape)
    assert capsys.readouterr().out == ""


def test_fingerprint_follows_settings_data_code_and_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    zeros, ones = np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)
    known = [
        fingerprint({"seed": 1}, zeros, ones),
        fingerprint({"seed": 2}, zeros, ones),
        fingerprint({"seed": 1}, ones, zeros),
        fingerprint({"seed": 1}, zeros.reshape(3, 2), ones),
        fingerprint({"seed": 1}, zeros.astype(np.float64), ones),
    ]
    assert fingerprint({"seed": 1}, zeros, ones) == known[0]
    with monkeypatch.context() as patched:
        patched.setattr(resume, "version", lambda name: "0")
        known.append(fingerprint({"seed": 1}, zeros, ones))
    for name, value in (("TF_ENABLE_ONEDNN_OPTS", "0"), ("TF_DETERMINISTIC_OPS", "1"), ("ONEDNN_MAX_CPU_ISA", "AVX2")):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            known.append(fingerprint({"seed": 1}, zeros, ones))
    with monkeypatch.context() as patched:  # of logs, not of what is computed
        patched.setenv("TF_CPP_MIN_LOG_LEVEL", "7")
        assert fingerprint({"seed": 1}, zeros, ones) == known[0]
    # code: a module that lies in the folder of the sources, before and after a change
    monkeypatch.setattr(resume, "SOURCES", tmp_path)
    module = tmp_path / "module.py"
    monkeypatch.setitem(sys.modules, "module", type(sys)("module"))
    monkeypatch.setattr(sys.modules["module"], "__file__", str(module), raising=False)
    for code in ("x = 1", "x = 2"):
        module.write_text(code)
        known.append(fingerprint({"seed": 1}, zeros, ones))
    assert len(set(known)) == len(known)


def test_fingerprint_is_of_every_module_that_the_stage_depends_on() -> None:
    code = "import train, vae.nn.resume as r; print(*(path.relative_to(r.SOURCES).as_posix() for path in r._sources()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=resume.SOURCES, check=True, capture_output=True, text=True)
    stages = yaml.safe_load((resume.SOURCES.parent / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {f"src/{name}" for name in done.stdout.split()} == {
        dep for dep in stages["train"]["deps"] if dep.startswith("src/")
    }


def break_off(folder: Path, fingerprint: str) -> None:
    with suppress(KeyboardInterrupt), unfinished(folder, fingerprint) as file:
        file.write({"rows": [fingerprint]}, [np.arange(3)])
        raise KeyboardInterrupt


def test_a_state_is_gone_after_success_and_there_after_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "models/unfinished"
    break_off(folder, "f")
    with unfinished(folder, "f") as file:
        values, (array,) = file.read() or ({}, [])
        assert values == {"rows": ["f"]}
        np.testing.assert_array_equal(array, [0, 1, 2])
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".unfinished.lock"]


def test_the_state_of_another_training_outlives_one_that_succeeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "unfinished"
    break_off(folder, "first")
    break_off(folder, "second")
    with unfinished(folder, "third") as file:
        assert file.read() is None
    with unfinished(folder, "second") as file:
        assert file.read() is not None
    line = f"{folder} has trainings with other parameters, data or code alone: starting anew."
    assert capsys.readouterr().out.splitlines() == [line] * 2
    with unfinished(folder, "first") as file:
        values, _ = file.read() or ({}, [])
        assert values == {"rows": ["first"]}
    assert not folder.exists()


def test_the_folder_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models/unfinished").symlink_to(tmp_path / "elsewhere")
    break_off(tmp_path / "models/unfinished", "f")
    with unfinished(tmp_path / "models/unfinished", "f") as file:
        assert file.read() is not None
    assert (tmp_path / "models/unfinished").is_symlink()
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_a_second_training_is_refused_while_the_first_goes_on(tmp_path: Path) -> None:
    with (
        unfinished(tmp_path / "unfinished", "f"),
        pytest.raises(InputError, match=r"^another training has .*unfinished; wait for its end, or end it\.$"),
        unfinished(tmp_path / "unfinished", "f"),
    ):
        pass
