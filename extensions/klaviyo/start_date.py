"""Accept times in the one form that the connector takes, and guess which one was meant."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from typing import Any

from .errors import BadAnswer
from .ingestion_check.timestamps import FORM, has_form, is_past, is_timestamp


def timestamp(value: Any) -> str:
    """Return a time as the connector takes it, or refuse it.

    Args:
        value: text as `YYYY-MM-DDTHH:MM:SS.000000`: UTC, six zeros, no zone.

    Raises:
        BadAnswer: any other form, with the right one as `example` where it can be guessed; or a
            day or hour that does not exist.
    """
    if not isinstance(value, str) or not has_form(value):
        raise BadAnswer(f"{FORM}, UTC, without a zone", guess_timestamp(value))
    if not is_timestamp(value):
        raise BadAnswer(f"a day and hour that exist, as {FORM}")
    return value


def past_timestamp(value: Any) -> str:
    """Return a `timestamp` that lies in the past; refuse any other.

    Raises:
        BadAnswer: any other, with an `example` only if that would be accepted.
    """
    try:
        if is_past(timestamp(value)):
            return value
    except BadAnswer as bad:
        if not bad.example or is_past(bad.example):
            raise
    raise BadAnswer(f"a time in the past, as {FORM}")


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
