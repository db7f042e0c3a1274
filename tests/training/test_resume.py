"""An interrupted training resumes after its last finished epoch, and ends with the bytes of an uninterrupted one."""

import errno
import fcntl
import os
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

from tests.training.small_training import train_settings, untrained
from vae.data import shards
from vae.data.shards import StoredImages, save_split
from vae.data.splits import load_split
from vae.errors import InputError
from vae.model.vae import VAE
from vae.settings.train import Train
from vae.training import resume
from vae.training.fit import fit
from vae.training.resume import StateFile, exclusive, fingerprint, state_folder, unfinished

EPOCHS = 4
STEPS = 4
# With dropout and noise, this has every kind of state: random generators, both kinds of optimizer state, a schedule.
SETTINGS = train_settings(epochs=EPOCHS, optimizer="muon", schedule="cosine", patience=EPOCHS)
Images = NDArray[np.float32]

pytestmark = pytest.mark.slow


class Interrupt(keras.callbacks.Callback):
    """Interrupts a training in a step of an epoch, both counted from 1; in step 0, as the epoch begins."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__()
        self.at, self.epoch = (epoch, step), 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1
        self.on_train_batch_end(-1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch + 1) == self.at:
            raise KeyboardInterrupt


def part(images: Images | StoredImages, rows: slice) -> Images | StoredImages:
    """Return some of the images, where they are."""
    return StoredImages(images.rows.take(rows)) if isinstance(images, StoredImages) else images[rows]


def train(
    images: Images | StoredImages,
    path: Path,
    *callbacks: keras.callbacks.Callback,
    settings: Train = SETTINGS,
    report: Callable[[pd.DataFrame], None] | None = None,
    **changes: Any,
) -> tuple[VAE, pd.DataFrame]:
    """Train an untrained model, with changes to `MODEL`, or resume its training."""
    model = untrained(settings, seed=1, dropout=0.5, **changes)
    halves = part(images, slice(30)), part(images, slice(30, None))
    history = fit(model, halves[0], halves[1], settings, 1, StateFile(path, "same"), callbacks, report)
    return model, history.drop(columns="seconds")


def assert_same(one: tuple[VAE, pd.DataFrame], other: tuple[VAE, pd.DataFrame]) -> None:
    """Compare weights, random states, optimizer and history, bit by bit."""
    pd.testing.assert_frame_equal(one[1], other[1], check_exact=True)
    ours, theirs = ([*model.variables, *model.optimizer.variables] for model, _ in (one, other))
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the state after the last epoch of an uninterrupted training, which `uninterrupted` writes."""
    return tmp_path_factory.mktemp("uninterrupted") / "state.npz"


@pytest.fixture(scope="module")
def uninterrupted(blobs: Images, finished: Path) -> tuple[VAE, pd.DataFrame]:
    return train(blobs, finished)


