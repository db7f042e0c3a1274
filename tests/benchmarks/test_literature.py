"""The table of runs that are compared with published results."""

import sys
from io import StringIO
from pathlib import Path
from typing import Any

import dvc.api
import numpy as np
import pandas as pd
import pytest

from benchmarks import literature
from benchmarks.literature import COLUMNS, MINUTES, SEEDS, main, merged, rows
from benchmarks.presets import read_preset

PARAMS: dict[str, dict[str, Any]] = {
    "model": {
        **{"architecture": "tutorial", "latent_dim": 10, "likelihood": "bernoulli", "prior": "standard"},
        "dropout": 0.0,
    },
    "train": {"objective": "elbo", "samples": 1, "beta": 1.0, "beta_warmup": 0, "free_bits": 0.0},
}
RUN = {"preset": "tutorial_grey", "seed": 11, "epochs": 8, "minutes": 2.5}
BOUNDS: dict[str, dict[str, Any]] = {
    "grey": {
        "loss": 101.0,
        "importance_weighted": 98.0,
        "samples": 100,
        "standard_error": {"importance_weighted": 0.2},
    },
    "binarized": {
        **{"loss": 103.0, "importance_weighted": 99.0, "samples": 100},
        "standard_error": {"importance_weighted": 0.3},
    },
    "posterior": {"active_units": 10},
}


def test_a_training_on_grey_levels_gives_a_row_for_each_of_its_protocols() -> None:
    table = rows(RUN, PARAMS, BOUNDS).set_index("protocol")
    assert [*table.reset_index()[COLUMNS].columns] == COLUMNS
    assert sorted(table.index) == ["grey levels", "grey levels, tested on binarized images"]
    grey = table.loc["grey levels"]
    assert (grey.neg_elbo, grey.nll, grey.nll_samples, grey.standard_error) == (101.0, 98.0, 100, 0.2)
    assert (grey.parameters, grey.objective, grey.minutes) == (124_117, "elbo", 2.5)
    assert table.loc["grey levels, tested on binarized images"].nll == 99.0


def test_a_training_on_binarized_images_has_the_protocol_of_the_papers() -> None:
    params = {
        "model": PARAMS["model"] | {"likelihood": "binarized", "latent_dim": 4, "prior": "flow"},
        "train": {"objective": "iwae", "samples": 50, "beta": 1.0, "beta_warmup": 0, "free_bits": 0.0},
    }
    (row,) = rows(RUN, params, {"binarized": BOUNDS["binarized"]}).to_dict("records")
    assert (row["protocol"], row["objective"], row["prior"]) == ("dynamic binarization", "iwae, samples 50", "flow")


def run(preset: str, seed: int, *, nll: float, epochs: int = 8, minutes: float | None = None) -> pd.DataFrame:
    bounds = {"binarized": BOUNDS["binarized"] | {"importance_weighted": nll}}
    params = {**PARAMS, "model": PARAMS["model"] | {"likelihood": "binarized"}}
    return rows({"preset": preset, "seed": seed, "epochs": epochs, "minutes": minutes}, params, bounds)


def test_new_rows_replace_those_of_the_same_run_and_keep_the_order_of_the_presets() -> None:
    table = pd.DataFrame(columns=COLUMNS)
    for preset, seed, nll in (("flow", 11, 81.0), ("tutorial_grey", 12, 90.0), ("tutorial_grey", 11, 91.0)):
        table = merged(table, run(preset, seed, nll=nll, minutes=5.0))
    table = merged(table, run("tutorial_grey", 12, nll=89.0, minutes=6.0))
    assert table[["preset", "seed", "nll", "minutes"]].to_numpy().tolist() == [
        ["tutorial_grey", 11, 91.0, 5.0],
        ["tutorial_grey", 12, 89.0, 6.0],
        ["flow", 11, 81.0, 5.0],
    ]
    assert [*table.columns] == COLUMNS


def test_rows_of_presets_and_seeds_that_no_longer_exist_are_dropped() -> None:
    table = merged(pd.DataFrame(columns=COLUMNS), run("flow", 11, nll=81.0))
    former = pd.concat([table, table.assign(seed=99), table.assign(preset="former")])
    assert merged(former, run("resnet", 12, nll=87.0)).preset.tolist() == ["flow", "resnet"]


