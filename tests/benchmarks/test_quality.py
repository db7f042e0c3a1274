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
    ours = pd.DataFrame({"val_loss": [106, 103.2, 102.5], "elapsed": [10, 20, 30]})
    assert quality.compare(ours, POST) == {
        **{"target": 103.5, "seconds": 20, "post_seconds": 400, "ratio": pytest.approx(20 / 400)},
        "lowest": {"target": 103, "seconds": 30, "post_seconds": 300, "ratio": pytest.approx(30 / 300)},
    }
    assert picture.stat().st_size > 10_000


def test_a_target_that_is_not_reached_has_no_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    result = quality.compare(pd.DataFrame({"val_loss": [106, 103.1], "elapsed": [10, 20]}), POST)
    assert result["seconds"] == 20
    assert (result["lowest"]["seconds"], result["lowest"]["ratio"]) == (None, None)
    assert "at their lowest: 103.00 nats after 300 s; this project: not reached" in capsys.readouterr().out
