"""Find answers to questions that do not exist, which Copier ignores."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from jinja2.runtime import Context

from .existing_repo import is_aside
from .ingestion_check.credentials import holds_key
from .rules import RULES

# shedule is .93 like schedule, klaviyo_key .85 like klaviyo_api_key; project is .82 like td_project, and
# may well be another template's in a data file that serves several.
CLOSE = 0.84


def is_unicode(value: Any) -> bool:
    """Whether a text can be written; bytes that are not UTF-8 arrive as halves of characters."""
    return not isinstance(value, str) or not re.search(r"[\ud800-\udfff]", value)


def given_to_no_question(context: Context) -> dict[str, Any]:
    """What was given, with `-d` or a data file, by the name of no question.

    The renders that an update makes aside have in the same place what is stored, so it is not asked there.
    """
    given = {} if is_aside(context) else context["_copier_conf"]["data"]
    return {str(name): value for name, value in given.items() if name not in RULES and str(name)[:1] != "_"}


def unknown_answers(context: Context) -> Iterator[str]:
    """Say which names are misspelt, and which hold a key that was meant for its question, a line each."""
    for name, value in given_to_no_question(context).items():
        if holds_key(name) or holds_key(value):
            shown = "a name (not shown)" if holds_key(name) else ascii(name)[1:-1]
            yield f"{shown}: is not a question, and holds a key, which belongs in klaviyo_api_key."
        elif not is_unicode(name) or not is_unicode(value):
            what = "its value is" if is_unicode(name) else "its name is"
            yield f"{ascii(name)[1:-1]}: is not a question, and {what} not UTF-8: leave it out."
        elif close := difflib.get_close_matches(name.lower().replace("-", "_"), list(RULES), 1, CLOSE):
            yield f"{name}: is not a question, did you mean -d {close[0]}=... ?"
