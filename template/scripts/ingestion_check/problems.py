"""Say what is wrong, and in which line of a file."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong in a line, and what should be there."""

    path: str
    line: int
    text: str


class Place(NamedTuple):
    """A line of a file; the path is the one in the repo, with slashes."""

    path: str
    line: int

    def problem(self, text: str) -> Problem:
        return Problem(*self, text)


def place_in(path: str, text: str, offset: int) -> Place:
    """The line of a file in which an offset of its text is."""
    return Place(path, text.count("\n", 0, offset) + 1)
