from pathlib import Path

import pandas as pd
import pytest

from benchmarks import quality

POST = pd.DataFrame({"epoch": [1, 2, 3, 4], "val_loss": [110, 105, 103, 103.5], "elapsed": [100, 200, 300, 400]})


@pytest.fixture(autouse=True)
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quality, "PICTURE", tmp_path / "picture.png")
    return tmp_path / "picture.png"


def test_ratios_of_the_seconds_until_the_last_and_the_lowest_loss_of_the_post(picture: Path) -> None:
    float32 = pd.DataFrame({"val_loss": [106, 103.2, 102.5], "elapsed": [10, 20, 30]})
    bfloat16 = pd.DataFrame({"val_loss": [106, 103], "elapsed": [5, 8]})
    assert quality.compare({"float32": float32, "mixed_bfloat16": bfloat16}, POST) == {
        "ratio": pytest.approx(20 / 400),
        "float32": {
            **{"target": 103.5, "seconds": 20, "post_seconds": 400, "ratio": pytest.approx(20 / 400)},
            "lowest": {"target": 103, "seconds": 30, "post_seconds": 300, "ratio": pytest.approx(30 / 300)},
        },
        "mixed_bfloat16": {
            **{"target": 103.5, "seconds": 8, "post_seconds": 400, "ratio": pytest.approx(8 / 400)},
            "lowest": {"target": 103, "seconds": 8, "post_seconds": 300, "ratio": pytest.approx(8 / 300)},
        },
    }
    assert picture.stat().st_size > 10_000


def test_a_target_that_is_not_reached_has_no_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    history = pd.DataFrame({"val_loss": [106, 103.1], "elapsed": [10, 20]})
    result = quality.compare({"float32": history}, POST)["float32"]
    assert result["seconds"] == 20
    assert (result["lowest"]["seconds"], result["lowest"]["ratio"]) == (None, None)
    out = capsys.readouterr().out
    assert "at their lowest: 103.00 nats after 300 s; this project in float32: not reached" in out
