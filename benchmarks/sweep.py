"""Images per second of one training on all cores, and of several trainings at once that share the cores.

The trainings of a sweep are kept on cores of their own, as here: `vae.sweeps.running`.
"""

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import pandas as pd
from tqdm import trange

from vae.errors import InputError
from vae.settings.loader import load_settings
from vae.settings.train import Train

STEPS, LATENT_DIM = 100, 10
SHAPE = ("28", "28", "1")
RUN = "runpy.run_module('benchmarks.keras_worker', run_name='__main__', alter_sys=True)"


def measure(rounds: int = 5) -> dict[str, Any]:
    """Time one training on all cores, and two on half of them each, in turn; print and return the results.

    Returns:
        Medians over the rounds: images per second of all trainings together, for one and for two.

    Raises:
        InputError: there are fewer than two cores, or a training ended.
    """
    _, settings = load_settings(Train)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        raise InputError("this benchmark needs two cores, and a system that can keep a process on some of them.")
    halves = [cores[: len(cores) // 2], cores[len(cores) // 2 :]]
    rows = []
    with ExitStack() as running:
        one, two = (start(places, settings.batch_size, running) for places in ([cores], halves))
        for _ in trange(rounds, desc="sweep", disable=None):
            rows.append({"1": rate(one, settings.batch_size), "2": rate(two, settings.batch_size)})
    speeds = pd.DataFrame(rows).median()
    results = {
        "rounds": rounds,
        "batch_size": settings.batch_size,
        "images_per_second": {trainings: float(speed) for trainings, speed in speeds.items()},
        "ratio": float(speeds["2"] / speeds["1"]),
    }
    print(results, flush=True)
    return results


def start(places: list[list[int]], batch_size: int, running: ExitStack) -> list[subprocess.Popen[str]]:
    """Start a training on each list of cores, and wait until all are ready. They end with `running`."""
    arguments = ["fused", "float32", str(batch_size), *SHAPE, str(LATENT_DIM)]
    processes = []
    for cores in places:
        code = f"import os, runpy; os.sched_setaffinity(0, {cores}); " + RUN
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        processes.append(running.enter_context(process))
    seconds(processes, 0)
    seconds(processes, 1)
    return processes


def rate(processes: list[subprocess.Popen[str]], batch_size: int) -> float:
    """Return the images per second of all trainings together, until the last one has taken its steps."""
    return len(processes) * STEPS * batch_size / max(seconds(processes, STEPS))


def seconds(processes: list[subprocess.Popen[str]], steps: int) -> list[float]:
    """Let all trainings take that many steps at the same time, and return the seconds that each took."""
    for process in processes:
        assert process.stdin
        process.stdin.write(f"{steps}\n")
        process.stdin.flush()
    answers = []
    for process in processes:
        assert process.stdout
        if not (line := process.stdout.readline()):
            raise InputError(f"a training ended with status {process.wait()}.")
        answers.append(float(line))
    return answers
