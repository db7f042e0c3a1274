"""Generate the tables and sentences of docs/benchmarks.md and docs/reliability.md from `reports/benchmark.json`."""

import statistics
from collections.abc import Sequence
from typing import Any

from docs.tables import ending, report, table

MISSING = "–"
VARIANTS = {
    "Adam": "Adam instead of Muon",
    "without oneDNN's kernels": "TensorFlow's own kernels",
    "one operation at a time": "no operations in parallel",
    "XLA": "the step compiled by XLA",
    "one step per execution": "Python takes control after each step, not after every eight",
    "the tutorial's encoder": "no cropping, and each ReLU before its pooling",
    "padding and convolution": "a padded convolution instead of each upsampled transposed convolution",
    "9 multiply-adds for 16": "fewer products and more sums in the same layers",
    "deconv_3 at full resolution": "the last transposed convolution at full resolution",
    "affine layers image by image": "the decoder's first layers computed for each image",
}


def machines() -> str:
    """Return the table of where, and with what code, each part of the benchmark ran."""
    parts = {f"step, {precision}": part for precision, part in section("step").items()}
    parts |= {name.replace("_", " "): part for name, part in report("benchmark.json").items() if name != "step"}
    columns = {"processor": "processor", "cores": "cores", "python": "Python", "tensorflow": "TensorFlow"}
    columns |= {"keras": "Keras", "torch": "PyTorch", "commit": "commit"}
    rows = [(name, *(part["machine"].get(column) or MISSING for column in columns)) for name, part in parts.items()]
    return table(("part", *columns.values()), rows)


def instructions() -> str:
    """Return a sentence about the vector instructions of the machine that timed the step."""
    names = section("step")["float32"]["machine"]["instructions"]
    return f"The processor of the training step has the instructions {', '.join(names)}."


def step() -> str:
    """Return the table of the training step: the milliseconds of each contender, and ratios."""
    precisions = section("step")
    milliseconds: dict[str, dict[str, str]] = {}
    for precision, part in precisions.items():
        for contender, time in part["contenders"].items():
            name = contender.removesuffix(f", {precision}")
            if name != "matmul":
                milliseconds.setdefault(name, {})[precision] = f"{time['median']:.1f}"
    ratios = {
        "times faster than plain Keras in float32": "vs_plain_keras",
        "times faster than plain Keras at equal precision": "vs_plain_keras_at_equal_precision",
        "times faster than the fastest PyTorch at equal precision": "vs_pytorch",
        "share of the step that the floor takes": "vs_floor",
    }
    rows: list[Sequence[str]] = [
        (f"{name}, ms", *(times.get(precision, MISSING) for precision in precisions))
        for name, times in milliseconds.items()
    ]
    for text, key in ratios.items():
        rows.append((text, *(quartiles(part[key], part[f"{key}_quartiles"]) for part in precisions.values())))
    first = next(iter(precisions.values()))
    return table((f"{first['batch_size']} images, {first['rounds']} rounds", *precisions), rows)


def time_to_quality() -> str:
    """Return the table of the seconds of training until the loss is as low as with the tutorial's settings."""
    results = section("time_to_quality")
    end, lowest = results["float32"], results["float32"]["lowest"]
    rows: list[Sequence[str]] = [
        ("the tutorial's settings: epochs until early stopping", *map(str, ending(end, "_epochs"))),
        ("the tutorial's settings: final validation loss", *(f"{loss:.2f}" for loss in ending(end, "_losses"))),
        ("the tutorial's settings: lowest validation loss", *(f"{loss:.2f}" for loss in ending(lowest, "_losses"))),
    ]
    for precision, runs in results["curves"].items():
        rows.append((f"{precision}: lowest validation loss", *(f"{min(run['val_loss']):.2f}" for run in runs)))
    for precision in results["curves"]:
        for goal, part in (("final", results[precision]), ("lowest", results[precision]["lowest"])):
            pairs = zip(part["seconds"], part["ratios"], strict=True)
            times = ("not reached" if s is None else f"{s:.0f} s ({ratio:.3f})" for s, ratio in pairs)
            rows.append((f"{precision}: time to the tutorial's mean {goal} loss, {part['target']:.2f}", *times))
    return table(("validation loss in nats", *(f"seed {i + 1}" for i in range(len(rows[0]) - 1))), rows)


def time_ratio() -> str:
    """Return a sentence with the tutorial's time and the median share of it."""
    results = section("time_to_quality")
    end, epoch = results["float32"], statistics.median(results["plain_epoch_seconds"])
    share = "does not reach its loss" if end["ratio"] is None else f"takes {end['ratio']:.3f} of that time to its loss"
    return (
        f"An epoch of the tutorial's layers takes {epoch:.1f} s, and on average the tutorial's settings end after "
        f"{ending(end, '_seconds'):,.0f} s. The median run with `params.yaml` **{share}**."
    )


def bfloat16_cost() -> str:
    """Return a sentence about what bfloat16 does to the validation loss, if that was measured."""
    cost = section("time_to_quality").get("bfloat16_cost")
    if cost is None:
        return "Its effect on the validation loss was not measured on this machine."
    differences = ", ".join(f"{difference:+.2f}" for difference in cost["differences"])
    mean = f"{cost['mean']:+.2f} ± {cost['standard_error']:.2f}"
    text = f"It changes the final validation loss by {mean} nats on average; the seeds give {differences}."
    return text.replace("-", "−")