class Epochs(keras.callbacks.Callback):
    """A record of the epochs that begin, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(epoch + 1)


def test_a_training_interrupted_in_every_epoch_ends_as_if_it_had_not_been(
    blobs: Images, uninterrupted: tuple[VAE, pd.DataFrame], tmp_path: Path
) -> None:
    path = tmp_path / "state.npz"
    for epoch, step in ((1, 2), (2, 0), (3, 1), (4, STEPS)):
        begun, reported = Epochs(), list[pd.DataFrame]()
        with pytest.raises(KeyboardInterrupt):
            train(blobs, path, begun, Interrupt(epoch, step), report=reported.append)
        assert begun.seen[-1] == epoch
        assert [len(history) for history in reported] == [*range(max(begun.seen[0] - 1, 1), epoch)]
        assert len(begun.seen) <= 2  # no finished epoch is run again
    assert_same(train(blobs, path), uninterrupted)


def test_a_training_from_shards_resumes_and_ends_like_one_from_memory(
    blobs: Images, uninterrupted: tuple[VAE, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_BYTES", 7 * 28 * 28)
    save_split(tmp_path / "blobs.npz", np.round(255 * blobs).astype(np.uint8), None, np.array([], np.str_))
    images = load_split(tmp_path / "blobs.npz").images
    assert isinstance(images, StoredImages)
    with pytest.raises(KeyboardInterrupt):
        train(images, tmp_path / "state.npz", Interrupt(3, 2))
    begun = Epochs()
    assert_same(train(images, tmp_path / "state.npz", begun), uninterrupted)
    assert begun.seen == [3, 4]


def test_a_finished_training_is_not_trained_further(
    blobs: Images, uninterrupted: tuple[VAE, pd.DataFrame], finished: Path
) -> None:
    again = Epochs()
    reported: list[pd.DataFrame] = []
    resumed = train(blobs, finished, again, report=reported.append)
    assert again.seen == []
    assert_same(resumed, uninterrupted)
    assert [len(history) for history in reported] == [EPOCHS]


def test_early_stopping_remembers_its_best_epoch_and_its_patience(blobs: Images, tmp_path: Path) -> None:
    # validation on the negatives of the training images: what is learnt makes their loss rise
    images = np.concatenate([blobs[:30], 1 - blobs[30:]])
    impatient = SETTINGS.model_copy(update={"epochs": 20, "patience": 2, "schedule": "constant"})
    uninterrupted = train(images, tmp_path / "uninterrupted.npz", settings=impatient)
    best, last = int(uninterrupted[1].val_loss.argmin()) + 1, len(uninterrupted[1])
    assert last == best + 2 < 20
    with pytest.raises(KeyboardInterrupt):
        train(images, tmp_path / "state.npz", Interrupt(last, 1), settings=impatient)
    assert_same(train(images, tmp_path / "state.npz", settings=impatient), uninterrupted)
    again = Epochs()
    assert_same(train(images, tmp_path / "state.npz", again, settings=impatient), uninterrupted)
    assert again.seen == []


def test_a_warm_up_with_binarization_and_a_learned_prior_resumes(blobs: Images, tmp_path: Path) -> None:
    images = np.concatenate([0.8 * blobs[:30] + 0.1, blobs[30:]])  # grey levels, which each epoch binarizes again
    settings = SETTINGS.model_copy(update={"beta_warmup": 3 * STEPS - 1})
    model: dict[str, Any] = {"likelihood": "binarized", "prior": "mixture"}
    uninterrupted = train(images, tmp_path / "uninterrupted.npz", settings=settings, **model)
    np.testing.assert_allclose(uninterrupted[1].beta, [4 / 11, 8 / 11, 1, 1])
    for epoch, step in ((2, 3), (3, 2)):  # in the warm-up
        with pytest.raises(KeyboardInterrupt):
            train(images, tmp_path / "state.npz", Interrupt(epoch, step), settings=settings, **model)
    begun = Epochs()
    assert_same(train(images, tmp_path / "state.npz", begun, settings=settings, **model), uninterrupted)
    assert begun.seen == [3, 4]


def test_an_interrupted_write_leaves_the_former_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, savez = StateFile(tmp_path / "state.npz", "same"), np.savez
    file.write({"rows": ["former"]}, [np.arange(1000)])

    def half(path: Path, **arrays: Any) -> None:
        savez(path, **arrays)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(KeyboardInterrupt):
        file.write({"rows": ["new"]}, [np.arange(1000)])
    values, (array,) = file.read() or ({}, [])
    assert values == {"rows": ["former"]}
    np.testing.assert_array_equal(array, np.arange(1000))


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
        (write_another, "belongs to other parameters, data or code: starting over."),
        (cut, "cannot be used, starting over:"),
        (empty, "cannot be used, starting over:"),
        (write_other_text, "cannot be used, starting over:"),
    ],
)
def test_a_line_says_why_a_state_is_not_used(
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
    arrays = [np.array([1.1, -0.0], np.float32), np.array(2**40)]
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
        fingerprint({"seed": 1}, zeros, ones, np.zeros((), np.float32)),  # a weight that is a scalar
        fingerprint({"seed": 1}, zeros, ones, np.ones((), np.float32)),
    ]
    assert fingerprint({"seed": 1}, zeros, ones) == known[0]
    with monkeypatch.context() as patched:
        patched.setattr(resume, "version", lambda name: "0")
        known.append(fingerprint({"seed": 1}, zeros, ones))
    for name, value in (("TF_ENABLE_ONEDNN_OPTS", "0"), ("TF_DETERMINISTIC_OPS", "1"), ("ONEDNN_MAX_CPU_ISA", "AVX2")):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            known.append(fingerprint({"seed": 1}, zeros, ones))
    with monkeypatch.context() as patched:  # the logs, the workers and the threads, which also differ by machine
        for name in ("TF_CPP_MIN_LOG_LEVEL", "TF_CONFIG", "TF_NUM_INTRAOP_THREADS"):
            patched.setenv(name, "7")
        assert fingerprint({"seed": 1}, zeros, ones) == known[0]
    # a module in the folder of the sources, before and after a change
    monkeypatch.setattr(resume, "SOURCES", tmp_path)
    module = tmp_path / "module.py"
    monkeypatch.setitem(sys.modules, "module", type(sys)("module"))
    monkeypatch.setattr(sys.modules["module"], "__file__", str(module), raising=False)
    for code in ("x = 1", "x = 2"):
        module.write_text(code)
        known.append(fingerprint({"seed": 1}, zeros, ones))
    assert len(set(known)) == len(known)


def test_fingerprint_includes_every_module_that_the_stage_depends_on(run_python: Callable[..., Any]) -> None:
    code = "import train, vae.training.resume as r; print(*(path.relative_to(r.SOURCES) for path in r._sources()))"
    done = run_python(code, resume.SOURCES)
    root = resume.SOURCES.parent
    deps = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["train"]["deps"]
    files = {file for dep in deps for file in ([root / dep] if dep.endswith(".py") else (root / dep).rglob("*.py"))}
    assert {resume.SOURCES / name for name in done.stdout.split()} == files


def interrupt(folder: Path, fingerprint: str) -> None:
    with suppress(KeyboardInterrupt), unfinished(folder, fingerprint) as file:
        file.write({"rows": [fingerprint]}, [np.arange(3)])
        raise KeyboardInterrupt


def test_a_state_is_removed_after_success_and_kept_after_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "models/unfinished"
    interrupt(folder, "f")
    with unfinished(folder, "f") as file:
        values, (array,) = file.read() or ({}, [])
        assert values == {"rows": ["f"]}
        np.testing.assert_array_equal(array, [0, 1, 2])
    assert [*(tmp_path / "models").iterdir()] == []


def test_the_state_of_another_training_outlives_one_that_succeeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "unfinished"
    interrupt(folder, "first")
    interrupt(folder, "second")
    with unfinished(folder, "third") as file:
        assert file.read() is None
    with unfinished(folder, "second") as file:
        assert file.read() is not None
    line = f"{folder} contains only work with other parameters, data or code: starting over."
    assert capsys.readouterr().out.splitlines() == [line] * 2
    with unfinished(folder, "first") as file:
        values, _ = file.read() or ({}, [])
        assert values == {"rows": ["first"]}
    assert not folder.exists()


def test_the_folder_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models/unfinished").symlink_to(tmp_path / "elsewhere")
    interrupt(tmp_path / "models/unfinished", "f")
    with unfinished(tmp_path / "models/unfinished", "f") as file:
        assert file.read() is not None
    assert (tmp_path / "models/unfinished").is_symlink()
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_the_same_training_is_refused_while_it_is_running_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "unfinished"
    with (
        unfinished(folder, "f") as state,
        pytest.raises(InputError, match=rf"^another process is using {folder};"),
        unfinished(folder, "f"),
    ):
        pass
    with unfinished(folder, "f") as state, unfinished(folder, "g"):
        state.write({"rows": []}, [np.arange(3)])
    assert not folder.exists()


def test_a_second_training_is_refused_while_the_first_is_running(tmp_path: Path) -> None:
    lock = tmp_path / "models/.training.lock"
    with (
        exclusive(lock),
        pytest.raises(InputError, match=r"^another process is using .*; wait for it to finish, or stop it\.$"),
        exclusive(lock),
    ):
        pass
    with exclusive(lock):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL])
def test_training_runs_without_a_lock_where_the_disk_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock, ran = tmp_path / "models/.training.lock", False
    with exclusive(lock):
        ran = True
    assert ran
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: {lock} cannot be locked ({os.strerror(number)}); the work continues")


def test_a_temporary_copy_of_the_checkout_keeps_its_state_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    here = Path("models/unfinished")
    assert state_folder("models/unfinished") == here
    for root in (".", str(tmp_path), str(tmp_path / "removed")):
        monkeypatch.setenv("DVC_ROOT", root)
        assert state_folder("models/unfinished") == here
    (tmp_path / "checkout").mkdir()
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "checkout"))
    assert state_folder("models/unfinished") == tmp_path / "checkout" / here
