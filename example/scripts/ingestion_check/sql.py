"""Read a query without its comments and code, and the arguments of an expression."""

from __future__ import annotations

import re
from functools import lru_cache

from .expressions import EXPRESSION

_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*(?:.*?\*/|.*)", re.DOTALL)
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_KEY = re.compile(r'(?:^|")(\w+)(?:$|"\s*:)')


def without_code(sql: str) -> str:
    """A query with nothing in its `${...}`, whose quotes are none of SQL's; all else keeps its place."""
    return EXPRESSION.sub(lambda found: f"${{{_blank(found[1], 'x')}{found[2]}", sql)


@lru_cache(maxsize=1000)  # several gates ask, before the files are written and after
def without_comments(sql: str) -> str:
    """A query with blanks for its comments, so that all else keeps its place."""
    parts, end = [], 0
    for found in _COMMENT.finditer(without_code(sql)):
        if not found[1]:
            parts += [sql[end : found.start()], _blank(found[0], " ")]
            end = found.end()
    return "".join([*parts, sql[end:]])


def _blank(text: str, mark: str) -> str:
    """As many marks as a text is long, in as many lines."""
    return re.sub(r"[^\n]", mark, text)


def without_sentences(sql: str) -> str:
    """A query whose texts are what may be a key in them, quoted: a word alone, or before a colon in JSON."""
    return _TEXT.sub(lambda found: " ".join(f'"{key}"' for key in _KEY.findall(found[1])) or "''", sql)


def arguments(sql: str, start: int) -> list[str]:
    """What stands between the commas up to the parenthesis that closes the one before `start`."""
    found, depth, begun = [], 0, start
    for mark in re.compile(r"[(),]").finditer(sql, start, start + 10_000):
        if depth == 0 and mark[0] != "(":
            found.append(sql[begun : mark.start()])
            begun = mark.end()
        depth += {"(": 1, ",": 0, ")": -1}[mark[0]]
        if depth < 0:
            break
    return found
