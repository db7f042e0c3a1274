"""The files of a prepared split: one, or shards for a split that would not fit."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from vae.io.arrays import save_arrays, value_range, wrong_file
from vae.io.stored import StoredRows
from vae.io.whole import whole

MAX_BYTES = 250_000_000
"""The largest size of the images in a file, which leaves room for labels below 256 MB."""
INDEX = "files.txt"
"""The list of a split's files, one a line, in the folder of its shards."""
FIT = "pad"
"""How images of another shape were fitted into a split's, unless the split says otherwise: as `prepare.fit`."""
TOGETHER = 2**22
"""Values that are read at a time where all are needed in turn: 16 MB as float32."""


class StoredImages:
    """The images (n, height, width, channels) of a large split, read when they are asked for.

    Indexing returns the same arrays as if the images were in memory: float32 in [0, 1].

    Args:
        rows: the stored images: uint8 from 0 to 255, or float32 from 0 to 1.
    """

    def __init__(self, rows: StoredRows) -> None:
        self.rows = rows

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, height, width, channels)."""
        return self.rows.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions, 4."""
        return self.rows.ndim

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """The type of the images that are read."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice | NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Read images: of a slice, or of indices of any shape (…), which gives (…, height, width, channels).

        Raises:
            InputError: a value is not from 0 to 1, or a file is shorter than it was.
        """
        values = self.rows[rows]
        if values.dtype == np.float32 and values.size:
            lowest, highest = value_range(values)
            if not (lowest >= 0 and highest <= 1):
                found = f"images with values from {lowest:g} to {highest:g}"
                raise wrong_file(
                    Path(self.rows.files[0].name), f"it or a shard has {found}, but must be within 0 and 1"
                )
        return normalize(values)


Images: TypeAlias = NDArray[np.float32] | StoredImages
"""(n, height, width, channels), in [0, 1]: in memory, or read when they are asked for."""
RawImages: TypeAlias = NDArray[np.uint8] | NDArray[np.float32] | StoredRows
"""(n, height, width) or (n, height, width, channels): levels from 0 to 255, or float32 from 0 to 1."""


def normalize(images: NDArray[Any]) -> NDArray[np.float32]:
    """Convert levels in 0 … 255 to float32 in [0, 1]; float32 in [0, 1] stays as it is."""
    return images if images.dtype == np.float32 else images.astype(np.float32) / np.float32(255)


def pieces(count: int, together: int) -> Iterator[slice]:
    """Yield the rows of each piece of an array of `count` rows, in order: `together` rows, or less at the end."""
    return (slice(start, start + together) for start in range(0, count, together))


def at_once(image_shape: Sequence[int]) -> int:
    """Return how many images of that shape to read at a time, so that a piece has at most `TOGETHER` values."""
    return max(1, TOGETHER // math.prod(image_shape))


def shard_folder(path: Path) -> Path:
    """Return the folder of the files that continue a split: `train.shards` for `train.npz`."""
    return path.with_suffix(".shards")


def shard_paths(path: Path) -> list[Path]:
    """Return all files of a split in order, the first one, which is `path`, included.

    Raises:
        InputError: one of them is missing.
    """
    folder = shard_folder(path)
    names = (folder / INDEX).read_text(encoding="utf-8").split() if (folder / INDEX).exists() else []
    paths = [path, *(folder / name for name in names[1:])]
    if missing := [further for further in paths[1:] if not further.exists()]:
        raise wrong_file(path, f"its shard {missing[0]} is missing")
    return paths


def save_split(
    path: Path,
    images: RawImages | StoredImages,
    labels: NDArray[np.integer[Any]] | None,
    class_names: NDArray[np.str_],
    fit: str = FIT,
) -> None:
    """Write a split: as one file of float32 if that is at most `MAX_BYTES`, or else as shards of the images' own type.

    In shards, levels stay uint8, which take a quarter of the space; reading gives the same numbers.

    Args:
        path: the first file. The others get into its `shard_folder`, with a list of all in `INDEX`.
        images: the images.
        labels: (n,), or None.
        class_names: (classes,).
        fit: how images of another shape were fitted into theirs. It is written unless it is `FIT`.

    Raises:
        OSError: as in `vae.io.whole.whole`.
    """
    folder, size = shard_folder(path), int(np.prod(images.shape[1:]))
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.npz"):
        old.unlink()
    single = 4 * size * len(images) <= MAX_BYTES
    together = len(images) if single else max(1, MAX_BYTES // (size * images.dtype.itemsize))
    parts = [*pieces(len(images), together)]
    paths = [path, *(folder / f"{number}.npz" for number in range(2, len(parts) + 1))]
    bar = tqdm(zip(paths, parts, strict=True), path.name, len(parts), unit="file", disable=len(parts) == 1 or None)
    for file, rows in bar:
        part = images[rows]
        part = part if part.ndim == 4 else part[..., np.newaxis]
        save_arrays(
            file,
            images=normalize(part) if single else part,
            **({} if labels is None else {"labels": labels[rows]}),
            class_names=class_names,
            **({} if fit == FIT else {"fit": np.array(fit)}),
        )
    with whole(folder / INDEX) as index:
        index.write_text("\n".join([f"../{path.name}", *(file.name for file in paths[1:])]) + "\n", encoding="utf-8")
