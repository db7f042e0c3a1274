"""The workers that train together, as the environment describes them."""

import json
import os
import re
from contextlib import suppress

from vae.errors import InputError
from vae.model.runtime import CLUSTER

EXAMPLE = '{"cluster": {"worker": ["host-a:2222", "host-b:2222"]}, "task": {"type": "worker", "index": 0}}'
ADDRESS = re.compile(r".+:\d+")
"""A host and a port."""


def workers_of(strategy: str) -> tuple[list[str], int]:
    """Return the addresses of all workers and the index of this one; no addresses for a strategy of one machine."""
    described = os.environ.get(CLUSTER, "")
    if strategy == "multi_worker":
        return read_cluster(described)
    addresses: list[str] = []
    with suppress(InputError):  # it describes no workers
        addresses, _ = read_cluster(described)
    if len(addresses) > 1:  # each worker would train by itself and write its own model
        raise InputError(
            f"{CLUSTER} lists {len(addresses)} workers, but train.strategy is {strategy}: set it to multi_worker, or "
            f"unset {CLUSTER}."
        )
    return [], 0


def read_cluster(text: str) -> tuple[list[str], int]:
    """Return the addresses of all workers, the chief's first, and the index of this one.

    Args:
        text: the value of `CLUSTER`, in which the chief is the task of type `chief`, or else the first worker.

    Raises:
        InputError: it is missing or wrong.
    """
    wrong = InputError(
        f"train.strategy is multi_worker, but the environment variable {CLUSTER} is {text or 'not set'}; it must "
        f"describe the workers and this one, for example {EXAMPLE}"
    )
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        places = [(kind, i) for kind in ("chief", "worker") for i in range(len(cluster.get(kind, [])))]
        addresses = [cluster[kind][i] for kind, i in places]
        index = places.index((task["type"], int(task["index"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise wrong from None
    if not all(isinstance(address, str) and ADDRESS.fullmatch(address) for address in addresses):
        raise wrong
    if twice := [address for address in addresses if addresses.count(address) > 1]:
        raise InputError(f"{CLUSTER} lists {twice[0]} twice, but each worker must have an address of its own.")
    return addresses, index
