"""The user's latent vectors, from `.csv` and `.npz` files or arrays, a batch at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vae.data.shards import pieces
from vae.errors import InputError
from vae.inference.sources import expanded
from vae.io.arrays import read_arrays

KEYS = ("z", "z_mean")
"""The names of the array in a `.npz` file, or the beginnings of the columns z_0, z_1, … of a table."""
WHOLE = 2**62
"""A batch size that leaves everything in one batch."""
Latents = NDArray[np.float32]


class Vectors(NamedTuple):
    """Some latent vectors."""

    names: NDArray[np.str_]
    """(n,)."""
    z: Latents
    """(n, latent_dim)."""


def vectors(source: Latents | Path | str | IO[str], latent_dim: int, batch_size: int) -> Iterator[Vectors]:
    """Yield latent vectors, `batch_size` at a time; the last batch may be smaller.

    Args:
        source: an array (n, latent_dim); or the path of a `.npz` file with an array `z` or `z_mean`; or of a `.csv`
            file with columns z_0, z_1, … or z_mean_0, …; or a pattern for several files, one after the other; or an
            open `.csv` file. A column or an array `name` has the names of the rows.
        latent_dim: the number of latent dimensions.
        batch_size: the largest number of vectors in a batch.

    Raises:
        InputError: the file is missing, or has no latent vectors of that width, or they are not finite.
    """
    if isinstance(source, np.ndarray):
        yield from _in_batches(source, None, "the array", latent_dim, batch_size)
    elif isinstance(source, str | Path):
        for path in expanded(source):
            yield from _in_file(Path(path), latent_dim, batch_size)
    else:
        yield from _in_table(source, "standard input", latent_dim, batch_size)


def _in_file(path: Path, latent_dim: int, batch_size: int) -> Iterator[Vectors]:
    if path.suffix.lower() == ".csv":
        yield from _in_table(path, str(path), latent_dim, batch_size)
        return
    if path.suffix.lower() != ".npz":
        raise InputError(f"{path} must end in .csv or .npz, the formats of latent vectors.")
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    arrays = read_arrays(path, optional=(*KEYS, "name"))
    if not (found := [key for key in KEYS if key in arrays]):
        raise InputError(f"{path} contains no array {' or '.join(KEYS)} of latent vectors.")
    yield from _in_batches(arrays[found[0]], arrays.get("name"), f"{path}: {found[0]}", latent_dim, batch_size)


def _in_batches(
    array: NDArray[Any], names: NDArray[Any] | None, where: str, latent_dim: int, batch_size: int
) -> Iterator[Vectors]:
    if array.ndim != 2 or array.shape[1] != latent_dim or array.dtype.kind not in "fiu":
        raise InputError(
            f"{where} is {array.dtype} of shape {array.shape}, but the model needs numbers of shape (n, {latent_dim})."
        )
    if names is not None and (names.shape != array.shape[:1] or names.dtype.kind != "U"):
        raise InputError(f"{where} has {len(array)} rows, but the array name is {names.dtype} of shape {names.shape}.")
    if not len(array):
        raise InputError(f"{where} has no rows.")
    for rows in pieces(len(array), batch_size):
        z = array[rows].astype(np.float32)
        numbers = np.arange(rows.start, rows.start + len(z)).astype(str)
        yield Vectors(numbers if names is None else names[rows], _finite(z, rows.start, where))


def _in_table(
    source: Any, where: str, latent_dim: int, batch_size: int, keys: Sequence[str] = KEYS
) -> Iterator[Vectors]:
    done = 0
    try:
        with pd.read_csv(
            source, chunksize=batch_size, dtype={"name": str}, keep_default_na=False, na_values=[""]
        ) as reader:
            for table in reader:
                columns = _columns(table, where, latent_dim, keys)
                if not len(table):
                    break
                if wrong := [name for name in columns if table[name].dtype.kind not in "fiu"]:
                    raise InputError(f"{where}: its column {wrong[0]} contains what is not a number.")
                z = table[columns].to_numpy(np.float32)
                numbers = np.arange(done, done + len(z)).astype(str)
                names = table["name"].to_numpy(str) if "name" in table else numbers
                yield Vectors(names, _finite(z, done, where))
                done += len(z)
    except FileNotFoundError:
        raise InputError(f"{where} does not exist.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{where} is not a table of comma-separated values: {' '.join(str(error).split())}.") from None
    if not done:
        raise InputError(f"{where} has no rows.")


def _columns(table: pd.DataFrame, where: str, latent_dim: int, keys: Sequence[str]) -> list[str]:
    for key in keys:
        found = [name for name in table.columns if name.startswith(f"{key}_") and name[len(key) + 1 :].isdecimal()]
        required = [f"{key}_{k}" for k in range(latent_dim)]
        if found and set(found) != set(required):
            raise InputError(
                f"{where} has {len(found)} columns {key}_…, but the model needs {latent_dim}: {required[0]} to "
                f"{required[-1]}."
            )
        if found:
            return required
    needed = " or ".join(f"{key}_0 to {key}_{latent_dim - 1}" for key in keys)
    raise InputError(f"{where} has no columns of latent vectors: {needed}.")


def _finite(z: Latents, first: int, where: str) -> Latents:
    if len(wrong := np.flatnonzero(~np.isfinite(z).all(axis=1))):
        raise InputError(f"{where}: row {first + wrong[0]} contains NaN or infinity, but must contain finite numbers.")
    return z


def read_posterior(path: Path, latent_dim: int) -> tuple[Latents, Latents]:
    """Return z_mean and z_log_var, (n, latent_dim) each, of a file that `encode` or the stage `embed` wrote.

    A pattern stands for several files, one after the other.

    Raises:
        InputError: a file is missing, lacks one of them, has another width, or numbers that are not finite.
    """
    files = [_read_posterior(Path(file), latent_dim) for file in expanded(path)]
    z_mean, z_log_var = (np.concatenate(parts) for parts in zip(*files, strict=True))
    return z_mean, z_log_var


def _read_posterior(path: Path, latent_dim: int) -> tuple[Latents, Latents]:
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    found = []
    for key in ("z_mean", "z_log_var"):
        if path.suffix.lower() == ".npz":
            parts = [*_in_batches(_array(path, key), None, f"{path}: {key}", latent_dim, WHOLE)]
        else:
            parts = [*_in_table(path, str(path), latent_dim, WHOLE, (key,))]
        found.append(np.concatenate([part.z for part in parts]))
    if len(found[0]) != len(found[1]):
        raise InputError(f"{path} has {len(found[0])} rows of z_mean, but {len(found[1])} of z_log_var.")
    return found[0], found[1]


def _array(path: Path, key: str) -> NDArray[Any]:
    arrays = read_arrays(path, optional=(key,))
    if key not in arrays:
        raise InputError(f"{path} contains no array {key}; vae encode writes z_mean and z_log_var.")
    return arrays[key]
