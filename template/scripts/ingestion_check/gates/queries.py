"""Look for misspelt tables in queries. Whether a query is good SQL, only TD can tell."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from ..digdag_yaml import texts
from ..gate import gate
from ..names_in_sql import defined_tables, tables
from ..problems import Problem, place_in
from ..repo import Repo
from ..sql import without_code, without_comments

LOG = "ingestion_log"


@gate("No table's name is misspelt in a query")
def table_names(repo: Repo) -> Iterator[Problem]:
    """A query of a table that is not there fails its object in every run; one that fills it, unseen."""
    files = [file for file in repo.tree.paths("ingestion") if re.search(r"/klaviyo_[^/]*\.sql$", file)]
    texts_of = {file: repo.documents.text(file) for file in {*files, *repo.queries}}
    queries = {file: without_code(without_comments(text)) for file, text in texts_of.items()}
    loaded = {entry.text(key) for _, entry in repo.entries for key in ("table_name", "historical_table")}
    known = {LOG, *loaded} - {""}
    # Of any source: a table that a task makes or fills has a right to its name.
    named = {str(text) for root in repo.workflows for text in texts(root.body)}
    for sql in queries.values():
        known |= defined_tables(sql)
    right = known | named
    for file, sql in queries.items():
        for offset, name in tables(sql):
            close = [] if name in right else difflib.get_close_matches(name, known, 1, 0.9)
            if close and not _extends(name, close[0]):
                why = f"there is no table {name}, did you mean {close[0]}?"
                yield place_in(file, sql, offset).problem(why)


def _extends(name: str, other: str) -> bool:
    """Whether a table is called like another one, with a word more or less: klaviyo_events_old."""
    return name.startswith(f"{other}_") or other.startswith(f"{name}_")
