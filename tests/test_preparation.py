"""From raw digits to the three splits."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.datasets import Digits
from vae.errors import InputError
from vae.preparation import hold_out, normalize, split, stratified_share
from vae.splits import Split

COUNTS = np.array([10, 20, 30, 43])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4, dtype=np.uint8), COUNTS))
CLASS_NAMES = tuple("0123456789")


def digits(count: int) -> Digits:
    """Ten classes in turn; image i has the grey level i everywhere."""
    levels = np.arange(count, dtype=np.uint8)
    return Digits(np.tile(levels[:, None, None], (1, 28, 28)), levels % 10)


def levels(part: Split) -> list[int]:
    """Which of the images of `digits` these are."""
    return [round(float(level) * 255) for level in part.images[:, 0, 0, 0]]


def test_grey_levels_become_float32_from_0_to_1_with_a_channel() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[1, 3, 4:7] = 255, 51, 1
    normalized = normalize(images)
    assert normalized.shape == (2, 28, 28, 1)
    assert normalized.dtype == np.float32
    assert normalized[1, 3, 4:7, 0].tolist() == [1, np.float32(0.2), np.float32(1 / 255)]
    assert np.count_nonzero(normalized) == 3


@pytest.mark.parametrize("size", [4, 50, 99])
def test_validation_images_are_held_out_in_proportion(size: int) -> None:
    train, validation = hold_out(LABELS, size, seed=1)
    assert len(validation) == size
    assert sorted([*train, *validation]) == list(range(103))
    assert np.all(np.abs(np.bincount(LABELS[validation]) - COUNTS * size / 103) < 1)


def test_a_share_is_in_proportion_and_ascending() -> None:
    kept = stratified_share(LABELS, 0.3, seed=1)
    assert len(kept) == 31
    assert np.all(np.diff(kept) > 0)
    assert np.all(np.abs(np.bincount(LABELS[kept]) - COUNTS * 31 / 103) < 1)


def test_a_share_of_1_is_everything_in_order() -> None:
    assert stratified_share(LABELS, 1, seed=1).tolist() == list(range(103))


@pytest.mark.parametrize(
    "draw",
    [lambda seed: hold_out(LABELS, 50, seed)[1], lambda seed: stratified_share(LABELS, 0.5, seed)],
    ids=["hold_out", "stratified_share"],
)
def test_the_seed_decides(draw: Callable[[int], NDArray[np.intp]]) -> None:
    np.testing.assert_array_equal(draw(1), draw(1))
    assert set(draw(1)) != set(draw(2))


@pytest.mark.parametrize("size", [3, 100])
def test_a_validation_set_without_room_for_each_class_is_refused(size: int) -> None:
    with pytest.raises(InputError) as refused:
        hold_out(LABELS, size, seed=1)
    assert str(refused.value) == (
        f"prepare.validation_size is {size}, but must be from 4 to 99: there are 103 training images of 4 classes."
    )


def test_fewer_images_than_two_of_each_class_are_the_fault_of_the_share() -> None:
    message = (
        r"^prepare\.share leaves 7 training images of 4 classes, "
        r"but must leave two of each: one to train with, one to validate\.$"
    )
    with pytest.raises(InputError, match=message):
        hold_out(np.array([0, 0, 1, 1, 2, 2, 3], np.uint8), 4, seed=1)


@pytest.mark.parametrize(("share", "left"), [(0.03, 3), (0.97, 100)])
def test_a_share_without_room_for_each_class_is_refused(share: float, left: int) -> None:
    with pytest.raises(InputError) as refused:
        stratified_share(LABELS, share, seed=1)
    assert str(refused.value) == (
        f"prepare.share is {share}, which leaves {left} of 103 images, but must be 1 or leave from 4 to 99."
    )


def test_the_three_splits_are_apart_and_keep_each_image_with_its_label() -> None:
    parts = split(digits(200), digits(100), CLASS_NAMES, share=0.5, validation_size=30, seed=1)
    chosen = {name: levels(part) for name, part in parts.items()}
    assert {name: len(indices) for name, indices in chosen.items()} == {"train": 70, "validation": 30, "test": 50}
    assert len({*chosen["train"], *chosen["validation"]}) == 100
    for name, part in parts.items():
        assert part.labels.tolist() == [index % 10 for index in chosen[name]]
        assert tuple(part.class_names) == CLASS_NAMES


def test_the_test_images_stay_in_their_order() -> None:
    parts = split(digits(200), digits(100), CLASS_NAMES, share=1, validation_size=30, seed=1)
    assert levels(parts["test"]) == list(range(100))
