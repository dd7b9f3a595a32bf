"""Keep several Klaviyo accounts of one repo apart: all but the first have a name and an answers file."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from .errors import BadAnswer, refusal
from .existing_repo import DEFAULT_DATABASE, destination, is_aside
from .ingestion_check.accounts import (
    ANSWERS_FILE,
    OF_AN_OBJECT,
    OWN_NAMES,
    accounts_that_meet,
    answers_file_option,
    source_of,
    stored_answers,
)
from .objects import CATALOGUE, custom_object

# What is one for all accounts of a client.
SHARED = ("client_name", "td_region", "td_project", "target_database")


def answers_file(account: str) -> str:
    """Where the answers of an account with a name are."""
    return f".copier-answers.klaviyo_{account}.yml"


def _stored(context: Context) -> dict[str, dict[str, Any]]:
    """The answers of this template that stand in the destination, by their file."""
    folder = destination(context, "")
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [file for file in found if ANSWERS_FILE.fullmatch(file.name) and file.is_file()]
    answers = {
        file.name: stored_answers(file.read_text(encoding="utf-8", errors="replace")) for file in files
    }
    return {name: each for name, each in answers.items() if each}


def _others(context: Context) -> dict[str, dict[str, Any]]:
    """The answers of the other accounts of this repo, by their file."""
    own = str(context["_copier_conf"]["answers_file"])
    return {file: answers for file, answers in _stored(context).items() if file != own}


def _first(others: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The answers of the first account, if it is another one."""
    return next((answers for answers in others.values() if not answers.get("account")), {})


@pass_context
def of_the_first(context: Context, name: str) -> Any:
    """What the first account of the repo answered; nothing, if there is none yet, or this is the first."""
    return _first(_others(context)).get(name, "")


def account_problems(context: Context, account: str) -> Iterator[str]:
    """Say why the repo cannot have an account of this name in this answers file, a line each.

    Args:
        account: its name, as given or stored; empty for the first.
    """
    if is_aside(context):
        return
    own, stored, others = str(context["_copier_conf"]["answers_file"]), _stored(context), _others(context)
    there = (stored.get(own) or {}).get("account") or ""
    same = next((file for file, answers in others.items() if (answers.get("account") or "") == account), "")
    if same:
        yield _is_there(same, others[same])
    elif account and not _first(stored):
        yield (
            f"account: {account!r} is invalid, the first account of a repo has no name: copy without "
            "-d account first."
        )
    elif own in stored and there != account or account and own != answers_file(account):
        name = account or "NAME"
        one_more = f"copier copy --trust --answers-file {answers_file(name)} -d account={name}"
        whose = repr(there) if there else "the one without a name"
        yield (
            f"account: {account!r} is invalid, {own} is for {whose}, and an account keeps its name, as its "
            f"tables have it. For another account: {one_more}."
        )
    elif account and "account" not in _first(stored):
        yield (
            f"account: {account!r} is invalid, the first account's version allows no others: run "
            "copier update --trust for it."
        )


def _is_there(file: str, answers: dict[str, Any]) -> str:
    """Say that an account is there already, and the two ways on."""
    account = answers.get("account") or ""
    named = f"the account {account!r}" if account else "an account without a name"
    return (
        f"account: {answers.get('client_name')} has {named} in {file} already, with the authentication "
        f"{answers.get('td_authentication_id')}. For another account: -d account=NAME --answers-file "
        f"{answers_file('NAME')}; to change that one: "
        f"copier update --trust{answers_file_option(file)}."
    )


@pass_context
def check_copy(context: Context) -> str:
    """Refuse a copy over the answers of an account that uses another authentication: it is another account.

    `_exclude` calls this before the first file is written: only there Copier tells a copy from an update.

    Returns:
        Nothing, as text, which is no pattern of files.
    """
    own = str(context["_copier_conf"]["answers_file"])
    stored = {} if is_aside(context) else _stored(context).get(own, {})
    if stored and str(stored.get("td_authentication_id")) != context["td_authentication_id"]:
        raise refusal([_is_there(own, stored)])
    return ""


def clashes_with_accounts(context: Context) -> Iterator[str]:
    """Say which answers the other accounts of the repo rule out, a line each."""
    others = _others(context)
    first = _first(others) if context["account"] else {}
    for name in SHARED:
        ours, theirs = context[name], first.get(name, context[name])
        if name == "target_database":
            ours, theirs = ours or DEFAULT_DATABASE, theirs or DEFAULT_DATABASE
        if ours != theirs:
            yield (
                f"{name}: {ours!r} is invalid, the first account of the repo has {theirs!r}: "
                f"-d {quote(f'{name}={theirs}')} fixes it."
            )
    answers = [dict(context.get_all()), *others.values()]
    objects = {source_of(each): list(_objects(each)) for each in answers}
    for source, name, other in accounts_that_meet(objects):
        custom = name not in (*OWN_NAMES, *(known.name + end for known in CATALOGUE for end in OF_AN_OBJECT))
        what = "custom_objects" if custom else "account"
        yield (
            f"{what}: {name} of {source} is invalid beside the account {other.removeprefix('klaviyo_')}, as "
            f"{source}_{name} may be a name of both: call one of them otherwise."
        )


def accounts_to_follow(context: Context) -> Iterator[str]:
    """Say which accounts do not have what the first one answers for all of them now, a note each."""
    if context["account"] or is_aside(context):
        return
    for file, answers in _others(context).items():
        changed = {
            name: context[name] for name in SHARED[1:] if context[name] != answers.get(name, context[name])
        }
        if not changed or not answers.get("account"):
            continue
        given = "".join(f" -d {quote(f'{name}={value}')}" for name, value in changed.items())
        if "td_region" in changed:
            given += " -d td_authentication_id=NEW_NUMBER"
        yield (
            f"the account {answers['account']!r} needs the same, once this is committed; until then "
            f"its workflows are as they were:\n     {update_command(file)}{given}"
        )


def _objects(answers: dict[str, Any]) -> Iterator[str]:
    """The names of all that an account may load: the catalogue, chosen or not, and the custom objects."""
    yield from (known.name for known in CATALOGUE)
    for entry in answers.get("custom_objects") or ():
        try:
            yield custom_object(entry).name
        except BadAnswer:  # another version's, which allowed it
            continue


def into(context: Context) -> str:
    """How a command of Copier's is told the account; nothing for the first in its usual place."""
    return answers_file_option(str(context["_copier_conf"]["answers_file"]))


def update_command(file: str) -> str:
    """The command that changes an answer of the account whose answers are in this file."""
    return (
        f"uvx --with copier-template-extensions copier update --trust --defaults{answers_file_option(file)}"
    )
