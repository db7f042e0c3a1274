from pathlib import Path

import pandas as pd
import pytest

import vae
from benchmarks import export, export_worker
from benchmarks.turns import Contender
from docs import benchmark_tables
from vae.model.checkpoint import save_model


def test_ratios_are_of_times_of_the_same_round() -> None:
    seconds = pd.DataFrame(
        {"encode Keras": [2.0, 4.0, 8.0], "encode LiteRT": [1.0, 1.0, 8.0], "decode Keras": [0.5, 0.5, 0.5]}
    )
    results = export.compare(seconds, batch_size=10)
    assert results["encode"]["LiteRT"] == {
        "images_per_second": 10.0,
        "vs_keras": 2.0,
        "vs_keras_quartiles": [1.5, 3.0],
    }
    assert results["encode"]["Keras"]["vs_keras"] == 1
    assert results["decode"] == {
        "Keras": {"images_per_second": 20.0, "vs_keras": 1.0, "vs_keras_quartiles": [1.0, 1.0]}
    }


def in_this_process(contenders: list[Contender], rounds: int) -> pd.DataFrame:
    """Time each contender's work once, without a process of its own."""
    seconds = {}
    for contender in contenders:
        runtime, part, batch_size, model, folder = contender.command[-5:]
        work = export_worker.work(runtime, part, int(batch_size), vae.load(model), Path(folder))
        seconds[contender.name] = export_worker.repeated(work)(1)
    return pd.DataFrame([seconds] * rounds)


def test_a_conditional_model_of_binarized_images_is_timed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = vae.VAE(
        (12, 16, 1), 2, architecture="mlp", likelihood="binarized", conditional=True, class_names=["a", "b"], seed=0
    )
    save_model(model, workspace / "model.keras")
    monkeypatch.setattr(export, "BATCH_SIZES", (1, 16))  # there are ten images
    monkeypatch.setattr(export, "in_turn", in_this_process)
    results = export.measure(rounds=2, path=workspace / "model.keras")
    assert results["batch_sizes"].keys() == {"1", "16"}
    for parts in results["batch_sizes"].values():
        assert list(parts) == ["encode", "decode"]
        assert [list(rows) for rows in parts.values()] == [["Keras", "ONNX Runtime", "LiteRT"]] * 2
    assert max(max(values.values()) for values in results["differences"].values()) < 1e-5
    monkeypatch.setattr(benchmark_tables, "report", lambda name: {"export": results})
    rows = benchmark_tables.exported().splitlines()
    assert len(rows) == 2 + 12
    assert rows[2].startswith("| encode, 1 at once | Keras | ")


def test_the_document_says_so_where_nothing_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_tables, "report", lambda name: {})
    assert benchmark_tables.exported().startswith("Not measured yet: `make bench PARTS=export`")
