"""Training from disk against training from memory: the time of a step, with images in shards and in memory."""

import sys
from typing import Any

from benchmarks.turns import Contender, in_turn

BATCH_SIZE, SIDE, LATENT_DIM = 80, 64, 10
SECONDS_A_TURN = 8.0


def measure(rounds: int = 12) -> dict[str, Any]:
    """Time the training step with images in memory and on disk, in turn; print and return the results.

    Returns:
        `from_disk`: the training throughput from disk as a share of the throughput from memory, the median over the
        rounds, and its `_quartiles`; `milliseconds`: the median of each step.
    """
    print(f"seconds per step of {BATCH_SIZE} images of {SIDE}x{SIDE}x3, {rounds} rounds", flush=True)
    seconds = in_turn(contenders(), rounds, SECONDS_A_TURN)
    print(seconds.describe().to_string(float_format="{:.4f}".format), flush=True)
    share = seconds["memory"] / seconds["disk"]
    quartiles = [float(share.quantile(q)) for q in (0.25, 0.75)]
    print(
        "throughput from disk: {:.3f} of that from memory ({:.3f}–{:.3f})".format(share.median(), *quartiles),
        flush=True,
    )
    return {
        "rounds": rounds,
        "from_disk": float(share.median()),
        "from_disk_quartiles": quartiles,
        "milliseconds": (1e3 * seconds.median()).to_dict(),
    }


def contenders() -> list[Contender]:
    """Return the training step with images in memory, and with images on disk."""
    size = [str(number) for number in (BATCH_SIZE, SIDE, SIDE, 3, LATENT_DIM)]
    worker = [sys.executable, "-m", "benchmarks.keras_worker"]
    layers = {"memory": "fused", "disk": "stored"}
    return [Contender(name, [*worker, layer, "float32", *size]) for name, layer in layers.items()]
