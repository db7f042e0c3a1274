"""From raw images to the three splits."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data.formats.dataset import DataSet, Part
from vae.data.preparation import draw_share, hold_out, normalize, split
from vae.data.splits import Split
from vae.errors import InputError

COUNTS = np.array([10, 20, 30, 43])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4, dtype=np.uint8), COUNTS))
IMAGES = np.zeros((103, 2, 2), np.uint8)
CLASS_NAMES = tuple("0123456789")


def numbered(count: int, labelled: bool = True) -> Part:
    """Return images of ten classes in turn; each image has its number as its level everywhere."""
    numbers = np.arange(count, dtype=np.uint8)
    return Part(np.tile(numbers[:, None, None], (1, 5, 4)), numbers % 10 if labelled else None)


def numbers(part: Split) -> list[int]:
    """Return the numbers of these images."""
    return [round(float(level) * 255) for level in part.images[:, 0, 0, 0]]


def test_levels_become_float32_from_0_to_1_with_a_channel() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[1, 3, 4:7] = 255, 51, 1
    normalized = normalize(images)
    assert normalized.shape == (2, 28, 28, 1)
    assert normalized.dtype == np.float32
    assert normalized[1, 3, 4:7, 0].tolist() == [1, np.float32(0.2), np.float32(1 / 255)]
    assert np.count_nonzero(normalized) == 3


def test_channels_are_kept() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 3), np.uint8)
    np.testing.assert_array_equal(normalize(images), images.astype("float32") / np.float32(255), strict=True)


@pytest.mark.parametrize("size", [4, 50, 99])
def test_validation_images_are_held_out_in_proportion(size: int) -> None:
    train, validation = hold_out(103, LABELS, size, seed=1)
    assert len(validation) == size
    assert sorted([*train, *validation]) == list(range(103))
    assert np.all(np.abs(np.bincount(LABELS[validation]) - COUNTS * size / 103) < 1)


def test_a_share_is_in_proportion_and_ascending() -> None:
    kept = draw_share(Part(IMAGES, LABELS), 0.3, seed=1)
    assert len(kept) == 31
    assert np.all(np.diff(kept) > 0)
    assert np.all(np.abs(np.bincount(LABELS[kept]) - COUNTS * 31 / 103) < 1)


def test_a_share_of_1_is_everything_in_order() -> None:
    assert draw_share(Part(IMAGES, LABELS), 1, seed=1).tolist() == list(range(103))


@pytest.mark.parametrize("labels", [LABELS, None], ids=["labelled", "unlabelled"])
def test_the_seed_decides(labels: NDArray[np.uint8] | None) -> None:
    part = Part(IMAGES, labels)
    held_out = [hold_out(103, labels, 50, seed)[1].tolist() for seed in (1, 1, 2)]
    shares = [draw_share(part, 0.5, seed).tolist() for seed in (1, 1, 2)]
    for first, again, other in (held_out, shares):
        assert first == again
        assert set(first) != set(other)


@pytest.mark.parametrize("size", [3, 100])
def test_a_validation_set_without_room_for_each_class_is_refused(size: int) -> None:
    with pytest.raises(InputError) as refused:
        hold_out(103, LABELS, size, seed=1)
    assert str(refused.value) == (
        f"prepare.validation_size is {size}, but must be from 4 to 99: there are 103 training images of 4 classes."
    )


def test_a_share_with_fewer_than_two_training_images_of_each_class_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        hold_out(7, np.array([0, 0, 1, 1, 2, 2, 3], np.uint8), 4, seed=1)
    assert str(refused.value) == (
        "prepare.share leaves 7 training images of 4 classes, "
        "but must leave two of each: one to train with, one to validate."
    )


@pytest.mark.parametrize(("share", "left"), [(0.03, 3), (0.97, 100)])
def test_a_share_without_room_for_each_class_is_refused(share: float, left: int) -> None:
    with pytest.raises(InputError) as refused:
        draw_share(Part(IMAGES, LABELS), share, seed=1)
    assert str(refused.value) == (
        f"prepare.share is {share}, which leaves {left} of 103 images, but must be 1 or leave from 4 to 99."
    )


@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
def test_the_three_splits_do_not_overlap_and_keep_each_image_with_its_label(labelled: bool) -> None:
    data = DataSet(numbered(200, labelled), numbered(100, labelled), CLASS_NAMES if labelled else ())
    parts = split(data, share=0.5, validation_size=30, seed=1)
    chosen = {name: numbers(part) for name, part in parts.items()}
    assert {name: len(indices) for name, indices in chosen.items()} == {"train": 70, "validation": 30, "test": 50}
    assert len({*chosen["train"], *chosen["validation"]}) == 100
    for name, part in parts.items():
        assert part.images.shape[1:] == (5, 4, 1)
        assert tuple(part.class_names) == data.class_names
        if labelled:
            assert part.known_labels.tolist() == [index % 10 for index in chosen[name]]
        else:
            assert part.labels is None


def test_the_test_images_keep_their_order() -> None:
    parts = split(DataSet(numbered(200), numbered(100), CLASS_NAMES), share=1, validation_size=30, seed=1)
    assert numbers(parts["test"]) == list(range(100))
