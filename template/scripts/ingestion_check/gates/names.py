"""Look for names that YAML or SQL would read as something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..digdag_yaml import Map, Text
from ..expectations import expect_form, unexpected
from ..gate import gate
from ..names_in_sql import needs_quotes
from ..plain_scalars import is_text
from ..problems import Problem, place_in
from ..repo import Repo
from ..sql import without_comments

DATABASE_FILE = "ingestion/config/database.yml"
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
