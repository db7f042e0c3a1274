from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vae.errors import InputError
from vae.training.data_sets import data_sets


def model(replicas: int, side: int) -> Any:
    """Return what `data_sets` looks at in a model before it divides the batches."""
    return SimpleNamespace(
        checked_labels=lambda labels, count: labels,
        distribute_strategy=SimpleNamespace(num_replicas_in_sync=replicas),
        image_shape=(side, side, 1),
        outputs=1,
    )


@pytest.mark.parametrize(
    ("batch_size", "side", "counts", "reason"),
    [
        (3, 1, (1200, 9), "with train.batch_size 3, the smallest batch of the 1,200 training images has 3, too few"),
        (8, 1, (1201, 9), "with train.batch_size 8, the smallest batch of the 1,201 training images has 1, too few"),
        (8, 512, (1200, 9), "the 9 validation images cannot be divided between 4 replicas in batches of at most 4:"),
        (8, 1, (1200, 3), "the 3 validation images cannot be divided between 4 replicas in batches of at most 500:"),
    ],
)
def test_batches_without_an_image_for_each_replica_are_refused(
    batch_size: int, side: int, counts: tuple[int, int], reason: str
) -> None:
    train, validation = (np.broadcast_to(np.float32(0), (count, side, side, 1)) for count in counts)
    with pytest.raises(InputError, match=f"^{reason}"):
        data_sets(model(4, side), (train, validation), None, batch_size, 0, range(1))
