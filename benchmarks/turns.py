"""Time several contenders in turn. Each has its own process, which waits while the others run."""

import subprocess
import tempfile
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from tqdm import trange

SECONDS_A_TURN = 1.0


class Contender(NamedTuple):
    """A program that reads a number of steps from each line of its standard input, and prints the seconds they took."""

    name: str
    command: list[str]


class ContenderError(Exception):
    """The program ended instead of answering; the message is its last line."""


class _Process:
    """A running contender. Its first request is for 0 steps: it builds its model, and answers when it is ready."""

    def __init__(self, contender: Contender, seconds_a_turn: float) -> None:
        self.name = contender.name
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115, closed by `close`
        self.program = subprocess.Popen(  # noqa: S603, commands of this package
            contender.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        try:
            self.seconds(0)
            self.steps = max(1, min(100, round(seconds_a_turn / self.seconds(1))))
        except ContenderError:
            self.close()
            raise

    def seconds(self, steps: int) -> float:
        """Let the program take that many steps, and return the seconds."""
        assert self.program.stdin
        assert self.program.stdout
        try:
            self.program.stdin.write(f"{steps}\n")
            self.program.stdin.flush()
            return float(self.program.stdout.readline())
        except (ValueError, BrokenPipeError):
            self.program.wait()
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["no message"])[-1]
            raise ContenderError(f"{self.name}: {last}") from None

    def close(self) -> None:
        """End the program."""
        self.program.kill()
        self.program.wait()
        for stream in (self.program.stdin, self.program.stdout, self.errors):
            assert stream
            stream.close()


def in_turn(contenders: Iterable[Contender], rounds: int, seconds_a_turn: float = SECONDS_A_TURN) -> pd.DataFrame:
    """Return the seconds per step: one row per round, one column per contender, in the order given.

    A contender that cannot run here, for example because a compiler is missing, is reported and left out.
    """
    running, rows = [], []
    try:
        for contender in contenders:
            try:
                running.append(_Process(contender, seconds_a_turn))
            except ContenderError as error:
                print(f"left out: {error}", flush=True)
        for r in trange(rounds, desc="rounds", disable=None):
            order = running[r % len(running) :] + running[: r % len(running)]
            rows.append({process.name: process.seconds(process.steps) / process.steps for process in order})
    finally:
        for process in running:
            process.close()
    return pd.DataFrame(rows, columns=[process.name for process in running])
