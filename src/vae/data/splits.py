"""The prepared data: the training, validation and test splits, each a `.npz` file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.errors import InputError
from vae.io.arrays import read_arrays, save_arrays, value_range, wrong_file

SPLITS = ("train", "validation", "test")


class Split(NamedTuple):
    """Images in the form that the model requires, with their labels."""

    images: NDArray[np.float32]
    """(n, height, width, channels), in [0, 1]."""
    labels: NDArray[np.integer[Any]] | None
    """(n,), indices into `class_names`, of the `label_type`; None without labels."""
    class_names: NDArray[np.str_]
    """(classes,); empty without labels."""

    @property
    def known_labels(self) -> NDArray[np.integer[Any]]:
        """The labels, for code that needs them.

        Raises:
            InputError: the images have no labels.
        """
        if self.labels is None:
            raise InputError("the prepared images have no labels, but this stage needs them.")
        return self.labels


def label_type(classes: int) -> np.dtype[Any]:
    """Return the type of the labels of so many classes: uint8 up to 256 classes, uint16 above."""
    return np.dtype(np.uint8 if classes <= 2**8 else np.uint16)


def save_split(path: Path, split: Split) -> None:
    """Write the split as a `.npz` file, without labels if it has none.

    Raises:
        OSError: as in `vae.io.whole.whole`.
    """
    save_arrays(path, **{name: array for name, array in split._asdict().items() if array is not None})


def load_split(path: Path) -> Split:
    """Read a file that `save_split` wrote.

    Raises:
        InputError: the file is missing or damaged, or its arrays have other types, shapes or values.
    """
    arrays = read_arrays(path, "images", "class_names", optional=("labels",))
    split = Split(arrays["images"], arrays.get("labels"), arrays["class_names"])
    labels = label_type(split.class_names.size).name
    for name, dtype, dimensions in (("images", "float32", 4), ("class_names", "str", 1), ("labels", labels, 1)):
        array = getattr(split, name)
        if array is None:
            continue
        fits = array.dtype.kind == "U" if dtype == "str" else array.dtype == dtype
        if not fits or array.ndim != dimensions:
            found = f"{array.dtype} with {array.ndim} dimensions"
            raise wrong_file(path, f"array '{name}' is {found}, but must be {dtype} with {dimensions}")
    if not split.images.size:
        raise wrong_file(path, "it contains no images")
    lowest, highest = value_range(split.images)
    if not (lowest >= 0 and highest <= 1):
        raise wrong_file(path, f"array 'images' has values from {lowest:g} to {highest:g}, but must be within 0 and 1")
    if split.labels is not None:
        if len(split.labels) != len(split.images):
            raise wrong_file(path, f"it contains {len(split.labels)} labels for {len(split.images)} images")
        if split.labels.max() >= len(split.class_names):
            raise wrong_file(
                path, f"array 'labels' contains {split.labels.max()}, but must be below {len(split.class_names)}"
            )
    return split


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


def first_images(splits: Sequence[Split], count: int) -> Split:
    """Return the first `count` images of the splits, one split after the other, or all images if there are fewer.

    The result has labels if all the splits have.
    """
    images = np.concatenate([split.images for split in splits])[:count]
    labels = [split.labels for split in splits if split.labels is not None]
    known = len(labels) == len(splits)
    return Split(images, np.concatenate(labels)[:count] if known else None, splits[0].class_names)
