"""Times, in the one form that the connector takes."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from typing import Any

from .refusals import BadAnswer

TIMESTAMP_FORM = "YYYY-MM-DDTHH:MM:SS.000000"
TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.000000"
# Something that means to be a time, whatever its form: a literal, or the end of one in SQL.
TIME_LITERAL = r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z\b|[+-]\d\d:?\d\d\b)?"
TIME_ENDING = r"""(?<=['"])(?:\.[0-9]+Z?|Z)(?=['"])|\.0+Z\b"""


def timestamp(value: Any) -> str:
    """Return a time as the connector takes it, or refuse it.

    The connector wants `YYYY-MM-DDTHH:MM:SS.000000`: UTC, six zeros, no zone.

    Args:
        value: text in that form.

    Raises:
        BadAnswer: any other form, with the right one as `example` where it can be guessed; or a
            day or hour that does not exist.
    """
    if isinstance(value, str) and re.fullmatch(TIMESTAMP, value):
        try:
            datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.000000")
        except ValueError:
            raise BadAnswer(f"a day and hour that exist, as {TIMESTAMP_FORM}") from None
        return value
    raise BadAnswer(f"{TIMESTAMP_FORM}, UTC, without a zone", guess_timestamp(value))


def guess_timestamp(value: Any) -> str:
    """The instant that was probably meant, in the right form; empty where it cannot be told."""
    if isinstance(value, (date, datetime)):
        value = value.isoformat()
    text = unicodedata.normalize("NFKC", str(value)).strip()
    try:
        if re.fullmatch(r"[0-9]{9,10}|[0-9]{13}", text):
            moment = datetime.fromtimestamp(int(text[:10]), timezone.utc).replace(tzinfo=None)
        else:
            found = re.fullmatch(
                r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
                r"(?:[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]*)?)?)?"
                r" *(?:Z|UTC|([+-])([0-9]{2}):?([0-9]{2}))?",
                text,
                re.IGNORECASE,
            )
            if not found:
                return ""
            *parts, sign, hours, minutes = found.groups()
            moment = datetime(*(int(part or 0) for part in parts))
            if sign:
                offset = timedelta(hours=int(hours), minutes=int(minutes))
                moment += offset if sign == "-" else -offset
    except (ValueError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000").rjust(26, "0")


def past_timestamp(value: Any) -> str:
    """Return a `timestamp` that lies in the past; refuse any other.

    Raises:
        BadAnswer: any other, with an `example` only if that would be accepted.
    """
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000")
    try:
        if timestamp(value) <= now:
            return value
    except BadAnswer as bad:
        if bad.example <= now:
            raise
    raise BadAnswer(f"a time in the past, as {TIMESTAMP_FORM}")


def check_timestamps(text: str) -> None:
    """Refuse a text with a time in another form than the connector's.

    Raises:
        ValueError: names the first such time and the right form.
    """
    for found in re.finditer(TIME_LITERAL, text):
        if not re.fullmatch(TIMESTAMP, found[0]):
            raise ValueError(f"{found[0]} must be {guess_timestamp(found[0]) or TIMESTAMP_FORM}")
    for found in re.finditer(TIME_ENDING, text):
        if found[0] != ".000000":
            raise ValueError(f"'{found[0]}' must be '.000000': {TIMESTAMP_FORM}")