def test_a_run_that_dvc_had_kept_keeps_the_minutes_of_its_training() -> None:
    table = merged(pd.DataFrame(columns=COLUMNS), run("flow", 11, nll=81.0, minutes=20.0))
    assert merged(table, run("flow", 11, nll=80.9)).minutes.tolist() == [20.0]
    assert np.isnan(merged(table, run("flow", 11, nll=80.9, epochs=9)).minutes[0])  # of another training


def test_the_minutes_are_read_from_what_the_stage_prints() -> None:
    found = MINUTES.search("epoch 8/8: loss 101.30, 15 s\ntrained 8 epochs in 2.6 minutes\nkept epoch 8: …\n")
    assert found
    assert float(found[1]) == pytest.approx(2.6)


def test_the_rows_of_the_runs_before_an_interruption_are_kept_and_the_next_start_adds_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started, interrupted_at = list[tuple[str, int]](), ("binarized_k10", 13)

    def run_or_be_interrupted(preset: str, seed: int) -> pd.DataFrame:
        started.append((preset, seed))
        if (preset, seed) == interrupted_at:
            raise KeyboardInterrupt
        return run(preset, seed, nll=80.0 + seed, minutes=1.0)

    monkeypatch.chdir(tmp_path)
    Path("reports").mkdir()
    merged(pd.DataFrame(columns=COLUMNS), run("resnet", 12, nll=87.0)).to_csv("reports/literature.csv", index=False)
    monkeypatch.setattr(literature, "run", run_or_be_interrupted)
    monkeypatch.setattr(sys, "argv", ["literature", "flow", "binarized_k10"])
    with pytest.raises(KeyboardInterrupt):
        main()
    table = pd.read_csv("reports/literature.csv")
    assert table[["preset", "seed", "nll"]].to_numpy().tolist() == [
        ["binarized_k10", 12, 92.0],
        ["flow", 11, 91.0],
        ["resnet", 12, 87.0],
    ]
    interrupted_at = ("", 0)
    main()
    assert pd.read_csv("reports/literature.csv").seed.tolist() == [*SEEDS["binarized_k10"], 11, 12]
    runs = [("flow", 11), *(("binarized_k10", seed) for seed in SEEDS["binarized_k10"])]
    assert started == [*runs[:3], *runs]
    assert "binarized_k10 with seed 14 took 0.0 minutes with its evaluation" in capsys.readouterr().out


def test_a_run_is_an_experiment_whose_results_become_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Any]()

    def experiment(*arguments: object, **options: object) -> str:
        asked.append((arguments, options))
        return "trained 2 epochs in 1.5 minutes\n"

    monkeypatch.setattr(literature, "run_experiment", experiment)
    monkeypatch.setattr(dvc.api, "params_show", lambda rev: PARAMS)
    monkeypatch.setattr(dvc.api, "open", lambda path, rev: StringIO("epoch,loss\n1,3.0\n2,2.0\n"))
    monkeypatch.setattr(literature, "details", lambda stage, revision: BOUNDS)
    table = literature.run("tutorial_grey", 12)
    ((name, settings), options), *others = asked
    assert not others
    assert (name, options) == ("literature-tutorial-grey-seed-12", {"targets": ["evaluate"]})
    on_mnist = {
        **{"prepare.dataset": "mnist", "prepare.share": 1.0, "prepare.image_size": "null", "prepare.channels": "null"},
        "model.conditional": False,
    }
    assert settings == {"seed": 12, **on_mnist, **read_preset("tutorial_grey")}
    assert table[["seed", "epochs", "minutes", "nll"]].to_numpy().tolist() == [
        [12, 2, 1.5, 98.0],
        [12, 2, 1.5, 99.0],
    ]
    monkeypatch.setattr(literature, "run_experiment", lambda *_, **__: "Stage 'train' didn't change, skipping\n")
    assert literature.run("tutorial_grey", 12).minutes.isna().all()
