"""Judge all answers at once before anything is asked, and say how they are stored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from .errors import BadAnswer, refusal
from .existing_repo import remember_where_copier_was_started
from .ingestion_check.credentials import PATH, holds_key, without_token
from .objects import KlaviyoObject, chosen_objects
from .preconditions import place_problems
from .rules import RULES
from .several_accounts import account_problems
from .start_date import timestamp
from .unknown_answers import is_unicode, unknown_answers

KEY_QUESTION = "klaviyo_api_key"
COLUMNS = 79  # The last one of 80 stays empty.
# Asked for as text: where a number is wanted, Copier says of anything else no more than "Invalid input".
NUMBERS = ("events_lookback_hours", "events_late_days", "freshness_hours")
WITHOUT_DEFAULT = ("td_authentication_id", "default_start_date")


def answer_problem(value: Any, name: str) -> str:
    """What a prompt says of an answer; empty if it is valid. For a question's `validator`.

    A terminal has one row for it, which begins with Copier's words: it says as much as fits there.
    """
    try:
        judge(name, value)
    except BadAnswer as bad:
        room = COLUMNS - len(f"Validation error for question '{name}': ")
        guesses = [f"{bad.example}: {bad.form}", f"{bad.example}?"] if bad.example else []
        return next((said for said in (*guesses, bad.form) if len(said) <= room), bad.brief)
    return ""


def judge(name: str, value: Any) -> None:
    """Accept an answer by its question's rule; none but the key's own question takes a key.

    Raises:
        BadAnswer: what is wanted instead.
    """
    if not is_unicode(value):
        raise BadAnswer(
            "text in UTF-8 (this terminal's locale may not be: try LC_ALL=C.UTF-8)", brief="text in UTF-8"
        )
    if name != KEY_QUESTION and holds_key(value):
        raise BadAnswer(
            f"no key: that is for {KEY_QUESTION}, all else is kept in git", brief="no key, git keeps this"
        )
    RULES[name](value)


@pass_context
def check_answers(context: Context) -> bool:
    """Refuse all bad answers at once, before Copier asks or writes anything.

    Copier's own validators end in a traceback for answers that come from `--data`, `--data-file`
    or the user's settings, and replace a stored answer that became invalid by its default.

    Returns:
        False, so that the hidden question whose `when` calls this stays hidden.

    Raises:
        UserMessageError: a line for each bad answer.
    """
    remember_where_copier_was_started()
    conf = context["_copier_conf"]
    answers = {"client_name": context["_folder_name"], **settings_defaults(context), **context.get_all()}
    lines = list(bad_answers(answers))
    for name in WITHOUT_DEFAULT if conf["defaults"] else ():
        if name not in answers:
            lines.append(f"{name}: no answer, and it has no default. Add -d {name}=... or a --data-file.")
    if lines and "_commit" in conf["data"]:  # an update renders the old version from the stored answers alone
        lines.append(f"No -d can fix what {conf['answers_file']} says: correct it there and commit.")
    lines += wrong_account(context, answers)
    lines += [*unknown_answers(context), *place_problems(context)]
    if lines:
        raise refusal(lines)
    return False


def bad_answers(answers: Mapping[str, Any]) -> Iterator[str]:
    """Say which answers break their question's rule, a line each."""
    for name in RULES:
        if name in answers:
            try:
                judge(name, answers[name])
            except BadAnswer as bad:
                yield _refusal(name, answers[name], bad)


def wrong_account(context: Context, answers: Mapping[str, Any]) -> Iterator[str]:
    """Say why the repo cannot have an account of this name; nothing, if its rule does not even take it."""
    account = answers.get("account") or ""
    if not answer_problem(account, "account"):
        yield from account_problems(context, account)


def settings_defaults(context: Context) -> dict[str, Any]:
    """The defaults in the user's Copier settings, with text rendered as Copier will render it."""
    defaults = {}
    for name, value in context["_copier_conf"]["settings"].defaults.items():
        if name in RULES:
            try:
                template = context.environment.from_string(value) if isinstance(value, str) else None
                defaults[name] = template.render(context.get_all()) if template else value
            except Exception:  # noqa: BLE001 - the text is the user's, and may fail in any way
                why = f"{name}: the default in Copier's settings is not text that Jinja can render."
                raise refusal([why]) from None
    return defaults


@pass_context
def type_of_the_start(context: Context) -> str:
    """Copier's type for a start: its `str` does not take what YAML made a date, its `path` takes it as text.

    It has to become text: an update drops what is none, and then ends half-way.
    """
    given = {**settings_defaults(context), **context.get_all()}.get("default_start_date", "")
    return "str" if isinstance(given, str) else "path"


def _refusal(name: str, value: Any, bad: BadAnswer) -> str:
    """One line: the question, the value (never the key's), the form wanted, how to fix it."""
    shown = str(value) if isinstance(value, date) else repr(value)
    hidden = name == KEY_QUESTION or "pk_" in shown.lower() or holds_key(shown)
    if hidden:
        shown = "the value (not shown)"
    if len(shown) > 80:
        shown = shown[:77] + "..."
    quote = (
        " Without quotes it is not text in a data file: quote it." if _would_do_as_text(name, value) else ""
    )
    if name == KEY_QUESTION:  # with -d it would stay in the shell's history
        fix = f" Type it when Copier asks, or put it into {PATH} afterwards."
    elif bad.example and not hidden:
        fix = f" Did you mean -d {name}={bad.example} ?"
    else:
        fix = f" Fix it with -d {name}=..."
    return f"{name}: {shown} is invalid, it must be {bad.form}.{quote}{fix}"


def _would_do_as_text(name: str, value: Any) -> bool:
    """Whether it is what YAML makes of an answer without quotes: a date, a number, yes and no."""
    if isinstance(value, str):
        return False
    text = str(value).lower().zfill(3)  # 0123 has become 83
    return not answer_problem(text, name)


@pass_context
def answers_to_store(context: Context) -> dict[str, Any]:
    """The answers, with the template's URL less a token, or its whole path, as updates start from elsewhere.

    The start is in the one form, however it was given.
    """
    answers = dict(context["_copier_answers"])
    # Asked anew each time: a stored yes would double an update's prompts; --skip-answered needs an answer.
    # What is stored stands at the prompt, so it is nothing.
    answers["more_settings"] = ""
    answers.update({name: int(context[name]) for name in NUMBERS})
    answers["_src_path"] = without_token(answers["_src_path"])
    if Path(answers["_src_path"]).exists():
        answers["_src_path"] = os.path.abspath(answers["_src_path"])
    answers["default_start_date"] = timestamp(context["default_start_date"])
    return answers


@pass_context
def objects_to_load(context: Context) -> list[KlaviyoObject]:
    """The objects that this repo, or this account of it, loads."""
    return chosen_objects(
        context["objects"], context["custom_objects"], context["metrics_load"], context["source"]
    )
