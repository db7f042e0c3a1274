"""The model of cost behind docs/scale.md: what a number of images takes in time, memory, machines, disk and network.

`python -m benchmarks growth bound` measures what it needs. The constants here are what it assumes.
"""

import math
from typing import Any, NamedTuple

HOURS = 24.0
"""The time limit of a stage."""
CORES = 16
"""The cores of each machine that is counted."""
EFFICIENCY = 0.8
"""The share of their speed that the cores keep when all `CORES` compute together."""
MEMORY = 64e9
"""The memory of a machine, in bytes."""
BANDWIDTH, LATENCY = 1.25e9, 50e-6
"""Between machines: 10 Gbit/s, in bytes per second, and the seconds of a message."""
STEPS = 100_000
"""The steps of a training that is not counted in passes over the images; the default run takes 5,504."""
TESTED = 0.15
"""The share of the images that is held out for the test, by default."""
PROTOCOLS = 2
"""The forms of the test images whose likelihood is bounded: grey and binarized."""
GRADIENT_BYTES = 4
"""The bytes of a weight's gradient, in float32."""

SOME_STEPS, SHARED_TEST = "train, 100,000 steps", "evaluate, 15% for the test"
ROWS = {
    "prepare": "prepare",
    SOME_STEPS: "train",
    "train, one pass": "train",
    "evaluate, 10,000 for the test": "evaluate",
    SHARED_TEST: "evaluate",
    "embed": "embed",
    "visualize": "visualize",
    "baseline": "baseline",
    "classify, one pass": "classify",
    "score": "score",
    "explore": "explore",
}
"""The rows of the tables, and the stage of each."""
READ = {
    **dict.fromkeys(("prepare", "train", "embed", "classify", "evaluate", "baseline"), "prepare"),
    **dict.fromkeys(("visualize", "score", "explore"), "embed"),
}
"""The stage whose output another stage reads for each image; `prepare` reads as much as it writes."""
PROBED = 200_000
"""The most training images of the probes."""


class Line(NamedTuple):
    """A quantity that grows with the number of images."""

    fixed: float
    each: float
    """For each image."""

    def at(self, images: float) -> float:
        """Return the quantity for that many images."""
        return self.fixed + self.each * images


class Stage(NamedTuple):
    """What a stage takes."""

    seconds: Line
    memory: Line
    """Bytes, at the peak."""
    disk: Line
    """Bytes that it writes."""


class Measured(NamedTuple):
    """What the costs follow from."""

    stages: dict[str, Stage]
    cores: int
    """Of the machine."""
    tested: int
    """Test images."""
    batches: dict[str, int]
    """The images of a training step on each machine, by the stage that trains."""
    gradient: float
    """The bytes that each machine contributes to a step. The classifier has about as many weights as the VAE."""
    bounds_per_second: float
    """Test images whose likelihood is bounded in a second, in all forms."""
    pairs_per_second: float
    """Pairs of test images in the estimate of the mutual information."""


class Cost(NamedTuple):
    """What a stage takes for some images."""

    seconds: float
    """On the machine that was measured."""
    memory: float
    """Bytes of the process, as the stage is now; NaN where it was not measured."""
    machines: int
    """Of `CORES`, if the stage is divided among them and ends within `HOURS`."""
    disk: float
    """Bytes that it writes."""
    network: float
    """Bytes that the first machine reads, writes and exchanges, if no file is on it."""


class Exchange(NamedTuple):
    """An all-reduce of the gradients of a step."""

    sent: float
    """Bytes that each machine sends."""
    seconds: float


def read(report: dict[str, Any], params: dict[str, Any]) -> Measured:
    """Return what `reports/benchmark.json` measured, with the settings in `params.yaml`."""
    growth = report["growth"]
    one, other = growth["stages"]

    def line(stage: str, key: str, scale: float = 1.0) -> Line:
        small, large = (scale * growth["stages"][size][stage][key] for size in (one, other))
        each = (large - small) / (int(other) - int(one))
        if each < 0 or stage == "evaluate":  # noise; `evaluate` reads the test images only, as many in both
            return Line((small + large) / 2, 0.0)
        return Line(max(0.0, small - each * int(one)), each)

    stages = {
        stage: Stage(line(stage, "seconds"), line(stage, "peak_mib", 2**20), line(stage, "bytes"))
        for stage in growth["stages"][one]
    }
    return Measured(
        stages,
        growth["machine"]["cores"],
        growth["held_out"],
        {stage: params[stage]["batch_size"] for stage in ("train", "classify")},
        GRADIENT_BYTES * float(growth["parameters"]),
        report["bound"]["architectures"]["tutorial, float32"]["decodings"]
        / (PROTOCOLS * params["evaluate"]["samples"]),
        growth["pairs_per_second"],
    )


