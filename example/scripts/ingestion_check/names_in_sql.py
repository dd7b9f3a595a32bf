"""The names in a query: what may be a column, and what is a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What Trino reserves can be no column, unless it is quoted.
# fmt: off
_RESERVED = {
    "ALTER", "AND", "AS", "BETWEEN", "BY", "CASE", "CAST", "CONSTRAINT", "CREATE", "CROSS", "CUBE",
    "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "DEALLOCATE", "DELETE",
    "DESCRIBE", "DISTINCT", "DROP", "ELSE", "END", "ESCAPE", "EXCEPT", "EXECUTE", "EXISTS", "EXTRACT",
    "FALSE", "FOR", "FROM", "FULL", "GROUP", "GROUPING", "HAVING", "IN", "INNER", "INSERT", "INTERSECT",
    "INTO", "IS", "JOIN", "LEFT", "LIKE", "LOCALTIME", "LOCALTIMESTAMP", "NATURAL", "NORMALIZE", "NOT",
    "NULL", "ON", "OR", "ORDER", "OUTER", "PREPARE", "RECURSIVE", "RIGHT", "ROLLUP", "SELECT", "TABLE",
    "THEN", "TRUE", "UESCAPE", "UNION", "UNNEST", "USING", "VALUES", "WHEN", "WHERE", "WITH",
}
# fmt: on
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_NAME = re.compile(r"\b[A-Za-z_]\w*\b(?!\s*\()")
# What follows these words is a table, with its database before a dot; both may hold a `${...}`.
_TABLE = re.compile(
    r"\b(?:FROM|JOIN|INTO|TABLE(?:\s+IF\s+(?:NOT\s+)?EXISTS)?)\s+(?P<name>(?:\$\{[^{}]*\}|[\w.\"])+)",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:(?:\$\{[^{}]*\}|\w+)\.)?(\w+)|\b(\w+)\s+AS\s*\(",
    re.IGNORECASE,
)


def names(sql: str) -> Iterator[str]:
    """The words of a query that may name a column, or a key of JSON: no reserved word, and no function."""
    for found in _NAME.finditer(sql):
        if found[0].upper() not in _RESERVED or sql[found.start() - 1 : found.start()] == '"':
            yield found[0]


def tables(sql: str) -> Iterator[tuple[int, str]]:
    """The tables that a query without comments and code reads or fills, without database, and their offsets.

    One whose name a variable makes is left out.
    """
    sql = _LITERAL.sub(lambda found: " " * len(found[0]), sql)
    for found in _TABLE.finditer(sql):
        name = re.sub(r"\$\{[^{}]*\}(?=\.)", "", found["name"]).rpartition(".")[2]
        if re.fullmatch(r"\w+", name):
            yield found.end() - len(name), name


def defined_tables(sql: str) -> set[str]:
    """The tables that a query without comments and code makes, for itself or for others."""
    return {found[1] or found[2] for found in _DEFINED.finditer(sql)}
