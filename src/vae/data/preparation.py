"""From raw images to the three splits: take a share of them, and hold out test and validation images."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from vae.data.formats.dataset import DataSet, Part
from vae.data.shards import RawImages
from vae.errors import InputError
from vae.io.stored import StoredRows

Labels = NDArray[np.integer[Any]] | None
Indices = NDArray[np.intp]
LEAST, LEAST_TEST = 7, 2
"""The smallest number of images in all, and of test images, that the other stages can use."""


class RawSplit(NamedTuple):
    """The images of a split as they are prepared, with their labels."""

    images: RawImages
    labels: Labels
    """(n,), or None."""
    class_names: NDArray[np.str_]


def draw_share(part: Part, share: float, seed: int, what: str = "training images") -> Indices:
    """Draw a share of the images, stratified by label if there are labels; share 1 is all of them.

    Returns:
        Indices, ascending.

    Raises:
        InputError: the share, or the rest, would have no images, or fewer than there are classes although there are two
            of each.
    """
    count = len(part.images)
    if share == 1:
        return np.arange(count)
    size, classes = round(share * count), _classes(part.labels)
    least = classes if 2 * classes <= count else 1
    if not least <= size <= count - least:
        raise InputError(
            f"prepare.share is {share:g}, which leaves {size} of {count} {what}, "
            f"but must be 1 or leave from {least} to {count - least}."
        )
    if not _can_stratify(part.labels, size):
        return np.sort(_divide_each_class(part.labels, count - size, seed)[0])
    kept, _ = train_test_split(np.arange(count), train_size=size, random_state=seed, stratify=part.labels)
    return np.sort(kept)


def hold_out(
    count: int, labels: Labels, size: float, seed: int, setting: str, least: int = 1
) -> tuple[Indices, Indices]:
    """Draw some of the training images for validation or for the test, stratified by label if there are labels.

    Where a class has too few images for that, each class is divided in proportion, as far as whole images allow, and
    keeps one image for training.

    Args:
        count: number of images.
        labels: (count,), or None.
        size: number of images to hold out, or their share if it is below 1.
        seed: seed of the draw and of the order.
        setting: the key of `size` in section `prepare`, for messages.
        least: the smallest number of images that a share becomes.

    Returns:
        Indices of the remaining training images and of those held out, both shuffled.

    Raises:
        InputError: either part would be empty.
    """
    number = max(least, round(size * count)) if size < 1 else int(size)
    if number >= count:
        raise InputError(
            f"prepare.{setting} is {size:g}, but must leave at least one of the {count:,} training images: use a share "
            "below 1, or a smaller number."
        )
    if _can_stratify(labels, number):
        train, held_out = train_test_split(np.arange(count), test_size=number, random_state=seed, stratify=labels)
        return train, held_out
    return _divide_each_class(labels, number, seed)


def _can_stratify(labels: Labels, size: int) -> bool:
    """Return whether scikit-learn can draw so many by class: each has two images, and there is room for each."""
    if labels is None:
        return True
    counts = np.unique(labels, return_counts=True)[1]
    return bool(counts.min() >= 2 and len(counts) <= size <= len(labels) - len(counts))


def _divide_each_class(labels: Labels, size: int, seed: int) -> tuple[Indices, Indices]:
    """Draw `size` images by systematic sampling within the classes; the last image of each is drawn only in need.

    The images of a class get the ranks (k + u) / n for k = 0 … n − 1, in random order, with one random u in [0, 1) for
    the class; those with the lowest ranks are drawn. A class of n images thus gives n · size / count of them, rounded
    up or down at random.
    """
    assert labels is not None
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    ranks = np.empty(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    for members in np.split(by_class, np.flatnonzero(np.diff(labels[by_class])) + 1):
        ranks[members] = (np.arange(len(members)) + rng.uniform()) / len(members)
        ranks[members[-1]] = 1 + rng.uniform()
    drawn = np.argsort(ranks, kind="stable")
    return rng.permutation(drawn[size:]), rng.permutation(drawn[:size])


def split(data: DataSet, share: float, validation_size: float, test_size: float, seed: int) -> dict[str, RawSplit]:
    """Return the three splits by name, without reading images that are not in memory.

    A data set without a test part has one held out of its training part. Then a share of each part is drawn, and
    validation images are held out of the training part, unless the data set has a validation part of its own.

    Raises:
        InputError: a part would be empty.
    """

    def chosen(part: Part, indices: Indices) -> RawSplit:
        return RawSplit(*_at_part(part, indices), names)

    names = np.array(data.class_names, np.str_)
    train, test = data.train, data.test
    if test is None:
        rest, held_out = hold_out(len(train.images), train.labels, test_size, seed, "test_size", LEAST_TEST)
        train, test = _at_part(train, np.sort(rest)), _at_part(train, np.sort(held_out))
    pool = draw_share(train, share, seed)
    if data.validation is None:
        kept, drawn = hold_out(len(pool), _at(train.labels, pool), validation_size, seed, "validation_size")
        kept, validation, drawn = pool[kept], train, pool[drawn]
    else:
        kept = np.random.default_rng(seed).permutation(pool)
        validation, drawn = data.validation, draw_share(data.validation, share, seed, "validation images")
    tested = draw_share(test, share, seed, "test images")
    _require_enough(len(kept) + len(drawn) + len(tested), len(tested))
    return {"train": chosen(train, kept), "validation": chosen(validation, drawn), "test": chosen(test, tested)}


def _require_enough(count: int, tested: int) -> None:
    """Refuse fewer images than the other stages need."""
    if count < LEAST:
        raise InputError(f"there are {count} images in all, but at least {LEAST} are needed for the maps.")
    if tested < LEAST_TEST:
        raise InputError(
            f"there is {tested} test image, but standard errors need at least {LEAST_TEST}: raise prepare.test_size, "
            "prepare.share or the number of images."
        )


def _at(labels: Labels, indices: Indices) -> Labels:
    return None if labels is None else labels[indices]


def _at_part(part: Part, indices: Indices) -> Part:
    images = part.images.take(indices) if isinstance(part.images, StoredRows) else part.images[indices]
    return Part(images, _at(part.labels, indices))


def _classes(labels: Labels) -> int:
    return 1 if labels is None else len(np.unique(labels))
