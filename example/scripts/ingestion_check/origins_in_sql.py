"""Follow the names in a query to what they are made of, in the steps before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .sql import arguments

_STEP = re.compile(r"\b(\w+)\s+AS\s*\(", re.IGNORECASE)
_PART = re.compile(r"[(),]|\b(?:SELECT|FROM|JOIN)\b|\bAS\s+(\w+)", re.IGNORECASE)
# A step before a dot, or a column alone; what follows AS is a new name.
_REFERENCE = re.compile(r"(?<![\w.])(?<!\bAS )[a-z_]\w*\b\.?", re.IGNORECASE)


class Origin(NamedTuple):
    """What a name is made of: a text, its offset in the query, and what is after the FROM of its SELECT."""

    offset: int
    text: str
    source: str = ""


class _Select:
    """What of a SELECT was read so far: where its next part begins, where its FROM, and its columns."""

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.source: int | None = None
        self.columns: list[tuple[str, int, str]] = []


def coalesces(sql: str) -> Iterator[tuple[int, list[str]]]:
    """Each COALESCE of a query: its offset, and its arguments with all that their names are made of."""
    known: dict[str, list[Origin]] = {}
    for name, origin in (*_steps(sql), *_columns(sql)):
        known.setdefault(name, []).append(origin)
    for found in re.finditer(r"\bCOALESCE\s*\(", sql, re.IGNORECASE):
        given = [Origin(found.start(), text) for text in arguments(sql, found.end())]
        yield found.start(), [_with_origins(argument, known) for argument in given]


def _steps(sql: str) -> Iterator[tuple[str, Origin]]:
    """Each `name AS (...)`."""
    for found in _STEP.finditer(sql):
        yield f"{found[1]}.", Origin(found.start(), ",".join(arguments(sql, found.end())))


def _columns(sql: str) -> Iterator[tuple[str, Origin]]:
    """Each `... AS name`."""
    levels = [_Select(0)]
    for part in _PART.finditer(f"{sql})"):
        select, word = levels[-1], part[0].upper()
        if part[1]:
            select.columns.append((part[1], select.begun, sql[select.begun : part.start()]))
        elif word == "(":
            levels.append(_Select(part.end()))
        elif word in (")", "SELECT"):
            source = "" if select.source is None else sql[select.source : part.start()]
            for name, offset, text in select.columns:
                yield name, Origin(offset, text, source)
            levels[-1:] = [_Select(part.end())] if word == "SELECT" or len(levels) == 1 else []
        else:
            select.source = part.start() if word == "FROM" else select.source
            select.begun = part.end()


def _with_origins(argument: Origin, known: dict[str, list[Origin]]) -> str:
    """A text, and what its names are made of: each of the nearest of that name that stands before it."""
    found, left = {argument}, [argument]
    while left:
        offset, *made_of = left.pop()
        for name in set(_REFERENCE.findall(" ".join(made_of))):
            before = [each for each in known.get(name, ()) if each.offset < offset]
            if before and max(before) not in found:
                found.add(max(before))
                left.append(max(before))
    return " ".join(f"{text} {source}" for _, text, source in sorted(found))
