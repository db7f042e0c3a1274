from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from vae.data import shards
from vae.data.shards import StoredImages, save_split
from vae.data.splits import load_split
from vae.training.batches import Replicas, batches, epoch_order, shuffled_batches


def values(dataset: tf.data.Dataset) -> list[list[float]]:
    return [batch.numpy().ravel().tolist() for batch in dataset]


def test_batches_contain_every_image_once_in_order() -> None:
    images = np.arange(10, dtype="float32").reshape(10, 1, 1, 1)
    assert values(batches(images, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize(("batch_size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (10, [10]), (12, [10])])
def test_each_epoch_contains_every_image_once_in_an_order_of_its_own(batch_size: int, sizes: list[int]) -> None:
    images = np.arange(10, dtype="float32").reshape(10, 1, 1, 1)
    found = values(shuffled_batches(images, batch_size, 7, range(3)))
    assert [len(batch) for batch in found] == sizes * 3
    steps = len(sizes)
    epochs = [[image for batch in found[i : i + steps] for image in batch] for i in range(0, 3 * steps, steps)]
    orders = [epoch_order(10, 7, epoch).tolist() for epoch in range(3)]
    assert epochs == orders
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len(set(map(tuple, [*orders, epoch_order(10, 8, 0)]))) == 4


def test_a_later_epoch_does_not_depend_on_the_earlier_ones() -> None:
    images = np.arange(10, dtype="float32").reshape(10, 1, 1, 1)
    assert values(shuffled_batches(images, 4, 7, range(2, 3))) == values(shuffled_batches(images, 4, 7, range(3)))[6:]


def test_labels_stay_with_their_images() -> None:
    images, labels = np.arange(10, dtype="float32").reshape(10, 1, 1, 1), np.arange(10, dtype=np.uint8) + 100
    for dataset in (batches(images, 4, labels), shuffled_batches(images, 4, 0, range(1), labels)):
        pairs = [(x.numpy().ravel() + 100, y.numpy()) for x, y in dataset]
        assert [len(y) for _, y in pairs] == [4, 4, 2]
        for x, y in pairs:
            np.testing.assert_array_equal(x, y)


def test_batches_are_not_autotuned_so_that_no_epoch_waits_for_the_tuning_thread() -> None:
    images = np.zeros((4, 28, 28, 1), "float32")
    for dataset in (batches(images, 2), shuffled_batches(images, 2, 0, range(1))):
        assert dataset.options().autotune.enabled is False


def test_replicas_read_only_their_own_part_of_images_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_BYTES", 12 * 60)
    save_split(tmp_path / "disk.npz", np.zeros((50, 5, 4, 3), np.uint8), None, np.array([], np.str_))
    images = load_split(tmp_path / "disk.npz").images
    assert isinstance(images, StoredImages)
    read: list[list[int]] = []

    def recorded(self: StoredImages, indices: Any) -> Any:
        read.append(np.asarray(indices).tolist())
        return whole(self, indices)

    whole = StoredImages.__getitem__
    monkeypatch.setattr(StoredImages, "__getitem__", recorded)
    parts = []
    for replica in range(2):
        read.clear()
        for _ in shuffled_batches(images, 8, 7, range(1), replicas=Replicas(range(replica, replica + 1), 2)):
            pass
        parts.append([*read])
    order = epoch_order(50, 7, 0).tolist()
    assert [one + other for one, other in zip(*parts, strict=True)] == [order[i : i + 8] for i in range(0, 50, 8)]
    assert [len(indices) for indices in parts[0]] == [4] * 6 + [1]


@pytest.mark.parametrize("labelled", [False, True])
def test_images_on_disk_give_the_same_batches_as_images_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labelled: bool
) -> None:
    levels = np.random.default_rng(0).integers(256, size=(50, 5, 4, 3), dtype=np.uint8)
    names, labels = np.array(["a", "b"]), np.arange(50, dtype=np.uint8) % 2 if labelled else None
    save_split(tmp_path / "memory.npz", levels, labels, names)
    monkeypatch.setattr(shards, "MAX_BYTES", 12 * 60)
    save_split(tmp_path / "disk.npz", levels, labels, names)
    found, specs = [], []
    for name in ("memory", "disk"):
        split = load_split(tmp_path / f"{name}.npz")
        assert isinstance(split.images, StoredImages) == (name == "disk")
        shuffled = shuffled_batches(split.images, 10, 1, range(1, 3), split.labels)
        in_order = batches(split.images, 7, split.labels)
        specs.append((shuffled.element_spec, in_order.element_spec))  # a static shape decides on rounding, too
        found.append(
            [tf.nest.map_structure(lambda x: x.numpy(), batch) for part in (shuffled, in_order) for batch in part]
        )
    assert specs[0] == specs[1]
    assert len(found[0]) == 2 * 5 + 8
    for memory, disk in zip(*found, strict=True):
        for one, other in zip(tf.nest.flatten(memory), tf.nest.flatten(disk), strict=True):
            np.testing.assert_array_equal(one, other, strict=True)


def test_binarized_batches_follow_from_seed_and_step_and_average_to_the_grey_levels() -> None:
    grey = np.random.default_rng(0).uniform(size=(50, 5, 4, 3)).astype("float32")
    labels = np.arange(50, dtype=np.uint8)

    def drawn(seed: int, epochs: range) -> list[tuple[Any, Any]]:
        data = shuffled_batches(grey, 8, seed, epochs, labels, binarize=True)
        assert data.options().autotune.enabled is False
        return [(x.numpy(), y.numpy()) for x, y in data]

    found = drawn(7, range(40))
    assert set(np.unique(np.concatenate([x for x, _ in found]))) == {0, 1}
    total = np.zeros_like(grey)
    for x, y in found:
        total[y] += x
    error = (total / 40 - grey) / np.sqrt(grey * (1 - grey) / 40)
    assert abs(error.mean()) < 4 / np.sqrt(error.size)
    assert 0.9 < error.std() < 1.1
    for (x, y), (later_x, later_y) in zip(found[7 * 38 :], drawn(7, range(38, 40)), strict=True):
        np.testing.assert_array_equal(x, later_x)
        np.testing.assert_array_equal(y, later_y)
    assert np.any(drawn(8, range(1))[0][0] != found[0][0])
    (unlabelled, *_) = (x.numpy() for x in shuffled_batches(grey, 8, 7, range(1), binarize=True))
    np.testing.assert_array_equal(unlabelled, found[0][0])
