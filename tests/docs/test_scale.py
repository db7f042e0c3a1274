"""The model of cost, against numbers computed by hand."""

import math
from typing import Any

import pytest

from benchmarks import scale
from benchmarks.scale import Line, Measured, Stage
from docs import scale_tables

FLAT = Stage(Line(30.0, 0.0), Line(1e9, 0.0), Line(0.0, 0.0))
MEASURED = Measured(
    {
        "prepare": Stage(Line(0.0, 1e-5), Line(1e9, 63.0), Line(0.0, 785.0)),
        "train": Stage(Line(50.0, 2e-4), Line(1e9, 9.0), Line(0.0, 0.0)),
        "evaluate": FLAT,
        "embed": Stage(Line(10.0, 3e-5), Line(1e9, 90.0), Line(0.0, 80.0)),
        "classify": Stage(Line(30.0, 1e-4), Line(1e9, 0.0), Line(0.0, 0.0)),
        **dict.fromkeys(("visualize", "baseline", "score", "explore"), FLAT),
    },
    cores=2,
    tested=10_000,
    batches={"train": 80, "classify": 160},
    gradient=1e6,
    bounds_per_second=1000.0,
    pairs_per_second=1e8,
)
# Two cores were measured, and 16 keep 0.8 of their speed: a machine is 6.4 times as fast. A day has 86,400 seconds.


def test_lines_pass_through_the_two_sizes_and_fall_nowhere() -> None:
    def rows(seconds: float, mib: float, count: float) -> dict[str, dict[str, float]]:
        return {"prepare": {"seconds": seconds, "peak_mib": mib, "bytes": count}}

    growth = {"stages": {"1000": rows(7, 4, 100), "3000": rows(11, 3, 300)}, "parameters": 25, "pairs_per_second": 9.0}
    growth |= {"machine": {"cores": 4}, "held_out": 500}
    report: dict[str, Any] = {"growth": growth, "bound": {"architectures": {"tutorial, float32": {"decodings": 160}}}}
    found = scale.read(
        report, {"train": {"batch_size": 80}, "classify": {"batch_size": 64}, "evaluate": {"samples": 8}}
    )
    stage = found.stages["prepare"]
    assert stage.seconds == Line(5.0, 0.002)
    assert stage.memory == Line(3.5 * 2**20, 0.0)
    assert stage.disk == Line(0.0, 0.1)
    assert found[1:] == (4, 500, {"train": 80, "classify": 64}, 100.0, 10.0, 9.0)


