"""Look for names that YAML or SQL would read as something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..accounts import BACKFILL, answers_file_option
from ..digdag_yaml import Map, Text
from ..expectations import expect_form, unexpected
from ..gate import gate
from ..names_in_sql import needs_quotes
from ..plain_scalars import is_text
from ..problems import Problem, place_in
from ..repo import Repo
from ..sql import without_comments

DATABASE_FILE = "ingestion/config/database.yml"
DEFAULT_DATABASE = "client_src"
FIELDS = ("incremental_field", "historical_field")
IN_LOAD_FILES = ("name", "incremental_field_connector")
_BARE_DATABASE = re.compile(r'(?<!")\$\{\s*databases\.src\s*\}(?=\s*\.)')


@gate("Digdag and SQL read each name as it is written")
def plain_names(repo: Repo) -> Iterator[Problem]:
    """Without quotes, Digdag takes 0123 for 83 and null for nothing, and SQL takes no name that begins with a
    digit or is a word of its own. Queries have tables and fields without quotes, and so have load files what
    they are given.
    """
    databases = repo.documents.map(DATABASE_FILE).section("databases")
    if "src" in databases:
        yield from _read_as_written(databases)
        yield from expect_form(databases, "src", "3 to 128 of a-z, 0-9 and _", r"[a-z0-9_]{3,128}")
        if needs_quotes(databases.text("src")):
            yield from _without_quotes(repo, databases.text("src"))
    for _, entry in repo.entries:
        yield from _read_as_written(entry)
        yield from (_refused(entry, key) for key in ("table_name", *FIELDS) if needs_quotes(entry.text(key)))
        for key in FIELDS:
            if not re.fullmatch(r"[a-z0-9_]*", entry.text(key)):
                yield unexpected(entry, key, "a column, of a-z, 0-9 and _")
            if entry.text(key) == "time":
                why = f"{key} must be a time of the record's own, `time` is when a load ran"
                yield entry.at(key).problem(why)
        for key in IN_LOAD_FILES:
            if entry.text(key) and not is_text(entry.text(key)):
                yield _refused(entry, key)
    for _, load in repo.load_files:
        yield from _read_as_written(load.section("in"), ["td_authentication_id"])


def _refused(entry: Map, key: str) -> Problem:
    return entry.at(key).problem(f"{key} must be a name that needs no quotes, not {entry.text(key)}")


def _read_as_written(found: Map, keys: list[str] | None = None) -> Iterator[Problem]:
    """That Digdag reads what these keys, or all, say as it is written."""
    for key, value in found.items():
        if isinstance(value, Text) and (keys is None or key in keys) and value.read_as != value:
            yield found.at(key).problem(f"Digdag reads {key}: {value} as {value.read_as}: quote it")


def _without_quotes(repo: Repo, database: str) -> Iterator[Problem]:
    """Where a query that our workflows run, another source's too, has the database without quotes."""
    why = f'must be "${{databases.src}}", as SQL takes {database} only in quotes'
    steps = [step for step in repo.steps if step.operator == "td>"]
    for file in sorted({file for step in steps for file in step.files}):
        sql = without_comments(repo.documents.text(file))
        for found in _BARE_DATABASE.finditer(sql):
            yield place_in(file, sql, found.start()).problem(why)
    for text in (text for step in steps for text in step.texts):
        for found in _BARE_DATABASE.finditer(text):
            yield text.at(found[0]).problem(why)


@gate("Queries for people name the tables that are loaded")
def queried_tables(repo: Repo) -> Iterator[Problem]:
    """With another table_name than the object's, loads go to a new table; the queries read the old one."""
    loaded = {entry.text("table_name") for _, entry in repo.entries}
    for name, entry in repo.entries:
        source = repo.accounts.of(entry.place.path).source
        found = re.fullmatch(rf"({source}_\w+)_load\.yml", entry.text("config_file"))
        own = found[1] + ("_hist" if name == BACKFILL else "") if found else ""
        if own and own not in loaded:
            for file in repo.tree.paths("ingestion/query_samples"):
                if re.search(rf"\b{own}\b", repo.documents.text(file)):
                    yield unexpected(entry, "table_name", f"{own}, as in {file}, or both another")
                    break


@gate("The database is the one that was answered", is_note=True)
def answered_database(repo: Repo) -> Iterator[Problem]:
    """Queries for people and the manual name the answered one; what runs takes it from database.yml."""
    databases = repo.documents.map(DATABASE_FILE).section("databases")
    for path, answers in repo.accounts.answers.items():
        answered = str(answers.get("target_database") or DEFAULT_DATABASE) if answers else ""
        given = databases.text("src").strip()
        if answered and given and given != answered:
            why = (
                f"loads go to {given}, but query_samples/ and docs/ name {answered}: to follow, "
                f"copier update --trust{answers_file_option(path)} -d target_database={given}"
            )
            yield databases.at("src").problem(why)
