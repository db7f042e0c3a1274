"""Generate the tables of docs/scale.md from `benchmarks/scale.py` and `reports/benchmark.json`."""

import math
from collections.abc import Sequence

from benchmarks import scale
from docs.benchmark_tables import section
from docs.tables import details, params, report, table

SHOWN_MACHINES = (2, 4, 8, 16, 64)
INSTEAD = {
    "prepare": "shards prepared by a process each, and a split by a hash of each image's name",
    "train, one pass": "for the time, `train.strategy`, and steps instead of passes; for the memory, an order of each "
    "worker's own shards",
    scale.SHARED_TEST: "`prepare.test_size: 10000`; for more, the sum over a random part of the posteriors",
    "embed": "`vae encode --part`, whose memory does not grow with the images",
    "visualize": "the latents of the images that are drawn; landmarks or a parametric map for a map of all",
    "baseline": "a random part, as now, drawn without reading all labels",
    "classify, one pass": "the same",
    "score": "the latents of the images that are drawn, instead of all",
    "explore": "the latents of a part: the page has room for 5 MB",
}
"""What would replace a stage where it stops scaling."""


def assumptions() -> str:
    """Return the table of what is assumed."""
    rows = [
        ("a stage should end within", f"{scale.HOURS:g} hours"),
        ("cores of a machine; of the machine that was measured", f"{scale.CORES}; {read().cores}"),
        ("share of their speed that the cores keep together", f"{scale.EFFICIENCY:g}"),
        ("memory of a machine", size(scale.MEMORY)),
        ("network between machines", f"{8e-9 * scale.BANDWIDTH:g} Gbit/s, {1e6 * scale.LATENCY:g} µs a message"),
        ("steps of a training, not counted in passes", f"{scale.STEPS:,}"),
        ("share of the images in the test, by default", f"{scale.TESTED:.0%}"),
    ]
    return table(("assumed", "value"), rows)


def measured() -> str:
    """Return the table of what was measured at the larger size, and of what a further image takes."""
    found, (_, largest) = read(), section("growth")["stages"]
    rows = []
    for name, stage in found.stages.items():
        row = section("growth")["stages"][largest][name]
        each = stage.seconds.each, stage.memory.each, stage.disk.each
        rows.append(
            (
                name,
                f"{row['seconds']:,.0f}",
                f"{row['peak_mib']:,.0f}",
                *(f"{1e6 * each[0]:.1f}", *(f"{number:,.0f}" for number in each[1:])),
            )
        )
    header = (f"{int(largest):,} images", "seconds", "peak, MiB", "µs an image", "bytes of memory", "bytes on disk")
    return table(header, rows)


def further() -> str:
    """Return a sentence on the other numbers that were measured."""
    found, pairs = read(), read().pairs_per_second
    numbers = f"{found.gradient / scale.GRADIENT_BYTES:,.0f} numbers of {scale.GRADIENT_BYTES} bytes"
    return (
        f"The likelihood of {found.bounds_per_second:,.0f} test images is bounded in a second. The estimate of the "
        f"mutual information takes {digits(1e-6 * pairs)} million pairs of test images in a second. The gradients of a "
        f"step are {numbers}, {size(found.gradient)}."
    )


def costs(images: int) -> str:
    """Return the table of what a number of images costs in each stage."""
    rows = []
    for row in scale.ROWS:
        cost = scale.cost(row, images, read())
        numbers = digits(cost.seconds / 3600), size(cost.memory), f"{cost.machines:,}", size(cost.disk)
        rows.append((row, *numbers, size(cost.network)))
    within = f"machines, for {scale.HOURS:g} h"
    header = ("stage", f"hours, {read().cores} cores", "memory now", within, "disk", "network, the first machine")
    return table(header, rows)


def stops() -> str:
    """Return the table of where each stage stops scaling first, and what would replace it."""
    found, rows = read(), []
    for row, instead in INSTEAD.items():
        limits = {
            f"{scale.HOURS:g} h on one machine": scale.fits_time(row, found),
            f"{size(scale.MEMORY)} of memory": scale.fits_memory(found.stages[scale.ROWS[row]]),
        }
        limit, images = min(limits.items(), key=lambda pair: pair[1])
        known = math.isfinite(images)
        rows.append((row, limit if known else "–", f"{digits(images)}" if known else "–", instead))
    return table(("stage", "stops first at", "images", "what would replace it"), rows)


def all_reduces() -> str:
    """Return the table of what summing the gradients costs."""
    found = read()
    step = found.stages["train"].seconds.each * found.batches["train"] / scale.speedup(found)
    rows = []
    for machines in SHOWN_MACHINES:
        exchange = scale.all_reduce(machines, found.gradient)
        share = step / (step + exchange.seconds)
        rows.append((machines, size(exchange.sent), f"{1e3 * exchange.seconds:.2g}", f"{share:.0%}"))
    header = (
        "machines",
        "sent by each in a step",
        "ms",
        f"share of the time that computes, {1e3 * step:.1f} ms a step",
    )
    return table(header, rows)


def enough() -> str:
    """Return a sentence on how exact the test is."""
    results = details("evaluate")["grey"]
    error = results["standard_error"]["loss"]
    return f"{results['images']:,} test images give the loss with a standard error of {error:.2f} nats."


def map_of_all() -> str:
    """Return a sentence on a t-SNE map of more images than the default."""
    results = section("scaling")
    exponent, times = results["exponents"]["t-SNE of latents"], results["seconds"]["t-SNE of latents"]
    points = max(map(int, times))
    hours = [digits(times[str(points)] * (images / points) ** exponent / 3600) for images in (10**6, 10**8)]
    return (
        f"A map of {points:,} latent vectors takes {times[str(points)]:.0f} s, and the time grows with the power "
        f"{exponent:.2f} of their number: extrapolated, {hours[0]} hours for a million, and {hours[1]} for a hundred "
        "million, on one machine as measured."
    )


def parts() -> str:
    """Return the table of `vae encode` by several workers."""
    results = section("encode_parts")
    rows = []
    for case in results["cases"]:
        threads = case["threads"]
        bound = f"{threads}, bound to as many cores" if threads else "one for each core of the machine"
        rows.append((case["workers"], bound, f"{case['seconds']:.0f}", f"{case['images_per_second']:,.0f}"))
    return table(("workers", "threads of each", "seconds", "images per second"), rows)


def parts_equal() -> str:
    """Return a sentence on what a worker takes to start, and on the rows."""
    results = section("encode_parts")
    return (
        f"{results['images']:,} images, {results['rounds']} rounds. A worker that encodes a single image takes "
        f"{results['start_seconds']:.1f} s, which the seconds include. The rows of all cases "
        f"{'are equal, bit by bit' if results['equal'] else 'with the same number of threads are equal, bit by bit'}."
    )


def read() -> scale.Measured:
    """Return what was measured."""
    return scale.read(report("benchmark.json"), params())


def digits(number: float) -> str:
    """Return a number with two significant digits."""
    if number == 0:
        return "0"
    rounded = round(number, 1 - math.floor(math.log10(abs(number))))
    return f"{rounded:,.0f}" if abs(rounded) >= 10 else f"{rounded:g}"


def size(count: float, units: Sequence[str] = ("B", "kB", "MB", "GB", "TB", "PB")) -> str:
    """Return bytes as text, with two significant digits, or a dash if they are unknown."""
    if math.isnan(count):
        return "–"
    power = min(len(units) - 1, int(math.log10(count) // 3)) if count >= 1 else 0
    return f"{digits(count / 1000**power)} {units[power]}"
