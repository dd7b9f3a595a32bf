"""Look at each Klaviyo account of a repo: its files, its authentication, and the version that made it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from ..accounts import Account, accounts_that_meet, source_of
from ..gate import gate
from ..problems import Place, Problem
from ..repo import Repo
from .files import includes


@gate("No account uses another's files")
def account_files(repo: Repo) -> Iterator[Problem]:
    """With another one's datasources or queries a workflow fills the other's tables, or logs in its name."""
    sources = [account.source for account in repo.accounts]
    for root in (root for root in repo.ours if len(sources) > 1 and root.account in repo.accounts):
        named = [(name.place, name.included) for name in includes([root])]
        named += [(step.body.at(step.operator), file) for step in root.walk() for file in step.files]
        for place, file in named:
            whose = repo.accounts.of(file)
            if basename(file).startswith("klaviyo_") and whose != root.account:
                yield place.problem(f"{file} is {whose.source}'s, and not {root.account.source}'s")


@gate("No account is called like another's files or tables", any_version=True)
def account_names(repo: Repo) -> Iterator[Problem]:
    """An account uk_preflight has tables that the preflight of uk drops; uk_ingest has uk's workflows."""
    objects: dict[str, list[str]] = {account.source: [] for account in repo.accounts}
    for _, entry in repo.entries:
        source = repo.accounts.of(entry.place.path).source
        objects.setdefault(source, []).append(
            entry.text("table_name").removeprefix(f"{source}_").removesuffix("_hist")
        )
    for source, name, other in accounts_that_meet(objects):
        why = f"{other} may have {source}_{name}, which is {source}'s: call one of them otherwise"
        yield Place(Account(other).datasources, 1).problem(why)


@gate("All load files have one authentication", is_note=True)
def one_authentication(repo: Repo) -> Iterator[Problem]:
    """One load of another Klaviyo account puts that one's records among all others."""
    for account in repo.accounts:
        given = _authentications(repo, account)
        most = _most(given)
        for other, places in given.items():
            for place in places if other != most else ():
                yield place.problem(f"td_authentication_id is {other or 'empty'} here, and {most} elsewhere")


@gate("Each account has an authentication of its own", is_note=True, any_version=True)
def own_authentication(repo: Repo) -> Iterator[Problem]:
    """An authentication is of one Klaviyo account: two that share it load the same records twice."""
    seen: dict[str, str] = {}
    for account in repo.accounts:  # the first is klaviyo, which has no name
        given = _authentications(repo, account)
        if most := _most(given):
            first = seen.setdefault(most, account.source)
            if first != account.source:
                why = f"{account.source}'s loads use {first}'s authentication {most}: the same records twice?"
                yield min(given[most]).problem(why)


@gate("All accounts are of one version", is_note=True, any_version=True)
def account_versions(repo: Repo) -> Iterator[Problem]:
    """Each account updates on its own, and these gates cannot judge what another version named otherwise."""
    all_answers = [(path, answers) for path, answers in repo.accounts.answers.items() if answers]
    own = [(path, answers) for path, answers in all_answers if source_of(answers) == repo.accounts.source]
    for other in all_answers:
        if repo.accounts.is_of_another_version(f"{source_of(other[1])}.yml"):
            path, answers = min([other, *own], key=lambda each: _numbers(each[1].get("_commit")))
            made_by = answers.get("_commit") or "a version without a name"
            yield Place(path, 1).problem(f"{source_of(answers)}: made by {made_by}, update it, too")


def _numbers(version: object) -> list[int]:
    """What a version's name is compared by; nothing, if it has none: 0.10.0 is newer than 0.9.1."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", str(version or ""))
    return [int(number) for number in found[1].split(".")] if found else []


def _authentications(repo: Repo, account: Account) -> dict[str, list[Place]]:
    """The authentications that an account's load files give, each with where it stands."""
    given: dict[str, list[Place]] = {}
    for entry, load in repo.load_files:
        source = load.section("in")
        own = repo.accounts.of(entry.place.path) == account
        if own and "${" not in source.text("td_authentication_id"):
            place = source.at("td_authentication_id")
            given.setdefault(source.text("td_authentication_id"), []).append(place)
    return given


def _most(given: dict[str, list[Place]]) -> str:
    return max(given, key=lambda one: len(given[one]), default="")
