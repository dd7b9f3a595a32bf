"""Types as Trino has them: what it calls those of a result, and where it would turn none into another."""

import sqlglot
from mock_td.query_error import QueryError
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

# Trino's names of DuckDB's types; of any other, the lower case.
TRINO_TYPES = {
    '"NULL"': "unknown",
    "FLOAT": "real",
    "HUGEINT": "bigint",
    "TIMESTAMP": "timestamp(3)",
    "TIMESTAMP_S": "timestamp(0)",
    "TIMESTAMP WITH TIME ZONE": "timestamp(3) with time zone",
}
# TD's own functions, with what they return.
TD_FUNCTION_TYPES = {"td_time_parse": "bigint", "td_time_string": "varchar"}

INFORMATION_SCHEMA = {
    "tables": dict.fromkeys(("table_catalog", "table_schema", "table_name", "table_type"), "varchar"),
    "columns": {
        **dict.fromkeys(("table_catalog", "table_schema", "table_name", "column_name"), "varchar"),
        "ordinal_position": "bigint",
        "column_default": "varchar",
        "is_nullable": "varchar",
        "data_type": "varchar",
    },
}
# Of two kinds, Trino turns none into the other.
KINDS = {
    "varchar": exp.DataType.TEXT_TYPES,
    "number": exp.DataType.NUMERIC_TYPES,
    "boolean": {exp.DataType.Type.BOOLEAN},
    "time": exp.DataType.TEMPORAL_TYPES,
}


def trino_type(duckdb_type):
    """What Trino calls a type, given DuckDB's name of it."""
    if duckdb_type.endswith("[]"):
        return f"array({trino_type(duckdb_type[:-2])})"
    return TRINO_TYPES.get(duckdb_type, duckdb_type.lower())


def typed(statement, schema, database):
    """A copy of a statement with all names resolved and types noted, and the types of the statement's own nodes,
    by id(); (None, {}) where a name does not resolve, of which DuckDB's message says more.

    schema  {database: {table: {column: type}}}
    """
    copy = statement.copy()
    pairs = list(zip(statement.walk(), copy.walk(), strict=True))
    schema = {**schema, "information_schema": INFORMATION_SCHEMA}
    options = {"validate_qualify_columns": False, "expand_alias_refs": False}
    for function in list(copy.find_all(exp.Anonymous)):
        if function.name.lower() in TD_FUNCTION_TYPES:
            function.replace(exp.cast(function.copy(), TD_FUNCTION_TYPES[function.name.lower()]))
    try:
        copy = qualify(copy, schema=schema, db=database, dialect="trino", **options)
        copy = annotate_types(copy, schema=schema, dialect="trino")
    except sqlglot.errors.OptimizeError:
        return None, {}
    return copy, {id(node): twin.type.this.name for node, twin in pairs if twin.type}


def refuse_mistakes(copy, schema, database):
    """QueryError for a name that Trino does not resolve, and where a type meets another: DuckDB would take both.

    copy  as `typed` gives it
    """
    for select in copy.find_all(exp.Select):
        _refuse_its_own_aliases(select)
    for node in copy.walk():
        _refuse_mixed_types(node, schema, database)


def _refuse_its_own_aliases(select):
    """QueryError where a SELECT names one of its results, but for ORDER BY."""
    results = {each.alias for each in select.expressions if each.alias != each.unalias().name}
    places = [*select.expressions, *map(select.args.get, ("where", "group", "having"))]
    columns = [
        column
        for place in filter(None, places)
        for column in place.find_all(exp.Column)
        if column.parent_select is select
    ]
    results -= {
        column.name for column in columns if column.table
    }  # these are names of its tables' columns, too
    for column in columns:
        if not column.table and column.name in results:
            raise QueryError(f"line 1:1: Column '{column.name}' cannot be resolved")


def _refuse_mixed_types(node, schema, database):
    for condition in _conditions(node):
        if _kind(condition) not in (None, "boolean"):
            raise QueryError(f"line 1:1: type mismatch, {condition.sql('trino')} must evaluate to a boolean")
    for operands in _operands_of_one_type(node, schema, database):
        kinds = [kind for kind in map(_kind, operands) if kind]
        if len(set(kinds)) > 1:
            raise QueryError(f"line 1:1: type mismatch, {' and '.join(kinds)}: {node.sql('trino')}")


def _conditions(node):
    """The expressions below a node that Trino wants to be booleans."""
    if isinstance(node, exp.Connector):
        return [node.left, node.right]
    if isinstance(node, (exp.Where, exp.Having, exp.Not)):
        return [node.this]
    if isinstance(node, exp.Join) and node.args.get("on"):
        return [node.args["on"]]
    is_branch = isinstance(node.parent, exp.Case) and node.parent.this
    return [node.this] if isinstance(node, exp.If) and not is_branch else []


def _operands_of_one_type(node, schema, database):
    """Groups of expressions below a node, or of columns' types, that Trino wants to be of one type each."""
    if isinstance(node, (exp.DPipe, exp.Concat)):
        parts = node.expressions if isinstance(node, exp.Concat) else [node.left, node.right]
        return [[part, exp.DataType.build("varchar")] for part in parts]
    if isinstance(node, (exp.Binary, exp.Between)):
        return [[each for each in node.args.values() if isinstance(each, exp.Expression)]]
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least, exp.In)):
        return [[node.this, *node.expressions]]
    if isinstance(node, exp.Nullif):
        return [[node.this, node.expression]]
    if isinstance(node, exp.If):
        return [[each for each in (node.args["true"], node.args.get("false")) if each]]
    if isinstance(node, exp.Case):
        branches = node.args["ifs"]
        results = [*(branch.args["true"] for branch in branches), *filter(None, [node.args.get("default")])]
        return [results, [node.this, *(branch.this for branch in branches)] if node.this else []]
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
    """'varchar', 'number', 'boolean' or 'time' for an expression, or a type, that is known to be one."""
    data_type = expression if isinstance(expression, exp.DataType) else expression.type
    if data_type is None:
        return None
    return next((kind for kind, types in KINDS.items() if data_type.this in types), None)
