"""The stage `evaluate`, in this process: what it writes, and that it resumes."""

import importlib
import json
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from vae.data.shards import save_split
from vae.evaluation.likelihood_bounds import Bounds, bits_per_dimension
from vae.model.checkpoint import save_model
from vae.model.likelihoods import LIKELIHOODS
from vae.model.vae import VAE

SHAPE, CLASSES = (8, 10, 3), ["a", "b"]
FILES = {"bernoulli": {"metrics": "grey", "binarized": "binarized"}, "binarized": {"binarized": "binarized"}}
"""The results whose metrics are in a file, by likelihood. The other likelihoods have one, with their name."""
Files = dict[str, Any]

pytestmark = pytest.mark.slow


@pytest.fixture
def evaluate(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module of the stage, in a folder with its parameters and six test images of 8-bit levels."""
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["evaluate"] |= {"samples": 2, "batch_size": 6}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    levels = np.random.default_rng(0).integers(256, size=(6, *SHAPE), dtype=np.uint8)
    save_split(tmp_path / "data/prepared/test.npz", levels, np.arange(6, dtype=np.uint8) % 2, np.array(CLASSES))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(root / "src")
    return importlib.import_module("evaluate")


def save_untrained(**options: Any) -> None:
    model = VAE(SHAPE, 2, architecture="mlp", class_names=CLASSES, seed=0, **options)
    save_model(model, Path("models/vae.keras"))


def written() -> Files:
    """Return the contents of the JSON files of the stage, by name."""
    files = (*Path("reports").glob("*.json"), Path("reports/details/evaluate.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def test_bits_per_dimension_are_printed_and_written_next_to_nats(
    evaluate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    save_untrained()
    evaluate.main()
    output, files = capsys.readouterr().out, written()
    for protocol, file in {"grey": "metrics", "binarized": "binarized"}.items():
        nats = files["evaluate"][protocol]
        bits = nats["bits_per_dimension"]
        assert bits["loss"] == pytest.approx(bits_per_dimension(nats["loss"], SHAPE))
        assert f"{protocol}, bits per dimension: loss {bits['loss']:.4f}, importance-weighted " in output
        assert files[file]["bpd"] == pytest.approx(bits["loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("likelihood", "expected"),
    [
        ("bernoulli", ["metrics", "binarized"]),
        ("binarized", ["binarized"]),
        ("continuous_bernoulli", []),
        ("gaussian", []),
        ("gaussian_per_value", []),
        ("logistic_mixture", ["metrics"]),
    ],
)
def test_densities_have_no_bits_per_dimension(
    likelihood: str, expected: list[str], evaluate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    save_untrained(likelihood=likelihood)
    evaluate.main()
    files = written()
    assert ("bits per dimension" in capsys.readouterr().out) == bool(expected)
    assert ("bits_per_dimension" in json.dumps(files["evaluate"])) == bool(expected)
    assert {name for name, content in files.items() if "bpd" in json.dumps(content)} == set(expected)


@pytest.mark.parametrize(
    ("likelihood", "protocol", "in_bits"),
    [("bernoulli", "grey", False), ("binarized", "binarized", False), ("logistic_mixture", "logistic_mixture", True)],
)
def test_images_of_the_shape_of_mnist_have_bits_only_of_their_256_levels(
    likelihood: str, protocol: str, in_bits: bool, evaluate: Any
) -> None:
    model = SimpleNamespace(likelihood=LIKELIHOODS[likelihood](), image_shape=(28, 28, 1))
    parts = Bounds(np.array([1.0, 2.0]), np.array([3.0, 5.0]), np.array([3.5, 6.0]))
    results = evaluate.report(protocol, parts, model, SimpleNamespace(samples=8), None)
    assert ("bits_per_dimension" in results) == in_bits


@pytest.mark.parametrize("place", ["encode", "posterior.summarize", "save_arrays", "write_json", "write_metrics"])
def test_bounds_survive_an_interruption_until_everything_is_written(
    place: str, evaluate: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    save_untrained()
    evaluate.main()
    expected, arrays = written(), Path("data/evaluation/test.npz").read_bytes()
    assert not Path("data/evaluation/unfinished").exists()
    with monkeypatch.context() as patch:
        patch.setattr(f"evaluate.{place}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            evaluate.main()
    assert "Resuming" not in capsys.readouterr().out
    evaluate.main()
    resumed = capsys.readouterr().out
    assert resumed.count("Resuming from ") == resumed.count(".npz (batches done: 2)\n") == 2  # grey, binarized
    assert (written(), Path("data/evaluation/test.npz").read_bytes()) == (expected, arrays)
    assert not Path("data/evaluation/unfinished").exists()


def test_two_units_never_share_the_name_of_a_metric_in_a_file(evaluate: Any) -> None:
    units: dict[tuple[str, str], set[str]] = {}
    for likelihood, conditional in product(LIKELIHOODS, (False, True)):
        save_untrained(likelihood=likelihood, conditional=conditional)
        evaluate.main()
        files = written()
        assert files["metrics"].pop("active_units") in range(3)  # a number of dimensions with every likelihood
        expected = FILES.get(likelihood, {"metrics": likelihood})
        assert [file for file in ("metrics", "binarized") if files[file]] == [*expected]
        for file, protocol in expected.items():
            for name, value in files[file].items():
                units.setdefault((file, name), set()).add(f"{protocol}{' given the label' * conditional}")
                if name.endswith("loss"):
                    assert value == pytest.approx(files["evaluate"][protocol]["loss"], rel=1e-5)
    assert all(len(found) == 1 for found in units.values()), units
    assert units["metrics", "loss"] == {"grey"}
    assert units["binarized", "given_label_loss"] == {"binarized given the label"}
