import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks import growth
from vae.data.splits import Split

LEVELS = np.arange(5, dtype=np.uint8)[:, np.newaxis, np.newaxis, np.newaxis]


def test_each_stage_runs_on_the_repeated_images_and_what_it_writes_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"prepare": 100, "train": 7}

    def run(command: list[str], folder: Path) -> dict[str, float]:
        name = Path(command[1]).stem
        (folder / name).write_bytes(bytes(sizes[name]))
        return {"seconds": 1.0, "peak_mib": 2.0}

    names = np.array(list("ab"))
    splits: dict[str, Any] = {"train": LEVELS[:3], "validation": LEVELS[3:4], "test": LEVELS[4:]}
    labels = {"train": np.array([0, 1, 0]), "validation": np.array([1]), "test": np.array([0])}
    monkeypatch.setattr(growth, "prepared", lambda name: Split(splits[name], labels[name], names))
    monkeypatch.setattr(growth, "raw_images", lambda: LEVELS)
    monkeypatch.setattr(growth, "read_stages", lambda folder: sizes)
    monkeypatch.setattr(growth, "run", run)
    rows = growth.run_all(tmp_path, 7)
    assert rows == {name: {"seconds": 1.0, "peak_mib": 2.0, "bytes": count} for name, count in sizes.items()}
    with np.load(tmp_path / "images.npz") as written:
        assert written["images"].ravel().tolist() == [0, 1, 2, 3, 4, 0, 1]
        assert written["labels"].tolist() == [0, 1, 0, 1, 0, 0, 1]
    params = yaml.safe_load((tmp_path / "params.yaml").read_text(encoding="utf-8"))
    assert params["prepare"]["dataset"] == "images.npz"
    assert params["prepare"]["test_size"] == params["prepare"]["validation_size"] == growth.HELD_OUT
    assert params["train"]["epochs"] == params["classify"]["epochs"] == 1
    assert params["evaluate"] == yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["evaluate"]


def test_the_images_do_not_count_in_the_memory_of_the_process_that_starts_the_stages(tmp_path: Path) -> None:
    code = (
        "import resource, numpy as np\n"
        "from pathlib import Path\n"
        "from benchmarks import growth\n"
        "growth.read_stages = lambda folder: []\n"
        "def write(path, count): path.write_bytes(np.ones(count, np.uint8).tobytes())\n"
        "growth.write_images = write\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"growth.run_all(Path({str(tmp_path)!r}), 400_000_000)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / before)"
    )
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert (tmp_path / "images.npz").stat().st_size == 400_000_000
    assert float(grown) < 1.2


def test_the_process_that_starts_the_stages_has_no_tensorflow() -> None:
    """Otherwise its memory counts as theirs."""
    code = "import benchmarks.growth, sys; print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_pairs_per_second_counts_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "PAIRED", 50)
    times = iter([1.0, 3.0])
    monkeypatch.setattr(growth, "perf_counter", lambda: next(times))
    assert growth.pairs_per_second() == 2500 / 2
