"""Find the names in a query: what may be a column, what is a table, and what needs quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What Trino reserves (350 to 435): a name only in quotes.
# fmt: off
RESERVED = {
    "ALTER", "AND", "AS", "BETWEEN", "BY", "CASE", "CAST", "CONSTRAINT", "CREATE", "CROSS", "CUBE",
    "CURRENT_CATALOG", "CURRENT_DATE", "CURRENT_PATH", "CURRENT_ROLE", "CURRENT_SCHEMA",
    "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "DEALLOCATE", "DELETE", "DESCRIBE",
    "DISTINCT", "DROP", "ELSE", "END", "ESCAPE", "EXCEPT", "EXECUTE", "EXISTS", "EXTRACT", "FALSE",
    "FOR", "FROM", "FULL", "GROUP", "GROUPING", "HAVING", "IN", "INNER", "INSERT", "INTERSECT",
    "INTO", "IS", "JOIN", "JSON_ARRAY", "JSON_EXISTS", "JSON_OBJECT", "JSON_QUERY", "JSON_TABLE",
    "JSON_VALUE", "LEFT", "LIKE", "LISTAGG", "LOCALTIME", "LOCALTIMESTAMP", "NATURAL", "NORMALIZE",
    "NOT", "NULL", "ON", "OR", "ORDER", "OUTER", "PREPARE", "RECURSIVE", "RIGHT", "ROLLUP",
    "SELECT", "SKIP", "TABLE", "THEN", "TRIM", "TRUE", "UESCAPE", "UNION", "UNNEST", "USING",
    "VALUES", "WHEN", "WHERE", "WITH",
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
    r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\"?(?:\$\{[^{}]*\}|\w+)\"?\.)?\"?(\w+)"
    r"|\b(\w+)\"?\s+AS\s*\(",
    re.IGNORECASE,
)


def needs_quotes(name: str) -> bool:
    """Whether a name of a-z, 0-9 and _ is one in SQL only if it is quoted."""
    return name[:1].isdecimal() or name.upper() in RESERVED


def as_name(name: str) -> str:
    """A name as SQL takes it, quoted only where it must be."""
    return f'"{name}"' if needs_quotes(name) else name


def names(sql: str) -> Iterator[str]:
    """The words of a query that may name a column, or a key of JSON: no reserved word, and no function."""
    for found in _NAME.finditer(sql):
        if found[0].upper() not in RESERVED or sql[found.start() - 1 : found.start()] == '"':
            yield found[0]


def tables(sql: str) -> Iterator[tuple[int, str]]:
    """The tables that a query without comments and code reads or fills, without database, and their offsets.

    One whose name a variable makes is left out.
    """
    sql = _LITERAL.sub(lambda found: " " * len(found[0]), sql)
    for found in _TABLE.finditer(sql):
        written = re.sub(r"\$\{[^{}]*\}(?=\.)", "", found["name"]).rpartition(".")[2]
        name = written.strip('"')
        if re.fullmatch(r"\w+", name):
            yield found.end() - len(written), name


def defined_tables(sql: str) -> set[str]:
    """The tables that a query without comments and code makes, for itself or for others."""
    return {found[1] or found[2] for found in _DEFINED.finditer(sql)}
