"""Results in files: `.csv`, `.npz`, one PNG sheet of images, or a folder with a PNG of each image."""

import io
import math
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from vae.data.formats.listing import SUFFIXES
from vae.errors import InputError
from vae.io.whole import whole

Results = Mapping[str, NDArray[Any]]
"""Arrays (n, …) by name, with the same n: the results for some rows. `name` has the names of the rows."""
FORMATS = ("csv", "npz", "png")
STANDARD_OUTPUT = "-"
MAX_SHEET = 2500
"""The most images of a sheet."""
GAP, PAPER = 2, 128
"""The pixels between two images of a sheet, and their level."""


class Output(NamedTuple):
    """Where results are written."""

    target: str
    """A path, or `-` for standard output."""
    format: str
    """One of `FORMATS`."""
    is_folder: bool
    """Whether each image becomes a file."""

    @property
    def is_standard(self) -> bool:
        """Whether this is standard output."""
        return self.target == STANDARD_OUTPUT


def open_output(target: str, form: str | None = None, *, force: bool = False, images: bool = True) -> Output:
    """Decide how results are written, before anything is computed.

    Args:
        target: a path that ends in `.csv`, `.npz` or `.png`; a folder, which exists or ends in `/`; or `-`.
        form: one of `FORMATS`, whatever the path ends in; needed for `-` unless it is `csv`.
        force: whether an existing file may be overwritten.
        images: whether the results are images, which fit a PNG.

    Raises:
        InputError: the format is not known or does not fit, or the file exists.
    """
    path = Path(target)
    suffix = path.suffix.lower().removeprefix(".")
    is_folder = target != STANDARD_OUTPUT and (target.endswith(("/", os.sep)) or path.is_dir())
    form = form or ("png" if is_folder else "csv" if target == STANDARD_OUTPUT else suffix)
    allowed = FORMATS if images else FORMATS[:2]
    if form not in allowed:
        suffixes = " or ".join([*(f".{name}" for name in allowed), *["/ (a folder of PNG files)"] * images])
        raise InputError(f"the output is {target}, but must end in {suffixes}.")
    if is_folder and form != "png":
        raise InputError(f"the output {target} is a folder, but a {form} file is one file; name it.")
    if wrong := [folder for folder in path.parents if folder.exists() and not folder.is_dir()]:
        raise InputError(f"the output is {target}, but {wrong[0]} is not a folder.")
    if target != STANDARD_OUTPUT and not force:
        if path.is_file():
            raise InputError(f"{target} exists already; --force overwrites it.")
        if path.is_dir() and any(path.iterdir()):
            raise InputError(f"{target} is a folder that is not empty; --force overwrites files in it.")
    return Output(target, form, is_folder)


def write(results: Iterable[Results], output: Output, columns: int | None = None) -> int:
    """Write results as they come, each file whole or not at all, and return the number of rows.

    Args:
        results: the results for some rows at a time, all with the same names.
        output: where to.
        columns: the images in a row of a sheet; None makes the sheet about square.

    Raises:
        InputError: there are too many images for a sheet.
        OSError: as in `vae.io.whole.whole`.
    """
    if output.is_folder:
        return _write_folder(results, Path(output.target))
    if output.format == "csv":
        with _text(output) as file:
            return _write_csv(results, file)
    with _binary(output) as binary:
        if output.format == "npz":
            return _write_npz(results, binary)
        return _write_sheet(results, binary, columns)


@contextmanager
def _text(output: Output) -> Iterator[IO[str]]:
    if output.is_standard:
        yield sys.stdout
        return
    with whole(Path(output.target)) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _binary(output: Output) -> Iterator[IO[bytes]]:
    if output.is_standard:
        yield sys.stdout.buffer
        return
    with whole(Path(output.target)) as part, part.open("wb") as file:
        yield file


