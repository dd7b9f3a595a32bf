"""Accept a start as people write it, in the one form that the connector takes; guess what else was meant."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from typing import Any

from .errors import BadAnswer
from .ingestion_check.timestamps import FORM, is_past, is_timestamp

# A date, or an instant, as people write it; Z says UTC, which it is anyway.
_WRITTEN = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.0+)?Z?)?")
# What Python makes of the same, if YAML read it as an instant, and Copier as text then.
_MADE_TEXT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})\+00:00")


def timestamp(value: Any) -> str:
    """Return a date or an instant as the connector takes it, `YYYY-MM-DDTHH:MM:SS.000000`, or refuse it.

    Args:
        value: text like `2024-01-01` or `2024-01-01T00:00:00`, with a fraction of zeros or a Z, if at all; or
            what YAML makes of the same without quotes. It is in UTC.

    Raises:
        BadAnswer: any other form, with the right one as `example` where it can be guessed; or a
            day or hour that does not exist.
    """
    text = value if isinstance(value, str) else str(value) if isinstance(value, date) else ""
    found = _WRITTEN.fullmatch(text) or _MADE_TEXT.fullmatch(text)
    if not found:
        raise BadAnswer(
            f"{FORM}, UTC, or only YYYY-MM-DD", guess_timestamp(value), "YYYY-MM-DD, as 2023-09-01"
        )
    understood = f"{found[1]}T{found[2] or '00:00:00'}.000000"
    if not is_timestamp(understood):
        raise BadAnswer(f"a day and hour that exist, as {FORM}", brief="a day and hour that exist")
    return understood


def past_timestamp(value: Any) -> str:
    """Return the `timestamp` of an instant that lies in the past; refuse any other.

    Raises:
        BadAnswer: any other, with an `example` only if that would be accepted.
    """
    try:
        understood = timestamp(value)
    except BadAnswer as bad:
        if not bad.example or is_past(bad.example):
            raise
    else:
        if is_past(understood):
            return understood
    raise BadAnswer(f"a time in the past, as {FORM}", brief="a time in the past")


def right_time(wrong: str) -> str:
    """What one of the `wrong_times` of a text must be."""
    return guess_timestamp(wrong) or FORM if wrong[0].isdigit() else f"'.000000', the end of {FORM}"


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
            year, month, day, hour, minute, second = (int(part or 0) for part in parts)
            moment = datetime(year, month, day, hour, minute, second)
            if sign:
                offset = timedelta(hours=int(hours), minutes=int(minutes))
                moment += offset if sign == "-" else -offset
    except (ValueError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000").rjust(26, "0")
