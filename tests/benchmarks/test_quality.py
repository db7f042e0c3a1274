from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import quality

# They end, in the mean, at 103.5 after 400 s, and were lowest, in the mean, at 103 after 300 s.
POST = [
    pd.DataFrame({"val_loss": [110, 105, 102.8, 103.6], "elapsed": [100, 200, 300, 400]}),
    pd.DataFrame({"val_loss": [106, 103.2, 103.4], "elapsed": [150, 300, 400]}),
]


@pytest.fixture(autouse=True)
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quality, "PICTURE", tmp_path / "picture.png")
    return tmp_path / "picture.png"


def run(losses: list[float], epoch_seconds: float) -> pd.DataFrame:
    return pd.DataFrame({"val_loss": losses, "elapsed": epoch_seconds * np.arange(1, len(losses) + 1)})


def test_ratios_of_the_seconds_until_the_last_and_the_lowest_loss_of_the_post(picture: Path) -> None:
    float32 = [run([106, 103.2, 102.5], 10), run([103.5, 102.9, 102.4], 12), run([106, 105, 102.6], 9)]
    bfloat16 = [run([106, 103], 4), run([103.2, 103.3], 4), run([106, 102.8], 4)]
    assert quality.compare({"float32": float32, "mixed_bfloat16": bfloat16}, POST) == {
        "ratio": pytest.approx(20 / 400),
        "float32": {
            **{"target": 103.5, "seconds": [20, 12, 27], "post_seconds": 400, "ratio": pytest.approx(20 / 400)},
            "lowest": {"target": 103, "seconds": [30, 24, 27], "post_seconds": 300, "ratio": pytest.approx(27 / 300)},
        },
        "mixed_bfloat16": {
            **{"target": 103.5, "seconds": [8, 4, 8], "post_seconds": 400, "ratio": pytest.approx(8 / 400)},
            "lowest": {"target": 103, "seconds": [8, None, 8], "post_seconds": 300, "ratio": pytest.approx(8 / 300)},
        },
        "bfloat16_cost": {
            "differences": pytest.approx([0.5, 0.8, 0.2]),
            "mean": pytest.approx(0.5),
            "standard_error": pytest.approx(0.3 / 3**0.5),
        },
    }
    assert picture.stat().st_size > 10_000


def test_a_seed_that_stays_above_the_target_counts_as_the_slowest(capsys: pytest.CaptureFixture[str]) -> None:
    result = quality.compare({"float32": [run([106, 103.6], 10), run([106, 103.1], 10), run([103.4], 10)]}, POST)
    assert (result["float32"]["seconds"], result["ratio"]) == ([None, 20, 10], pytest.approx(20 / 400))
    lowest = result["float32"]["lowest"]
    assert (lowest["seconds"], lowest["ratio"]) == ([None, None, None], None)
    out = capsys.readouterr().out
    assert "end: 103.50 nats after 400 s; this project in float32: not reached, 20 s, 10 s, 0.050 of that" in out
    assert "lowest: 103.00 nats after 300 s; this project in float32: not reached, not reached, not reached\n" in out