def cost(row: str, images: float, measured: Measured) -> Cost:
    """Return what a row of the tables, one of `ROWS`, takes for a number of images."""
    name = ROWS[row]
    stage, used = measured.stages[name], used_by(row, images, measured)
    seconds = seconds_of(row, images, measured)
    steps = used / measured.batches[name] if name in measured.batches else 0.0
    machines = machines_for(seconds / speedup(measured), steps, measured.gradient)
    disk = stage.disk.at(images)
    if name == "evaluate":  # which writes the bounds of each test image
        disk *= used / measured.tested
    size = measured.stages[READ[name]].disk.each
    identified = size * images if name == "train" else 0.0  # the chief reads all images once before it trains
    exchanged = steps / machines * all_reduce(machines, measured.gradient).sent
    memory = math.nan if row == SHARED_TEST else stage.memory.at(images)  # measured with 10,000 test images only
    return Cost(seconds, memory, machines, disk, identified + (size * used + disk) / machines + exchanged)


def used_by(row: str, images: float, measured: Measured) -> float:
    """Return how many of the images a row uses."""
    if row == SOME_STEPS:
        return measured.batches["train"] * STEPS
    if row == SHARED_TEST:
        return TESTED * images
    return {"evaluate": measured.tested, "baseline": min(images, measured.tested + PROBED)}.get(ROWS[row], images)


def seconds_of(row: str, images: float, measured: Measured) -> float:
    """Return the seconds of a row on the machine that was measured."""
    stage, used = measured.stages[ROWS[row]], used_by(row, images, measured)
    if row == SHARED_TEST:  # each test image is compared with each
        return stage.seconds.at(images) + used / measured.bounds_per_second + used**2 / measured.pairs_per_second
    return stage.seconds.at(images if row != SOME_STEPS else used)


def machines_for(seconds: float, steps: float, gradient: float) -> int:
    """Return how many machines do the work within `HOURS`.

    Args:
        seconds: on one machine of `CORES`.
        steps: of one machine. Several take as many fewer, each with a larger batch in all, and exchange gradients.
        gradient: bytes.

    Raises:
        ValueError: the messages of the steps alone take longer.
    """
    if (least := 2 * LATENCY * steps) >= 3600 * HOURS:
        raise ValueError(f"the messages of {steps:,.0f} steps take {least:,.0f} s on any number of machines")
    machines = 1
    while seconds / machines + steps / machines * all_reduce(machines, gradient).seconds > 3600 * HOURS:
        machines = machines + 1 if steps else math.ceil(seconds / (3600 * HOURS))
    return machines


def speedup(measured: Measured) -> float:
    """Return how many times faster a machine of `CORES` is than the machine that was measured."""
    return EFFICIENCY * CORES / measured.cores


def all_reduce(machines: int, gradient: float) -> Exchange:
    """Return what a ring of machines sends to sum gradients of so many bytes.

    Patarasuk & Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations" (2009): 2 (M - 1) messages
    of a share 1 / M of the gradients.
    """
    sent = 2 * (machines - 1) / machines * gradient
    return Exchange(sent, sent / BANDWIDTH + 2 * (machines - 1) * LATENCY)


def fits_memory(stage: Stage) -> float:
    """Return for how many images the memory of a machine is enough."""
    return (MEMORY - stage.memory.fixed) / stage.memory.each if stage.memory.each else math.inf


def fits_time(row: str, measured: Measured) -> float:
    """Return for how many images one machine of `CORES` is fast enough; infinity where the number does not matter."""
    low, high = 1.0, 1e15
    if seconds_of(row, high, measured) / speedup(measured) <= 3600 * HOURS:
        return math.inf
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        within = seconds_of(row, middle, measured) / speedup(measured) <= 3600 * HOURS
        low, high = (middle, high) if within else (low, middle)
    return low
