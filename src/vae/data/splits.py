"""The prepared data: the training, validation and test splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data.shards import FIT, Images, StoredImages, shard_paths
from vae.errors import InputError
from vae.io.arrays import read_arrays, value_range, wrong_file
from vae.io.stored import StoredRows, concatenated, stored_array

SPLITS = ("train", "validation", "test")

Labels = NDArray[np.integer[Any]]


class Split(NamedTuple):
    """Images in the form that the model requires, with their labels."""

    images: Images
    """(n, height, width, channels), in [0, 1]; read when they are asked for if they are too many for one file."""
    labels: Labels | None
    """(n,), indices into `class_names`, of the `label_type`; None without labels."""
    class_names: NDArray[np.str_]
    """(classes,); empty without labels."""
    fit: str = FIT
    """How images of another shape were fitted into theirs: as `prepare.fit`."""

    @property
    def known_labels(self) -> Labels:
        """The labels, for code that needs them.

        Raises:
            InputError: the images have no labels.
        """
        if self.labels is None:
            raise InputError("the prepared images have no labels, but this stage needs them.")
        return self.labels

    def take(self, rows: slice | NDArray[np.integer[Any]]) -> "Split":
        """Return some of the images, in memory, with their labels."""
        return self._replace(images=self.images[rows], labels=None if self.labels is None else self.labels[rows])


def label_type(classes: int) -> np.dtype[Any]:
    """Return the type of the labels of so many classes: uint8 up to 256 classes, uint16 above."""
    return np.dtype(np.uint8 if classes <= 2**8 else np.uint16)


def load_split(path: Path) -> Split:
    """Read a split that `vae.data.shards.save_split` wrote: into memory if it is one file of float32.

    Args:
        path: the first file.

    Raises:
        InputError: a file is missing or damaged, or its arrays have other types, shapes or values.
    """
    paths = shard_paths(path)
    fit = str(read_arrays(path, optional=("fit",)).get("fit", FIT))
    if len(paths) == 1:
        arrays = read_arrays(path, "images", "class_names", optional=("labels",))
        split = Split(arrays["images"], arrays.get("labels"), arrays["class_names"], fit)
        if split.images.dtype != np.uint8:  # else it is the only shard of levels
            _check(path, split.images, split.labels, split.class_names, types=("float32",))
            return split
    shards = [_load_shard(shard) for shard in paths]
    (first, _, class_names), parts = shards[0], [labels for _, labels, _ in shards if labels is not None]
    for shard, (rows, labels, names) in zip(paths, shards, strict=True):
        same = rows.dtype == first.dtype and rows.row_shape == first.row_shape and np.array_equal(names, class_names)
        if not same or (labels is None) == bool(parts):
            raise wrong_file(shard, f"its images, labels or classes do not match {path}")
    images = StoredImages(concatenated([rows for rows, _, _ in shards]))
    return Split(images, np.concatenate(parts) if parts else None, class_names, fit)


def _load_shard(path: Path) -> tuple[StoredRows, Labels | None, NDArray[np.str_]]:
    arrays = read_arrays(path, "class_names", optional=("labels",))
    shard = stored_array(path, "images"), arrays.get("labels"), arrays["class_names"]
    _check(path, *shard, types=("float32", "uint8"))
    return shard


def _check(path: Path, images: Any, labels: Labels | None, class_names: NDArray[np.str_], types: Sequence[str]) -> None:
    """Refuse arrays that `save_split` does not write. The values of stored images are checked when they are read."""
    label = label_type(class_names.size).name
    for name, array, kinds, dimensions in (
        ("images", images, types, 4),
        ("class_names", class_names, ("str",), 1),
        ("labels", labels, (label,), 1),
    ):
        if array is None:
            continue
        kind = "str" if array.dtype.kind == "U" else array.dtype.name
        if kind not in kinds or array.ndim != dimensions:
            found = f"{array.dtype} with {array.ndim} dimensions"
            raise wrong_file(path, f"array '{name}' is {found}, but must be {' or '.join(kinds)} with {dimensions}")
    if 0 in images.shape:
        raise wrong_file(path, "it contains no images")
    if isinstance(images, np.ndarray):
        lowest, highest = value_range(images)
        if not (lowest >= 0 and highest <= 1):
            found = f"values from {lowest:g} to {highest:g}"
            raise wrong_file(path, f"array 'images' has {found}, but must be within 0 and 1")
    if labels is not None:
        if len(labels) != len(images):
            raise wrong_file(path, f"it contains {len(labels)} labels for {len(images)} images")
        if labels.max() >= len(class_names):
            raise wrong_file(path, f"array 'labels' contains {labels.max()}, but must be below {len(class_names)}")


def load_splits(
    folder: Path,
    names: Sequence[str] = SPLITS,
    *,
    image_shape: tuple[int, ...] | None = None,
) -> list[Split]:
    """Read several splits from the folder of the prepared data.

    Args:
        folder: the folder.
        names: the names of the splits.
        image_shape: the required shape of an image, (height, width, channels); None requires the shape of the first
            split.

    Raises:
        InputError: as in `load_split`; or the images have another shape, or some splits have labels and others do not.
    """
    splits: list[Split] = []
    for name in names:
        path = folder / f"{name}.npz"
        split = load_split(path)
        shape = split.images.shape[1:]
        image_shape = image_shape or shape
        if shape != image_shape:
            raise wrong_file(path, f"its images have the shape {shape}, but must have {image_shape}")
        if splits and (split.labels is None) != (splits[0].labels is None):
            has, other = ("no ", "") if split.labels is None else ("", "no ")
            raise wrong_file(path, f"it contains {has}labels, but {folder / names[0]}.npz contains {other}labels")
        splits.append(split)
    return splits


def missing_classes(split: Split) -> str:
    """Return why no classes can be told apart in the split, or an empty string if they can."""
    if split.labels is None:
        return "the images have no labels"
    return "" if len(np.unique(split.labels)) > 1 else "all images are of one class"


def sample(split: Split, count: int, seed: int) -> Split:
    """Return `count` images at random, in memory and in their order, or all images if there are fewer."""
    return split.take(sample_rows(len(split.images), count, seed))


def sample_rows(total: int, count: int, seed: int) -> slice | NDArray[np.int64]:
    """Return the indices of `count` of `total` rows at random, in their order, or all rows if there are fewer."""
    return slice(None) if total <= count else np.sort(np.random.default_rng(seed).choice(total, count, replace=False))


def first_images(splits: Sequence[Split], count: int) -> Split:
    """Return the first `count` images of the splits, one split after the other, or all images if there are fewer.

    The result is in memory. It has labels if all the splits have.
    """
    parts: list[Split] = []
    for split in splits:
        parts.append(split.take(slice(count - sum(len(part.images) for part in parts))))
    labels = [part.labels for part in parts if part.labels is not None]
    known = len(labels) == len(parts)
    arrays = [part.images[:] for part in parts if len(part.images)]
    images = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)  # a copy only where there are several
    return splits[0]._replace(images=images, labels=np.concatenate(labels) if known else None)
