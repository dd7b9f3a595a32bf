"""Find which tables a statement reads, and from which `time` on: TD reads by `time` less than the whole table."""

from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True)
class Scan:
    """One reading of a table by one query.

    table    database.table
    since    the least `time` (Unix seconds) that is read, if the SQL has it as a literal; None: all of it
    columns  those that are read, or a few more: where two tables are read, a column without a table's name
             counts for both. `*` stands for all
    rows     how many rows the table has from there on
    """

    table: str
    since: int | None
    columns: frozenset = frozenset()
    rows: int = 0


def scans(statement, database):
    """The scans of a parsed statement, without their rows, in the order of the text.

    Only a number that stands in the same SELECT's WHERE, side by side with AND, bounds a scan:
    `time >= 1667865600`, with or without the table's name or alias, by itself or as CAST(... AS bigint).
    What a subquery or a join gives does not: TD cannot know it before it reads.
    """
    names = {cte.alias for cte in statement.find_all(exp.CTE)}
    target = statement.find(exp.Table) if isinstance(statement, (exp.Insert, exp.Create, exp.Drop)) else None
    found = []
    for table in statement.find_all(exp.Table, bfs=False):
        if table is target or (not table.db and table.name in names) or table.db == "information_schema":
            continue
        found.append(Scan(f"{table.db or database}.{table.name}", _bound(table), _columns(table)))
    return found


def _columns(table):
    reader = _reader(table)
    if reader is None or reader.is_star:
        return frozenset({"*"})
    return frozenset(
        column.name
        for column in reader.find_all(exp.Column)
        if column.table == table.alias_or_name or (not column.table and _reader(column) is reader)
    )


def _reader(node):
    return node.find_ancestor(exp.Select, exp.Delete)


def _bound(table):
    reader = _reader(table)
    where = reader and reader.args.get("where")
    if not where:
        return None
    known = [
        bound
        for condition in _conjuncts(where.this)
        if (bound := _least_time(condition, table.alias_or_name)) is not None
    ]
    return max(known, default=None)


def _conjuncts(condition):
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return [*_conjuncts(condition.left), *_conjuncts(condition.right)]
    return [condition]


def _least_time(condition, name):
    if isinstance(condition, exp.Between):
        column, low, more = condition.this, condition.args["low"], 0
    elif isinstance(condition, (exp.GT, exp.GTE, exp.EQ)):
        column, low, more = condition.left, condition.right, isinstance(condition, exp.GT)
    elif isinstance(condition, (exp.LT, exp.LTE)):
        column, low, more = condition.right, condition.left, isinstance(condition, exp.LT)
    else:
        return None
    is_time = isinstance(column, exp.Column) and column.name == "time" and column.table in ("", name)
    while isinstance(low, (exp.Cast, exp.Paren)):
        low = low.this
    return int(low.name) + more if is_time and isinstance(low, exp.Literal) and low.is_int else None
