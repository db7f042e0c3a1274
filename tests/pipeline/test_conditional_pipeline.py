"""Every stage with a conditional model, on small colour images of three classes; and what `train` refuses."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import vae
from benchmarks.stages import outputs, read_stages
from small_images import SIZES, STAGES, Labels, Run, run_stages
from vae.data.splits import load_split
from vae.errors import InputError
from vae.training.resume import fingerprint

NAMES = ["a", "b", "c"]
LABELS: dict[str, Labels] = {name: np.arange(count, dtype=np.uint8) % 3 for name, count in SIZES.items()}
CONDITIONAL = {"conditional": True}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the outputs of all stages."""
    return run_stages(root, tmp_path_factory.mktemp("conditional"), LABELS, NAMES, model=CONDITIONAL)


def test_every_declared_output_exists_and_nothing_is_left_out(run: Run) -> None:
    stages = read_stages(run.path)
    for stage in STAGES:
        assert not [line for line in run.printed[stage] if "left out" in line]
        for name in outputs(stages[stage]):
            assert (run.path / name).stat().st_size > 0, name


def test_the_results_are_of_the_model_with_the_labels_of_the_images(run: Run) -> None:
    model, test = vae.load(run.path / "models/vae.keras"), load_split(run.path / "data/prepared/test.npz")
    assert model.conditional
    with np.load(run.path / "data/embeddings/test.npz") as file:
        for name, expected in zip(
            ("z_mean", "z_log_var"), model.encode(test.images[:], labels=test.labels), strict=True
        ):
            np.testing.assert_allclose(file[name], expected, atol=1e-6)
    with np.load(run.path / "data/evaluation/test.npz") as file:
        loss = file["reconstruction"] + file["kl"]
    score = model.score(test.images[:], samples=20, labels=test.labels)
    np.testing.assert_allclose(loss, score, rtol=0.02)
    assert run.read_json("details/evaluate")["grey"]["loss"] == pytest.approx(loss.mean())


def test_the_example_in_the_documentation_samples_a_class(
    run: Run, root: Path, run_python: Callable[..., CompletedProcess[str]]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (root / "docs/model.md").read_text(encoding="utf-8"), re.DOTALL)
    done = run_python(code.replace('"7"', '"b"') + "import numpy\nnumpy.save('sevens.npy', sevens)", run.path)
    assert done.returncode == 0, done.stderr
    expected = vae.load(run.path / "models/vae.keras").sample(16, seed=0, labels=1)
    np.testing.assert_allclose(np.load(run.path / "sevens.npy"), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("labels", "changes", "message"),
    [
        (
            dict.fromkeys(SIZES),
            {},
            "model.conditional is true in params.yaml, but the prepared images have no labels; set it to false, or use "
            "images with labels.",
        ),
        (
            LABELS,
            {"prior": "vampprior"},
            "model.prior is vampprior, whose pseudo-inputs have no labels, but model.conditional is true: choose "
            "another prior, or set model.conditional to false.",
        ),
    ],
    ids=["no labels", "vampprior"],
)
def test_what_a_conditional_model_cannot_use_is_refused_before_anything_is_written(
    labels: dict[str, Labels], changes: dict[str, str], message: str, root: Path, tmp_path: Path
) -> None:
    names = NAMES if labels is LABELS else []
    with pytest.raises(InputError) as refused:
        run_stages(root, tmp_path, labels, names, stages=("train",), model=CONDITIONAL | changes)
    assert str(refused.value) == message
    assert {path.name for path in tmp_path.iterdir()} == {"data", "dvc.yaml", "params.yaml"}


def test_other_labels_are_another_training_and_another_evaluation(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(root / "src")
    found: list[str] = []

    def recorded(*arguments: Any) -> str:
        found.append(fingerprint(*arguments))
        return found[-1]

    for stage in ("train", "evaluate"):
        monkeypatch.setattr(importlib.import_module(stage), "fingerprint", recorded)
    others = {name: None if labels is None else (labels + 1) % 3 for name, labels in LABELS.items()}
    for labels, stages in ((LABELS, ("train", "evaluate")), (others, ("evaluate",)), (others, ("train",))):
        run_stages(root, tmp_path, labels, NAMES, stages=stages, model=CONDITIONAL)
    assert len(set(found)) == len(found) == 4
