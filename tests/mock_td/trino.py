"""Read a job's SQL as Trino takes it: one statement in its dialect, names and types as it wants them."""

import sqlglot
from mock_td.query_error import QueryError
from mock_td.trino_functions import refuse_arrays_in_any_order, refuse_unknown_functions
from mock_td.trino_grammar import refuse_other_grammars
from sqlglot import exp


def job_of(text):
    """What a job runs, parsed: the DROP that td> with create_table puts first, or None; then the statement.

    Raises:
        QueryError: for any other two statements, for none, and for what TD does not run.
    """
    try:
        statements = [
            each for each in sqlglot.parse(text, read="trino") if each and not isinstance(each, exp.Semicolon)
        ]
    except sqlglot.errors.ParseError as error:
        place = error.errors[0]
        raise QueryError(f"line {place['line']}:{place['col']}: {place['description']}") from error
    except sqlglot.errors.TokenError as error:
        raise QueryError(f"line 1:1: {error}") from error
    dropped = None
    if len(statements) == 2 and _recreates(*statements):
        dropped = statements.pop(0)
    if len(statements) != 1:
        raise QueryError(f"line 1:1: {len(statements)} statements in a job. Expecting: one")
    (statement,) = statements
    if not isinstance(statement, (exp.Query, exp.Insert, exp.Delete, exp.Create, exp.Drop)):
        raise QueryError(f"line 1:1: mismatched input '{text.split()[0]}'")
    if isinstance(statement, (exp.Create, exp.Drop)) and statement.kind != "TABLE":
        raise QueryError(f"line 1:1: Access Denied: Cannot create or drop a {statement.kind}")
    if isinstance(statement, exp.Delete) and not statement.args.get("where"):
        raise QueryError("line 1:1: TD's DELETE needs a WHERE")
    refuse_other_grammars(statement, text)
    refuse_unknown_functions(statement, text)
    refuse_arrays_in_any_order(statement)
    return dropped, _named_like_trino(statement)


def _recreates(first, second):
    """Whether the first drops, if it is there, the table that the second creates."""
    return (
        isinstance(first, exp.Drop)
        and isinstance(second, exp.Create)
        and bool(first.args.get("exists"))
        and first.kind == second.kind == "TABLE"
        and first.find(exp.Table).sql() == second.find(exp.Table).sql()
    )


def _named_like_trino(statement):
    """Names that Trino gives: lower-case ones to tables and columns, _col0, _col1 to nameless results."""
    if isinstance(statement, exp.Create):
        for identifier in statement.find_all(exp.Identifier):
            identifier.set("this", identifier.name.lower())
    if isinstance(statement, exp.Select):
        statement.set(
            "expressions",
            [
                column
                if isinstance(column, (exp.Alias, exp.Column)) or column.is_star
                else exp.alias_(column, f"_col{position}")
                for position, column in enumerate(statement.expressions)
            ],
        )
    return statement
