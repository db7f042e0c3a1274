"""What a card says about the images: of the published data sets, and of a user's own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class DataSet(NamedTuple):
    """A set of images."""

    title: str
    hub_id: str
    """Its name on Hugging Face, for the list of data sets there; empty if it has none."""
    license: str
    """The identifier of its licence there."""
    about: str
    limit: str
    """What follows from where the images come from."""


PUBLISHED: Mapping[str, DataSet] = MappingProxyType(
    {
        "mnist": DataSet(
            "MNIST",
            "ylecun/mnist",
            "cc-by-sa-3.0",
            "60,000 training and 10,000 test images of handwritten digits, by Yann LeCun, Corinna Cortes and "
            "Christopher J. C. Burges, derived from the NIST Special Databases 1 and 3, under CC BY-SA 3.0.",
            "The digits were written by employees of the US Census Bureau and by high-school students, and each is "
            "centred and scaled: the model has seen no other hands, pens, scripts or positions.",
        ),
        "fashion_mnist": DataSet(
            "Fashion-MNIST",
            "zalando-datasets/fashion_mnist",
            "mit",
            "60,000 training and 10,000 test images of clothes, by Han Xiao, Kashif Rasul and Roland Vollgraf, "
            "© 2017 Zalando SE, under the MIT licence.",
            "The pictures are small grey versions of one shop's product photographs, each of one centred piece: the "
            "model has seen no people, no backgrounds and no other views.",
        ),
        "kmnist": DataSet(
            "KMNIST",
            "",
            "cc-by-sa-4.0",
            "60,000 training and 10,000 test images of cursive Japanese characters: the KMNIST Dataset (created by "
            "CODH), adapted from the Kuzushiji Dataset (created by NIJL and others), doi:10.20676/00000341, under "
            "CC BY-SA 4.0.",
            "The ten characters were cut out of old books, and each is centred and scaled: the model has seen no "
            "modern handwriting, and no other characters.",
        ),
    }
)
"""By the name in `prepare.dataset`."""

OWN = DataSet(
    "own images",
    "",
    "unknown",
    "Images of the person who trained the model. They are not part of this project, and their origin and licence are "
    "not recorded.",
    "Nothing is recorded about where the images come from, who or what they show, and whether what a model learned "
    "from them may be shared. Add that before you publish the model.",
)


def data_set(dataset: str, title: str | None = None) -> DataSet:
    """Return what is known about the images that `prepare.dataset` names.

    Args:
        dataset: its value. A path is never shown: it may contain names of people and machines.
        title: what to call a user's own images; None calls them that.
    """
    known = PUBLISHED.get(dataset, OWN)
    return known._replace(title=title) if known is OWN and title else known
