"""Read a job's SQL as Trino takes it: one statement in its dialect, names and types as it wants them."""

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

# TD's own functions with what they return, and those of Trino's that sqlglot has no class for and DuckDB has.
TD_FUNCTION_TYPES = {"td_time_parse": "bigint", "td_time_string": "varchar"}
KNOWN_FUNCTIONS = {*TD_FUNCTION_TYPES, "lpad", "rpad", "reverse", "json_format"}


class QueryError(Exception):
    """A statement that TD would refuse; the text is what the job's log shows."""


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
    for function in statement.find_all(exp.Anonymous):
        if function.name.lower() not in KNOWN_FUNCTIONS:
            raise QueryError(
                f"line 1:1: Function '{function.name}' not registered (or unknown to the mock TD)"
            )
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


def refuse_mixed_types(statement, schema, database):
    """QueryError where text meets a number: Trino converts neither, DuckDB would.

    schema  {database: {table: {column: type}}}
    """
    typed = statement.copy()
    for function in list(typed.find_all(exp.Anonymous)):
        if function.name.lower() in TD_FUNCTION_TYPES:
            function.replace(exp.cast(function.copy(), TD_FUNCTION_TYPES[function.name.lower()]))
    try:
        typed = annotate_types(
            qualify(typed, schema=schema, db=database, dialect="trino", validate_qualify_columns=False),
            schema=schema,
            dialect="trino",
        )
    except sqlglot.errors.OptimizeError:
        return  # a name that does not resolve: DuckDB's message says it better
    for node in typed.walk():
        for operands in _operands_of_one_type(node, schema, database):
            kinds = [_kind(operand) for operand in operands]
            if {"varchar", "number"} <= set(kinds):
                raise QueryError(
                    f"line 1:1: type mismatch, {' and '.join(map(str, kinds))}: {node.sql('trino')}"
                )


def _operands_of_one_type(node, schema, database):
    """Groups of expressions below a node, or of columns' types, that Trino wants to be of one type each."""
    if isinstance(node, exp.DPipe):
        return [[node.left, exp.DataType.build("varchar")], [node.right, exp.DataType.build("varchar")]]
    if isinstance(node, (exp.Binary, exp.Between)):
        return [[each for each in node.args.values() if isinstance(each, exp.Expression)]]
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least, exp.In)):
        return [[node.this, *node.expressions]]
    if isinstance(node, exp.If):
        return [[each for each in (node.args["true"], node.args.get("false")) if each]]
    if isinstance(node, exp.Case):
        return [
            [*(branch.args["true"] for branch in node.args["ifs"]), *filter(None, [node.args.get("default")])]
        ]
    if isinstance(node, exp.SetOperation):
        return list(zip(node.left.selects, node.right.selects, strict=False))
    if isinstance(node, exp.Insert):
        table = node.find(exp.Table)
        columns = schema.get(table.db or database, {}).get(table.name, {})
        names = [name.name for name in node.this.expressions] or list(columns)
        rows = (
            [row.expressions for row in node.expression.expressions]
            if isinstance(node.expression, exp.Values)
            else [node.expression.selects]
        )
        types = [exp.DataType.build(columns.get(name, "unknown")) for name in names]
        return [pair for row in rows for pair in zip(types, row, strict=False)]
    return []


def _kind(expression):
    """'varchar' or 'number' for an expression, or a type, that is known to be one."""
    data_type = expression if isinstance(expression, exp.DataType) else expression.type
    if data_type is None:
        return None
    if data_type.this in exp.DataType.TEXT_TYPES:
        return "varchar"
    return "number" if data_type.this in exp.DataType.NUMERIC_TYPES else None
