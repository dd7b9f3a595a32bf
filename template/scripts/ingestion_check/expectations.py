"""Compare what a key in a file says with what it should say."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from .digdag_yaml import Map
from .problems import Problem


def expect_value(found: Map, key: str, wanted: str) -> Iterator[Problem]:
    """That a key says just this; blanks do not count."""
    if _given(found, key) != wanted:
        yield unexpected(found, key, wanted)


def expect_form(found: Map, key: str, wanted: str, pattern: str) -> Iterator[Problem]:
    """That what a key says has a form.

    Args:
        wanted: the form in words, or an example of it, which will do too.
        pattern: the form, for the whole value without its blanks.
    """
    if _given(found, key) != wanted and not re.fullmatch(pattern, _given(found, key)):
        yield unexpected(found, key, wanted)


def unexpected(found: Map, key: str, wanted: str) -> Problem:
    """That a key does not say what it should."""
    return found.at(key).problem(f"{key} must be {wanted}, not {found.text(key).strip() or 'empty'}")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at what was probably meant; empty, where nothing known is close."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean {close[0]}?" if close else ""


def _given(found: Map, key: str) -> str:
    return found.text(key).replace(" ", "")