def stages() -> str:
    """Return the table of the seconds and the memory of each stage."""
    results = section("stages")["stages"]
    rows = [(name, f"{stage['seconds']:.1f}", f"{stage['peak_mib']:,.0f}") for name, stage in results.items()]
    total = sum(stage["seconds"] for stage in results.values())
    peak = max(stage["peak_mib"] for stage in results.values())
    return table(("stage", "seconds", "peak memory, MiB"), [*rows, ("all", f"{total:.0f}", f"{peak:,.0f}")])


def from_disk() -> str:
    """Return a sentence with the training throughput from disk."""
    results = section("streaming")
    memory, disk = (results["milliseconds"][name] for name in ("memory", "disk"))
    share = quartiles(results["from_disk"], results["from_disk_quartiles"])
    return (
        f"A step of 80 colour images of 64×64 takes {memory:.0f} ms with the images in memory and {disk:.0f} ms with "
        f"the images on disk. The throughput from disk is **{share}** of the throughput from memory: the median of "
        f"{results['rounds']} rounds, with quartiles."
    )


def bound() -> str:
    """Return the table of the speed of the importance-weighted bound."""
    rows = [
        (name.replace("mixed_", ""), f"{one['decodings']:,.0f}", f"{one['of_decoder']:.0%}", f"{one['of_peak']:.0%}")
        for name, one in section("bound")["architectures"].items()
    ]
    heads = ("decoder", "images decoded per second", "of the decoder's own speed", "of a matrix product's")
    return table(heads, rows)


def exported() -> str:
    """Return the table of the speed of exported models, or a sentence where it was not measured."""
    if "export" not in report("benchmark.json"):
        return "Not measured yet: `make bench PARTS=export` and `make docs` write a table here."
    results = section("export")
    rows = [
        (
            f"{part}, {size} at once",
            name,
            f"{row['images_per_second']:,.0f}",
            quartiles(row["vs_keras"], row["vs_keras_quartiles"]),
        )
        for size, parts in results["batch_sizes"].items()
        for part, names in parts.items()
        for name, row in names.items()
    ]
    return table((f"{results['rounds']} rounds", "by", "images per second", "times faster than Keras"), rows)


def encoded() -> str:
    """Return a sentence on the speed of `vae encode`."""
    results = section("encode")
    command, keras = (f"{results['images_per_second'][name]:,.0f}" for name in ("vae encode", "predict"))
    return (
        f"`vae encode` encodes {command} images per second and `model.encoder.predict` {keras}, medians of "
        f"{results['rounds']} rounds. Within a round, `vae encode` takes {results['ratio']:.2f} times as long."
    )


def peaks() -> str:
    """Return the table of the peak memory of each stage on images larger than the memory."""
    results = section("memory")
    rows = [(name, f"{stage['peak_mib']:,.0f}") for name, stage in results["stages"].items()]
    return table((f"{results['images']:,} colour images of 64×64", "peak memory, MiB"), rows)


def nothing_to_do() -> str:
    """Return the table of the seconds that `dvc repro` takes when there is nothing to do."""
    results = section("stages")["nothing_to_do"]
    names = {
        "pipeline": "this pipeline",
        "same_stages_of_empty_files": "the same stages and files, all empty",
        "one_trivial_stage": "one trivial stage",
    }
    rows = [(text, f"{results[name]:.2f}") for name, text in names.items()]
    return table(("`dvc repro` with nothing to do", "seconds"), rows)


def growth() -> str:
    """Return the table of seconds against the number of images."""
    results = section("scaling")
    rows = [
        (
            work,
            " → ".join(f"{int(count):,}" for count in seconds),
            " → ".join(f"{value:.1f}" for value in seconds.values()),
            f"{results['exponents'][work]:.2f}",
        )
        for work, seconds in results["seconds"].items()
    ]
    return table((f"{results['rounds']} rounds", "images", "seconds", "exponent"), rows)


def variants() -> str:
    """Return the table of the training step with one change each."""
    results = section("variants")
    rows = [
        (name, VARIANTS.get(name, ""), quartiles(share["median"], (share["lower quartile"], share["upper quartile"])))
        for name, share in results["share"].items()
    ]
    return table((f"variant, {results['rounds']} rounds", "what changes", "share of the usual time"), rows)


def durability() -> str:
    """Return the table of what it costs that a training can resume, and of deterministic operations."""
    results = section("durability")
    state, operations = results["state"], results["deterministic_operations"]
    return table(
        ("", "measured"),
        [
            ("size of the saved state", f"{state['bytes'] / 1e6:.1f} MB"),
            ("saving it after an epoch", f"{1e3 * state['seconds']:.1f} ms; the epoch: {state['epoch_seconds']:.1f} s"),
            ("the fingerprint, once", f"{results['fingerprint_seconds']:.2f} s"),
            ("both, as a share of the training", f"{results['share_of_training']:.2%}"),
            (
                "a step with deterministic operations, as a share of the usual step",
                quartiles(operations["ratio"], operations["quartiles"]),
            ),
        ],
    )


def quartiles(median: float, ends: Sequence[float]) -> str:
    """Return a median with the quartiles in brackets, as text."""
    low, high = ends
    return f"{median:.2f} ({low:.2f}–{high:.2f})"


def section(name: str) -> dict[str, Any]:
    """Return the results of one part of the benchmark."""
    results: dict[str, Any] = report("benchmark.json")[name]
    return results