def _write_csv(results: Iterable[Results], file: IO[str]) -> int:
    """Write a table with a column for each number: `z_mean_0`, `z_mean_1` and so on. Float32 survives exactly."""
    count = 0
    for some in results:
        table: dict[str, NDArray[Any]] = {}
        for name, values in some.items():
            flat = values.reshape(len(values), -1)
            table |= {name: values} if values.ndim == 1 else {f"{name}_{k}": flat[:, k] for k in range(flat.shape[1])}
        pd.DataFrame(table).to_csv(file, header=not count, index=False, float_format="%.9g", lineterminator="\n")
        count += len(next(iter(some.values())))
    return count


def _write_npz(results: Iterable[Results], file: IO[bytes]) -> int:
    """Write a file that `np.load` opens; the arrays grow in temporary files, and only the names in memory."""
    names: list[NDArray[Any]] = []
    arrays: dict[str, tuple[IO[bytes], NDArray[Any]]] = {}
    count = 0
    with ExitStack() as stack:
        for some in results:
            count += len(next(iter(some.values())))
            for name, values in some.items():
                if values.dtype.kind == "U":
                    names.append(values)
                    continue
                if name not in arrays:
                    arrays[name] = stack.enter_context(tempfile.TemporaryFile()), values[:0]
                arrays[name][0].write(np.ascontiguousarray(values).data)
        with zipfile.ZipFile(file, "w") as archive:
            for name, (spool, empty) in arrays.items():
                _add(archive, name, spool, (count, *empty.shape[1:]), empty.dtype)
            if names:
                whole_names = np.concatenate(names)
                _add(archive, "name", io.BytesIO(whole_names.tobytes()), whole_names.shape, whole_names.dtype)
    return count


def _add(archive: zipfile.ZipFile, name: str, values: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(entry, header)
        values.seek(0)
        shutil.copyfileobj(values, entry, 2**20)


def _write_folder(results: Iterable[Results], folder: Path) -> int:
    """Write each image into a file with the name of its row; folders in a name become folders."""
    count, written = 0, set[Path]()
    for some in results:
        for name, image in zip(some["name"], some["image"], strict=True):
            path = folder / _file_name(str(name))
            if path in written:
                path = path.with_name(f"{path.stem}-{count}.png")
            with whole(path) as part:
                _picture(image).save(part)
            written.add(path)
            count += 1
    return count


def _file_name(name: str) -> PurePath:
    """Return the path of a row's PNG below the folder: `photos/cat/1.png` for `/photos/cat/1.jpg`, `7.png` for `7`."""
    path = PurePath(*(part for part in PurePath(name).parts if part not in (PurePath(name).anchor, "..")))
    return path.with_suffix(".png") if path.suffix.lower() in SUFFIXES else path.with_name(f"{path.name}.png")


def _write_sheet(results: Iterable[Results], file: IO[bytes], columns: int | None) -> int:
    """Write all images into one picture, row by row; an image and its reconstruction lie next to each other."""
    cells: list[NDArray[np.uint8]] = []
    for some in results:
        shown = [levels(some[key]) for key in ("original", "image") if key in some]
        cells += [*np.concatenate(shown, axis=2)]
        if len(cells) > MAX_SHEET:
            raise InputError(
                f"a picture has room for {MAX_SHEET:,} images: name a folder, with / at its end, or a .npz file."
            )
    height, width, channels = cells[0].shape
    across = columns or max(1, round(math.sqrt(len(cells) * height / width)))
    down = math.ceil(len(cells) / across)
    shape = down * (height + GAP) - GAP, across * (width + GAP) - GAP, channels
    sheet: NDArray[np.uint8] = np.full(shape, PAPER, np.uint8)
    for number, cell in enumerate(cells):
        top, left = (number // across) * (height + GAP), (number % across) * (width + GAP)
        sheet[top : top + height, left : left + width] = cell
    picture = io.BytesIO()  # Pillow seeks, which standard output cannot
    Image.fromarray(sheet[..., 0] if channels == 1 else sheet).save(picture, "PNG")
    file.write(picture.getbuffer())
    return len(cells)


def levels(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the nearest of the 256 levels of values in [0, 1], of any shape."""
    return np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)


def _picture(image: NDArray[np.float32]) -> Image.Image:
    pixels = levels(image)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
