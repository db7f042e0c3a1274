"""Pictures made of images."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vae.errors import InputError


def first_of_each_class(labels: NDArray[np.uint8], count: int) -> NDArray[np.intp]:
    """Indices (classes * count,) of the first images of each class, class by class.

    Raises:
        InputError: a class has fewer images.
    """
    indices = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    fewest = min(map(len, indices))
    if fewest < count:
        raise InputError(
            f"visualize.reconstructions_per_class is {count}, but must be at most {fewest}: "
            "the rarest class has no more test images."
        )
    return np.concatenate(indices)


def reconstructions(
    images: NDArray[np.float32], reconstructed: NDArray[np.float32], class_names: NDArray[np.str_]
) -> Figure:
    """A column for each class; in it, each original above its reconstruction.

    Args:
        images: (classes * per_class, 28, 28, 1), class by class.
        reconstructed: the same shape.
        class_names: (classes,).
    """
    classes, per_class = len(class_names), len(images) // len(class_names)
    images, reconstructed = (array.reshape(classes, per_class, 28, 28) for array in (images, reconstructed))
    figure = Figure(figsize=(classes, 2.15 * per_class + 0.6), layout="constrained")
    figure.suptitle("Each test image above its reconstruction from the posterior mean")
    grid = figure.subplots(2 * per_class, classes, squeeze=False)
    for row in range(2 * per_class):
        for column in range(classes):
            source = reconstructed if row % 2 else images
            show(grid[row, column], source[column, row // 2])
        grid[row, 0].set_ylabel("reconstruction" if row % 2 else "original", fontsize=9)
    for axes, name in zip(grid[0], class_names, strict=True):
        axes.set_title(name, fontsize=11)
    return figure


def samples(images: NDArray[np.float32], title: str) -> Figure:
    """The images (n, 28, 28, 1) in a grid as square as can be."""
    columns = int(np.ceil(np.sqrt(len(images))))
    rows = int(np.ceil(len(images) / columns))
    figure = Figure(figsize=(0.75 * columns + 0.5, 0.75 * rows + 0.6), layout="constrained")
    figure.suptitle(title)
    for i, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        if i < len(images):
            show(axes, images[i, ..., 0])
        else:
            axes.axis("off")
    return figure


def show(axes: Axes, image: NDArray[np.float32]) -> None:
    """One image (28, 28) in [0, 1], dark on light, without ticks."""
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_color("#cccccc")