@pytest.mark.parametrize(
    ("row", "images", "seconds", "machines", "network"),
    [
        # 1e5 s on two cores are 15,625 s on a machine; 785 bytes read and written for each image
        ("prepare", 1e10, 1e5, 1, 2 * 785e10),
        # 8 million images and nothing to exchange; the chief reads all images once before
        (scale.SOME_STEPS, 1e10, 50 + 1600, 1, 785e10 + 8e6 * 785),
        (scale.SOME_STEPS, 1e6, 50 + 1600, 1, 785e6 + 8e6 * 785),
        # 2e6 s: 312,508 s on one machine, in 1.25e8 steps. Four: 78,127 s, and 31.25e6 exchanges of 1.5e6 / 1.25e9 +
        # 6 * 50e-6 = 1.5 ms, 46,875 s more. Five: 62,502 s, and 25e6 of 1.6e6 / 1.25e9 + 8 * 50e-6 = 1.68 ms, 42,000 s.
        # Six: 52,085 s, and 20.83e6 of 1.333 + 0.5 ms, 38,194 s: 90,279 s. Seven: 44,644 s, and 17.857e6 of
        # 1.3714 + 0.6 ms, 35,204 s: 79,848 s.
        ("train, one pass", 1e10, 2e6 + 50, 7, 785e10 + 785e10 / 7 + 1.25e8 / 7 * 12 / 7 * 1e6),
        # 1e6 s: 156,255 s on one machine, in 6.25e7 steps. Two: 78,127 s, and 31.25e6 exchanges of 1e6 / 1.25e9 +
        # 2 * 50e-6 = 0.9 ms, 28,125 s more. Three: 52,085 s, and 20.83e6 of 1.0667 + 0.2 ms, 26,389 s: 78,474 s.
        ("classify, one pass", 1e10, 1e6 + 30, 3, 785e10 / 3 + 6.25e7 / 3 * 4 / 3 * 1e6),
        ("evaluate, 10,000 for the test", 1e10, 30, 1, 10_000 * 785),
        ("baseline", 1e10, 30, 1, 210_000 * 785),
        # 1.5 million: 1,500 s of bounds, and 2.25e12 pairs, 22,500 s
        (scale.SHARED_TEST, 1e7, 30 + 1500 + 22_500, 1, 1.5e6 * 785),
        # 150 million: 150,000 s, and 2.25e16 pairs, 2.25e8 s; 35,179,692 s on a machine, 407.2 days
        (scale.SHARED_TEST, 1e9, 30 + 150_000 + 2.25e8, 408, 1.5e8 * 785 / 408),
        ("embed", 1e8, 3010, 1, (785 + 80) * 1e8),
        ("score", 1e8, 30, 1, 80e8),
    ],
)
def test_costs_are_those_computed_by_hand(
    row: str, images: float, seconds: float, machines: int, network: float
) -> None:
    cost = scale.cost(row, images, MEASURED)
    assert cost.seconds == pytest.approx(seconds)
    assert cost.machines == machines
    assert cost.network == pytest.approx(network)
    stage = MEASURED.stages[scale.ROWS[row]]
    if row == scale.SHARED_TEST:
        assert math.isnan(cost.memory)
    else:
        assert cost.memory == pytest.approx(1e9 + stage.memory.each * images)
    assert cost.disk == pytest.approx(stage.disk.each * images)


def test_messages_that_alone_take_too_long_are_refused_rather_than_divided_for_ever() -> None:
    steps = 86_400 / (2 * scale.LATENCY)
    with pytest.raises(
        ValueError, match=r"^the messages of 864,000,000 steps take 86,400 s on any number of machines$"
    ):
        scale.machines_for(0.1, steps, 1e6)


def test_limits_are_the_images_that_fill_the_memory_or_the_day() -> None:
    assert scale.fits_memory(MEASURED.stages["prepare"]) == pytest.approx(63e9 / 63)
    assert scale.fits_memory(FLAT) == scale.fits_time("score", MEASURED) == float("inf")
    assert scale.fits_time("prepare", MEASURED) == pytest.approx(86_400 * 6.4 / 1e-5, rel=0.01)
    # (0.15 n)^2 / 1e8 + 0.15 n / 1000 + 30 = 552,960 s for n = 49.24 million
    assert scale.fits_time(scale.SHARED_TEST, MEASURED) == pytest.approx(49.24e6, rel=0.01)


def test_tables_show_the_costs_and_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale_tables, "read", lambda: MEASURED)
    costs = scale_tables.costs(10**8).splitlines()
    assert len(costs) == 2 + len(scale.ROWS)
    assert "| embed | 0.84 | 10 GB | 1 | 8 GB | 86 GB |" in costs
    assert "| prepare | 0.28 | 7.3 GB | 1 | 78 GB | 160 GB |" in costs
    stops = scale_tables.stops()
    assert "| embed | 64 GB of memory | 700,000,000 | `vae encode --part`" in stops
    assert "| evaluate, 15% for the test | 24 h on one machine | 49,000,000 |" in stops
    assert "| score | – | – |" in stops
    # 80 images take 16 ms on two cores, 2.5 ms on a machine; two machines send 1 MB in 0.8 ms, and two messages
    assert "| 2 | 1 MB | 0.9 | 74% |" in scale_tables.all_reduces()


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.00123, "0.0012"), (1.26, "1.3"), (99.6, "100"), (1234, "1,200"), (5, "5"), (9.96, "10")],
)
def test_numbers_have_two_digits(number: float, text: str) -> None:
    assert scale_tables.digits(number) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "1,000 B"), (496_468, "500 kB"), (7.85e12, "7.8 TB"), (64e9, "64 GB")]
)
def test_sizes_have_a_unit(count: float, text: str) -> None:
    assert scale_tables.size(count) == text
