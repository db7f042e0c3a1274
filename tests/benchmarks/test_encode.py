import pytest

from benchmarks import encode


def test_the_ratio_is_of_the_times_of_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "IMAGES", 20)
    times = iter([0.0, 9.0, 9.0, 0.0, 4.0, 6.0, 0.0, 5.0, 7.0])  # of two rounds after one that traces
    monkeypatch.setattr(encode, "perf_counter", lambda: next(times))
    results = encode.measure(rounds=2)
    assert results["images_per_second"] == {"vae encode": pytest.approx((5 + 4) / 2), "predict": 10}
    assert results["ratio"] == pytest.approx((2 + 2.5) / 2)
