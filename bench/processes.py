"""Take medians of whole-process times, in seconds: from start to exit, by hyperfine where it is on PATH."""

import json
import shlex
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tabulate import tabulate

ROUNDS = 7


class Failed(Exception):
    """A command that was to be measured failed; the text says which, and what it printed."""


class Case(NamedTuple):
    """A command to measure.

    Attributes:
        command: the program and its arguments.
        prepare: called before each run, and not measured; gives the folder to run it in.
    """

    command: Sequence[object]
    prepare: Callable[[], Path]


def medians(cases: dict[str, Case], rounds: int = ROUNDS) -> dict[str, float]:
    """The median seconds of each case. The cases take turns, so that a busy machine disturbs them alike."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            taken = seconds(case.command, case.prepare())
            if number:  # the first reads from disk what the others find in memory
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def seconds(command: Sequence[object], folder: Path) -> float:
    """How long a command takes in a folder, in seconds. It must succeed."""
    words = [str(word) for word in command]
    hyperfine = shutil.which("hyperfine")
    if hyperfine:
        return _by_hyperfine(hyperfine, words, folder)
    start = time.perf_counter()
    _run(words, folder)
    return time.perf_counter() - start


def _by_hyperfine(hyperfine: str, words: list[str], folder: Path) -> float:
    """One run: several in a row would not take turns with the other cases."""
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch, "result.json")
        once = ("--shell", "none", "--runs", "1", "--show-output")
        _run([hyperfine, *once, "--export-json", str(result), shlex.join(words)], folder)
        (taken,) = json.loads(result.read_text(encoding="utf-8"))["results"][0]["times"]
    return float(taken)


def _run(words: list[str], folder: Path) -> None:
    run = subprocess.run(words, cwd=folder, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode:
        printed = run.stdout.decode(errors="replace").rstrip()
        raise Failed(f"{shlex.join(words)} failed with exit code {run.returncode}:\n{printed}")


def ratios(seconds_of: dict[str, float]) -> dict[str, float]:
    """How many times as long as the first each takes."""
    first = next(iter(seconds_of.values()))
    return {name: taken / first for name, taken in seconds_of.items()}


def table(title: str, seconds_of: dict[str, float]) -> str:
    """A table of medians and of their ratios to the first."""
    times_the_first = ratios(seconds_of)
    rows = [(name, taken, times_the_first[name]) for name, taken in seconds_of.items()]
    headers = [title, "median, s", f"ratio to {next(iter(seconds_of))}"]
    return tabulate(rows, headers=headers, floatfmt=".2f")
