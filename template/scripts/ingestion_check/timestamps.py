"""Find times that do not have the one form that the connector takes."""

from __future__ import annotations

import re
from datetime import datetime, timezone

FORM = "YYYY-MM-DDTHH:MM:SS.000000"
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.000000")

# What means to be a time, whatever its form: a literal, the end of one in SQL, a format.
_LITERAL = re.compile(
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z\b|[+-]\d\d:?\d\d\b)?",
)
_ENDING = re.compile(r"""(?<=['"])(?:\.[0-9]+Z?|Z)(?=['"])|\.0+Z\b""")
_PATTERN = re.compile(r"(?:%H|HH|hh):[^'\"\n]*|\bto_iso8601\b")
# TD_TIME_STRING's unit, where a timestamp is meant, and the one right way to end that.
_UNIT = re.compile(r"'\w!?'(?=\s*\)\s*,\s*' '\s*,\s*'T')|'s!?'(?=\s*\))")
_RIGHT_UNIT = re.compile(r"'s!'\s*\)\s*,\s*' '\s*,\s*'T'\s*\)\s*\|\|\s*'\.000000['\"]")


def has_form(text: str) -> bool:
    """Whether a text is written as a timestamp; the day may not exist."""
    return bool(_TIMESTAMP.fullmatch(text))


def is_timestamp(text: str) -> bool:
    """Whether a text is a timestamp, of a day and an hour that exist."""
    try:
        return has_form(text) and datetime.fromisoformat(text).isoformat(timespec="microseconds") == text
    except ValueError:
        return False


def is_past(text: str) -> bool:
    """Whether a text is a timestamp that lies in the past; it is in UTC, as all timestamps are."""
    return is_timestamp(text) and text <= datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000")


def wrong_times(text: str) -> list[re.Match[str]]:
    """Where a text has what means to be a time, or the end of one, in another form."""
    literals = [found for found in _LITERAL.finditer(text) if not has_form(found[0])]
    return literals + [found for found in _ENDING.finditer(text) if found[0] != ".000000"]


def wrong_formats(text: str) -> list[re.Match[str]]:
    """Where a text has what would give a time in another form."""
    formats = [found for found in _PATTERN.finditer(text) if not found[0].endswith(".000000")]
    return formats + [found for found in _UNIT.finditer(text) if not _RIGHT_UNIT.match(text, found.start())]
