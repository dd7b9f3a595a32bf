"""Decide what each answer must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from .errors import BadAnswer
from .ingestion_check.accounts import name_met_by
from .objects import BRIEF, CATALOGUE, ENTRY_FORM, custom_object
from .regions import REGIONS
from .schedules import check_schedule
from .start_date import past_timestamp


def _matching(pattern: str, form: str, brief: str) -> Callable[[Any], None]:
    """A rule for text that matches as a whole."""

    def rule(value: Any) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise BadAnswer(form, brief=brief)

    return rule


def _one_of(*choices: Any) -> Callable[[Any], None]:
    """A rule for a value that is one of a few."""

    def rule(value: Any) -> None:
        if value not in choices:
            raise BadAnswer(" or ".join(map(str, choices)))

    return rule


def check_yes_or_no(value: Any) -> None:
    """Accept yes or no, as a data file gives it or as the text that `-d` gives."""
    if _parsed(value) not in (True, False):
        raise BadAnswer("yes or no")


def check_more_settings(value: Any) -> None:
    """Accept yes or no, also as a person types it: y, n, or nothing for no."""
    if str(value).lower() not in ("y", "n", ""):
        check_yes_or_no(value)


def check_client_name(value: Any) -> None:
    """Accept one line of text without `${`, which Digdag would take for a variable."""
    if not isinstance(value, str) or not value.isprintable() or value != value.strip() or not value:
        raise BadAnswer(
            "one line of text, without spaces at its ends", brief="one line of text, no space at ends"
        )
    if "${" in value or len(value) > 100:
        raise BadAnswer("at most 100 characters, without ${")


def check_authentication_id(value: Any) -> None:
    """Accept the number of a TD authentication, or its name; not a Klaviyo key pasted one question late."""
    text = _bare_number_as_text(value)
    if not isinstance(text, str) or not re.fullmatch(r"(?!pk_)[A-Za-z0-9_-]{1,128}", text):
        raise BadAnswer(
            "digits, as in the authentication's URL; or letters, digits, _ and -",
            brief="digits, as its URL ends",
        )


def _bare_number_as_text(value: Any) -> Any:
    """A whole number, as a data file may give it, as the text that `-d` gives; anything else as it is."""
    return str(value) if type(value) is int else value


def check_database(value: Any) -> None:
    """Accept a TD database's name, or nothing for the default."""
    if value == "" or isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{3,128}", value):
        return
    guess = re.sub(r"[^a-z0-9_]+", "_", str(value).strip().lower()).strip("_")
    raise BadAnswer(
        "3 to 128 of a-z, 0-9 and _", guess if isinstance(value, str) and 3 <= len(guess) <= 128 else ""
    )


def check_account(value: Any) -> None:
    """Accept a short name, under which no account's files and tables are named like the first one's."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9_]{0,32}", value):
        raise BadAnswer(
            "a short name of a-z, 0-9 and _, at most 32, or empty", brief="a-z, 0-9, _, at most 32, or empty"
        )
    if value and name_met_by(value, [known.name for known in CATALOGUE]):
        raise BadAnswer(
            f"a name that no file or table of the first account begins with, unlike {value}",
            brief="another: files are called so already",
        )


def check_source(value: Any) -> None:
    """Accept nothing: it is computed, and whatever is given would take its place."""
    raise BadAnswer("left out, as account makes it")


def check_objects(value: Any) -> None:
    """Accept a list, or YAML text of a list, of the catalogue's names, at least one."""
    names = [known.name for known in CATALOGUE]
    chosen = _parsed(value)
    # Copier takes each item of the text as it is written, with its escapes, anchors and tags.
    plain = not isinstance(value, str) or not re.search(r"[\\&*!]", value)
    known = plain and isinstance(chosen, list) and chosen and all(name in names for name in chosen)
    if known and len(set(chosen)) < len(chosen):
        raise BadAnswer("a list that has no object twice", brief="a list that has no object twice")
    if not known:
        raise BadAnswer(
            f"at least one of {', '.join(names)}, in a list like [profiles, events]",
            brief="at least one of profiles, events, ...",
        )


def _up_to(most: int, unit: str) -> Callable[[Any], None]:
    """A rule for a whole number."""

    def rule(value: Any) -> None:
        text = _bare_number_as_text(value)
        if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > most:
            raise BadAnswer(f"0 to {most}, whole {unit}")

    return rule


def check_emails(value: Any) -> None:
    """Accept plain addresses with commas between them, or nothing for no mail."""
    one = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
    if value != "" and not (isinstance(value, str) and re.fullmatch(rf"{one}(, *{one})*", value)):
        raise BadAnswer(
            "addresses like data-team@example.com, comma-separated, or empty",
            brief="like a@example.com, b@example.com",
        )


def check_custom_objects(value: Any) -> None:
    """Accept a list, or YAML text of a list, of `custom_object` entries, if no two objects share a table."""
    entries = _parsed(value)
    if not isinstance(entries, list):
        raise BadAnswer(ENTRY_FORM, brief=BRIEF)
    objects = [*CATALOGUE, *map(custom_object, entries)]
    if len({each.name for each in objects}) < len(objects):
        raise BadAnswer("names of their own, not one twice: " + ENTRY_FORM, brief="no name twice")


def _parsed(value: Any) -> Any:
    """An answer's YAML text as data (`-d` gives text); anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except Exception:  # noqa: BLE001 - PyYAML lets through many kinds, such as a ValueError for 2023-02-30
        return None


# A rule for each question, in the questions' order. A rule returns, or raises BadAnswer.
RULES: dict[str, Callable[[Any], Any]] = {
    "answers_are_good": _one_of(True),
    "client_name": check_client_name,
    "td_authentication_id": check_authentication_id,
    "default_start_date": past_timestamp,
    "target_database": check_database,
    "more_settings": check_more_settings,
    "td_region": _one_of(*REGIONS),
    "td_project": _matching(
        r"(?!pk_)[A-Za-z_][A-Za-z0-9_-]{0,254}",
        "letters, digits, _ and -, not a digit first",
        "letters, digits (not first), _, -",
    ),
    "account": check_account,
    "source": check_source,
    "objects": check_objects,
    "metrics_load": _one_of("incremental", "full"),
    "events_lookback_hours": _up_to(168, "hours"),
    "events_late_days": _up_to(30, "days"),
    "custom_objects": check_custom_objects,
    "schedule": check_schedule,
    "remove_copies": check_yes_or_no,
    "latest_tables": check_yes_or_no,
    "alert_email": check_emails,
    "alert_slack": check_yes_or_no,
    "freshness_hours": _up_to(168, "hours"),
    "ci": _one_of("github", "none"),
    "klaviyo_api_key": _matching(
        r"(pk_[A-Za-z0-9_]{1,252})?",
        "pk_ and then letters, digits or _, a private key; or empty",
        "pk_ and letters, digits or _",
    ),
    "writes_credentials": _one_of(True, False),
    "files_are_good": _one_of(True),
}
