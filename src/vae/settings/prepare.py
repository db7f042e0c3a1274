"""Section `prepare` of `params.yaml`."""

import difflib
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from vae.errors import InputError
from vae.settings import Section
from vae.stage import OUTPUT_FOLDERS

NAMES = ("mnist", "fashion_mnist", "kmnist")
"""The names of the published data sets."""


def _number_or_share(size: float) -> float:
    if size >= 1 and size != int(size):
        raise PydanticCustomError("size", "Input should be a whole number of images, or a share below 1")
    return size


Size = Annotated[float, Field(gt=0, le=100_000_000), AfterValidator(_number_or_share)]
Side = Annotated[int, Field(ge=8, le=256)]


class Prepare(Section):
    """The data set, the form of its images, and how it is split."""

    dataset: str = Field(
        description="The data set: a name, or the path of a folder of images, of a folder of IDX files or of a `.npz` "
        "file. `mnist` is part of this repository; the other names are downloaded."
    )
    share: float = Field(gt=0, le=1, description="Share of the images of each set to use, stratified by class.")
    validation_size: Size = Field(
        description="Training images held out for early stopping, stratified by class: their share, or from 1 on their "
        "number."
    )
    test_size: Size = Field(
        description="Images held out for the test, stratified by class, if the data set has no test part: their share, "
        "or from 1 on their number."
    )
    image_size: tuple[Side, Side] | None = Field(
        description="Height and width of the prepared images; `null` keeps the size that all images have."
    )
    channels: Literal[1, 3] | None = Field(
        description="1 is grey, 3 is colour; `null` keeps what is found: 1 if every image is grey, or else 3."
    )
    fit: Literal["pad", "crop", "stretch"] = Field(
        description="How an image of another shape is fitted into `image_size`: with black bars, by cutting off its "
        "edges, or distorted."
    )
    skip_unreadable: bool = Field(description="Whether files that cannot be read are left out, instead of refused.")

    @field_validator("dataset")
    @classmethod
    def _is_a_path_that_dvc_takes(cls, dataset: str) -> str:
        if not dataset.strip() or any(unicodedata.category(character) in ("Cc", "Cs") for character in dataset):
            raise PydanticCustomError("path", "Input should be a name or a path")
        if dataset.startswith("~"):
            raise PydanticCustomError("home", "Input should be a path without ~, which DVC does not expand")
        return dataset

    @field_validator("image_size", mode="before")
    @classmethod
    def _is_a_height_and_a_width(cls, size: Any) -> Any:
        sides = tuple(size) if isinstance(size, list | tuple) else ()
        if size is not None and not (len(sides) == 2 and all(type(side) is int and 8 <= side <= 256 for side in sides)):
            raise PydanticCustomError("size", "Input should be null, or [height, width] with integers from 8 to 256")
        return sides or None


def require_data_set(dataset: str) -> None:
    """Refuse a data set that is neither a name nor a path that exists and contains no outputs.

    Raises:
        InputError: it is not; the message suggests the nearest name.
    """
    path = Path(dataset)
    if dataset in NAMES:
        return
    if not path.exists():
        close = difflib.get_close_matches(dataset.lower(), NAMES, n=1, cutoff=0.75)
        hint = f"did you mean {close[0]}?" if close else f"names are {', '.join(NAMES)}."
        raise InputError(f"prepare.dataset is {dataset!r}, but there is no such file or folder; {hint}")
    outputs = [folder for folder in OUTPUT_FOLDERS if Path(folder).resolve().is_relative_to(path.resolve())]
    if outputs:
        raise InputError(f"prepare.dataset is {dataset!r}, but must not contain the pipeline's own {outputs[0]}.")
