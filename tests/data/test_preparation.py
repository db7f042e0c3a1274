"""From raw images to the three splits."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vae.data.formats.dataset import DataSet, Part
from vae.data.formats.spool import spooled
from vae.data.preparation import RawSplit, draw_share, hold_out, split
from vae.data.shards import normalize
from vae.errors import InputError
from vae.io.stored import StoredRows

COUNTS = np.array([10, 20, 30, 43])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4, dtype=np.uint8), COUNTS))
IMAGES = np.zeros((103, 2, 2), np.uint8)
CLASS_NAMES = tuple("0123456789")
SETTING = "validation_size"


def numbered(count: int, labelled: bool = True) -> Part:
    """Return images of ten classes in turn; each image has its number as its level everywhere."""
    numbers = np.arange(count, dtype=np.uint8)
    return Part(np.tile(numbers[:, None, None], (1, 5, 4)), numbers % 10 if labelled else None)


def numbers(part: RawSplit) -> list[int]:
    """Return the numbers of these images."""
    return [int(level) for level in part.images[:][:, 0, 0]]


def label_list(part: RawSplit) -> list[int]:
    """Return the labels of these images; nothing without labels."""
    return [] if part.labels is None else part.labels.tolist()


def test_levels_become_float32_from_0_to_1() -> None:
    levels = np.array([[0, 1, 51], [254, 255, 7]], np.uint8)
    normalized = normalize(levels)
    np.testing.assert_array_equal(normalized, levels.astype("float32") / np.float32(255), strict=True)
    assert [float(normalized[0, 2]), float(normalized[1, 1])] == [np.float32(0.2), 1]
    assert normalize(normalized) is normalized


@pytest.mark.parametrize("size", [4, 50, 99])
def test_validation_images_are_held_out_in_proportion(size: int) -> None:
    train, validation = hold_out(103, LABELS, size, 1, SETTING)
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
    held_out = [hold_out(103, labels, 50, seed, SETTING)[1].tolist() for seed in (1, 1, 2)]
    shares = [draw_share(part, 0.5, seed).tolist() for seed in (1, 1, 2)]
    for first, again, other in (held_out, shares):
        assert first == again
        assert set(first) != set(other)


@pytest.mark.parametrize(("size", "count"), [(0.1, 10), (0.001, 1), (0.99, 102), (1, 1), (99.0, 99)])
def test_a_size_is_a_share_below_1_and_a_number_from_1_on(size: float, count: int) -> None:
    assert len(hold_out(103, LABELS, size, 1, SETTING)[1]) == count


def test_the_default_share_of_mnist_is_5000() -> None:
    train, validation = hold_out(60_000, None, 0.08333, 1, SETTING)
    assert (len(train), len(validation)) == (55_000, 5_000)


@pytest.mark.parametrize(("count", "size"), [(103, 103), (103, 5000), (1, 0.1), (2, 0.9)])
def test_a_size_that_leaves_no_training_images_is_refused(count: int, size: float) -> None:
    with pytest.raises(InputError) as refused:
        hold_out(count, LABELS[:count], size, 1, "test_size")
    assert str(refused.value) == (
        f"prepare.test_size is {size:g}, but must leave at least one of the {count} training images: use a share below "
        "1, or a smaller number."
    )


def test_a_share_of_single_images_is_drawn() -> None:
    part = Part(np.zeros((10, 2, 2), np.uint8), np.arange(10))
    assert len(draw_share(part, 0.5, seed=1)) == 5
    with pytest.raises(InputError, match="leaves 0 of 10 training images, but must be 1 or leave from 1 to 9"):
        draw_share(part, 0.01, seed=1)


@pytest.mark.parametrize(
    ("count", "test_size", "message"),
    [
        (6, 0.15, "there are 6 images in all, but at least 7 are needed for the maps."),
        (20, 1, "there is 1 test image, but standard errors need at least 2: raise prepare.test_size, "),
    ],
)
def test_fewer_images_than_the_other_stages_need_are_refused(count: int, test_size: float, message: str) -> None:
    data = DataSet(Part(np.zeros((count, 8, 8), np.uint8), None), None, ())
    with pytest.raises(InputError) as refused:
        split(data, share=1, validation_size=0.1, test_size=test_size, seed=1)
    assert str(refused.value).startswith(message)


def test_a_share_of_a_small_set_holds_out_two_test_images() -> None:
    data = DataSet(Part(np.zeros((8, 8, 8), np.uint8), None), None, ())
    parts = split(data, share=1, validation_size=0.1, test_size=0.1, seed=1)
    assert [len(parts[name].images) for name in ("train", "validation", "test")] == [5, 1, 2]


IMBALANCED = {
    "a class with one image": [50, 1, 20],
    "single images only": [1] * 9,
    "one class": [30],
    "more classes than held-out images": [3] * 40,
    "one large class": [2000, 1, 1, 2, 3],
    "1,000 classes": [*range(1, 1001)],
}


@pytest.mark.parametrize("counts", IMBALANCED.values(), ids=IMBALANCED)
@pytest.mark.parametrize("size", [0.1, 0.5, 1])
def test_any_imbalance_is_held_out_in_proportion(counts: list[int], size: float) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    train, held_out = hold_out(len(labels), labels, size, 1, SETTING)
    assert sorted([*train, *held_out]) == list(range(len(labels)))
    drawn = np.bincount(labels[held_out], minlength=len(counts))
    assert drawn.sum() == (1 if size == 1 else max(1, round(size * len(labels))))
    if len(counts) <= len(train) and max(counts) > 1:
        assert set(labels[train]) == set(labels)
    expected = drawn.sum() * np.array(counts) / len(labels)
    assert np.all(np.abs(drawn - expected) < 2)


def test_a_share_of_classes_with_single_images_is_drawn() -> None:
    labels = np.repeat(np.arange(4), [1, 1, 10, 20])
    part = Part(np.zeros((32, 2, 2), np.uint8), labels)
    kept = draw_share(part, 0.5, seed=1)
    assert len(kept) == 16
    assert set(labels[kept]) == {0, 1, 2, 3}
    assert np.all(np.diff(kept) > 0)


@pytest.mark.parametrize(("share", "left"), [(0.03, 3), (0.97, 100)])
def test_a_share_without_room_for_each_class_is_refused(share: float, left: int) -> None:
    with pytest.raises(InputError) as refused:
        draw_share(Part(IMAGES, LABELS), share, seed=1)
    assert str(refused.value) == (
        f"prepare.share is {share}, which leaves {left} of 103 training images, but must be 1 or leave from 4 to 99."
    )


@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
def test_the_three_splits_do_not_overlap_and_keep_each_image_with_its_label(labelled: bool) -> None:
    data = DataSet(numbered(200, labelled), numbered(100, labelled), CLASS_NAMES if labelled else ())
    parts = split(data, share=0.5, validation_size=30, test_size=0.15, seed=1)
    chosen = {name: numbers(part) for name, part in parts.items()}
    assert {name: len(indices) for name, indices in chosen.items()} == {"train": 70, "validation": 30, "test": 50}
    assert len({*chosen["train"], *chosen["validation"]}) == 100
    for name, part in parts.items():
        assert part.images.shape[1:] == (5, 4)
        assert tuple(part.class_names) == data.class_names
        assert label_list(part) == ([index % 10 for index in chosen[name]] if labelled else [])


def test_the_test_images_keep_their_order() -> None:
    parts = split(
        DataSet(numbered(200), numbered(100), CLASS_NAMES), share=1, validation_size=30, test_size=0.15, seed=1
    )
    assert numbers(parts["test"]) == list(range(100))


@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
def test_without_a_test_part_one_is_held_out_in_order(labelled: bool) -> None:
    data = DataSet(numbered(200, labelled), None, CLASS_NAMES if labelled else ())
    parts = split(data, share=1, validation_size=0.1, test_size=0.2, seed=1)
    chosen = {name: numbers(part) for name, part in parts.items()}
    assert {name: len(found) for name, found in chosen.items()} == {"train": 144, "validation": 16, "test": 40}
    assert sorted(number for found in chosen.values() for number in found) == list(range(200))
    assert chosen["test"] == sorted(chosen["test"])
    if labelled:
        for name, part in parts.items():
            assert label_list(part) == [number % 10 for number in chosen[name]]
        assert np.bincount(label_list(parts["test"])).tolist() == [4] * 10


def test_a_validation_part_of_its_own_is_used() -> None:
    data = DataSet(numbered(200), numbered(60), CLASS_NAMES, validation=numbered(40))
    parts = split(data, share=1, validation_size=0.1, test_size=0.2, seed=1)
    assert sorted(numbers(parts["train"])) == list(range(200))
    assert numbers(parts["train"]) != list(range(200))
    assert [numbers(parts[name]) for name in ("validation", "test")] == [list(range(40)), list(range(60))]


def test_images_that_are_not_in_memory_are_split_like_those_that_are() -> None:
    train, test = numbered(200), numbered(60)
    stored = [part._replace(images=spooled([part.images[:50], part.images[50:]])) for part in (train, test)]
    found, expected = (
        split(DataSet(*parts, CLASS_NAMES), 0.5, 0.1, 0.2, seed=1) for parts in ((stored[0], stored[1]), (train, test))
    )
    for name, part in found.items():
        assert isinstance(part.images, StoredRows)
        np.testing.assert_array_equal(part.images[:], expected[name].images[:], strict=True)
        assert label_list(part) == label_list(expected[name])
