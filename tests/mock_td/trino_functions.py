"""Trino's functions on DuckDB: those that were compared on both, with Trino's answer where DuckDB has another.

A function that nobody has compared is refused. Who needs one more asks a real Trino what it gives, of NULL and at
its edges too, writes that into seen_on_trino.py, and the name into COMPARED.
"""

import json
import re
from pathlib import Path

from mock_td.query_error import QueryError
from mock_td.trino_decimals import quotient
from sqlglot import exp

MACROS = Path(__file__).with_name("trino_macros.sql")

COMPARED = {
    *("abs", "ceil", "floor", "mod", "power", "round", "sqrt"),
    *("chr", "concat", "length", "lower", "lpad", "ltrim", "replace", "reverse", "rpad", "rtrim", "split"),
    *("split_part", "starts_with", "strpos", "substr", "substring", "trim", "upper", "uuid"),
    *("regexp_extract", "regexp_like", "regexp_replace"),
    *("coalesce", "greatest", "if", "least", "nullif", "try"),
    *("json_extract_scalar", "json_format", "json_parse"),
    *("date_add", "date_diff", "date_trunc", "from_unixtime", "now", "to_unixtime"),
    *("td_time_parse", "td_time_string"),
    *("array_distinct", "array_join", "array_max", "array_min", "array_sort", "cardinality", "contains"),
    *("element_at", "filter", "sequence", "transform"),
    *("approx_distinct", "arbitrary", "array_agg", "avg", "bool_and", "bool_or", "count", "count_if", "max"),
    *("max_by", "min", "min_by", "sum"),
    *("dense_rank", "first_value", "lag", "last_value", "lead", "rank", "row_number"),
}
# What sqlglot reads as functions, and Trino's grammar as words of its own.
SYNTAX = (
    *(exp.And, exp.Or, exp.Array, exp.Case, exp.Cast, exp.Exists, exp.If, exp.Unnest),
    *(exp.CurrentDate, exp.CurrentTimestamp, exp.Extract, exp.Localtimestamp, exp.StrPosition, exp.Trim),
)
# What it parses without keeping where the name stands.
NAMES = {exp.ArgMax: "max_by", exp.ArgMin: "min_by"}
# What gives the same whichever order an array has.
ANY_ORDER = (exp.ArrayContains, exp.ArrayMax, exp.ArrayMin, exp.ArraySize, exp.ArraySort)

TEXT = ("VARCHAR", "TEXT")
WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT")
SAME_TEXT = (*TEXT, *WHOLE, "BOOLEAN", "DATE", "DECIMAL", "UUID")

# The texts that Trino casts; DuckDB casts more.
WHOLE_NUMBER = "[+-]?[0-9]+"
NUMBER = r"\s*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity)\s*"
DATE = r"\s*[0-9-]+\s*"
TIMESTAMP = r"\s*[0-9-]+( .*)?"
CASTS = {
    **dict.fromkeys(WHOLE, WHOLE_NUMBER),
    "DOUBLE": NUMBER,
    "DATE": DATE,
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ"), TIMESTAMP),
}


def add_trino_functions(connection):
    """Makes known to a DuckDB connection, in the schema `main`, what `in_duckdb` calls."""
    connection.execute(MACROS.read_text(encoding="utf-8"))


def refuse_unknown_functions(statement, text):
    """QueryError for a function that is not in COMPARED; `text` is what the statement was parsed from."""
    for function in statement.find_all(exp.Func):
        if isinstance(function, SYNTAX):
            continue
        place = function.meta
        name = text[place["start"] : place["end"] + 1] if "start" in place else NAMES.get(type(function))
        name = (name or function.sql_name()).lower()
        if name not in COMPARED:
            raise QueryError(
                f"line 1:1: Function '{name}' not registered (or unknown to the mock TD: trino_functions.py)"
            )


def refuse_arrays_in_any_order(statement):
    """QueryError for an array_agg without ORDER BY: Trino gives it another order from run to run.

    Trino takes it. But whoever sees one order here, in every run, takes it for granted.
    """
    for node in statement.find_all(exp.ArrayAgg):
        around = node.parent.parent if isinstance(node.parent, exp.Filter) else node.parent
        if not isinstance(around, (*ANY_ORDER, exp.Window)) and not node.find(exp.Order):
            raise QueryError(
                "line 1:1: array_agg without ORDER BY: Trino gives any order, another one each time"
            )


def in_duckdb(statement, types):
    """A statement of Trino's as one that gives the same on DuckDB; the one given is changed.

    types  {id(node): name of its type} of those nodes whose type is seen in the text and the tables. What has to be
           left to DuckDB until it knows the type takes it much longer

    Raises:
        QueryError: for what Trino takes, and the mock TD would answer otherwise.
    """
    types = dict(types)
    for node in reversed(list(statement.walk())):
        if isinstance(node, exp.Cast):
            new = _cast(node, types.get(id(node.this)))
        elif isinstance(node, exp.Div):
            new = quotient(node, {id for id, name in types.items() if name in WHOLE})
        elif isinstance(node, (exp.Ceil, exp.Floor)) and types.get(id(node.this)) in WHOLE:
            new = node.this  # DuckDB makes a double of it
        else:
            new = IN_DUCKDB[type(node)](node) if type(node) in IN_DUCKDB else node
        if new is not node:
            node.replace(new)
            types[id(new)] = types.get(id(node))
    return statement


def _call(name, *arguments):
    return exp.Anonymous(this=name, expressions=[each for each in arguments if each is not None])


def _cast(node, value_type):
    kind = node.to.this.name
    if isinstance(node.this, exp.Null) or (kind in WHOLE and value_type in (*WHOLE, "BOOLEAN")):
        return node
    if kind == "VARCHAR" and not node.to.expressions:
        return node if value_type in SAME_TEXT else _call("trino_text", node.this)
    if kind in ("VARCHAR", "JSON"):
        raise QueryError(f"line 1:1: a cast to {node.to.sql('trino')} is unknown to the mock TD")
    return _strict_cast(node, value_type) if kind in CASTS else node


def _strict_cast(node, value_type):
    """A cast that takes the texts alone that Trino takes, and rounds a half as Trino does: away from zero."""
    pattern, value, tries = CASTS[node.to.this.name], node.this.copy(), isinstance(node, exp.TryCast)
    if isinstance(value, exp.Literal) and value.is_string and re.fullmatch(pattern, value.name):
        return node
    if pattern is WHOLE_NUMBER and value_type not in TEXT:
        node.set("this", _call("trino_rounded_or_null" if tries else "trino_rounded", node.this))
    refusal = _call("trino_refusal", value, exp.Literal.string(node.to.sql("trino")))
    casts = _call("trino_casts", value.copy(), exp.Literal.string(pattern))
    return exp.Case(
        ifs=[exp.If(this=casts, true=node.copy())], default=None if tries else exp.cast(refusal, node.to)
    )


def _array_join(node):
    instead = node.args.get("null")
    name = "trino_array_join_all" if instead else "trino_array_join"
    return _call(name, node.this, node.expression, instead)


def _of_the_most(name):
    """max_by or min_by, which take a NULL that stands beside the greatest; DuckDB's own look for another."""

    def replaced(node):
        if node.args.get("count"):
            raise QueryError("line 1:1: max_by and min_by of several are unknown to the mock TD")
        return _call(name, node.this, node.expression)

    return replaced


def _count_if(node):
    """0 of no rows, where DuckDB's own is NULL."""
    return exp.Count(this=exp.If(this=node.this, true=exp.Literal.number(1)))


def _split_part(node):
    text, number = node.this, node.args["part_index"]
    if isinstance(number, exp.Literal) and int(number.name) > 0:
        return _call("list_extract", _call("string_split", text, node.args["delimiter"]), number)
    return _call("trino_split_part", text, node.args["delimiter"], number)


def _substr(node):
    size = node.args.get("length")
    if all(
        isinstance(each, exp.Literal) and int(each.name) > 0 for each in (node.args["start"], size) if each
    ):
        return node
    return _call("trino_substr_of" if size else "trino_substr", node.this, node.args["start"], size)


def _regexp_extract(node):
    group = node.args.get("group") or exp.Literal.number(0)
    return _call("trino_regexp_extract", node.this, node.expression, group)


def _regexp_replace(node):
    """$1 names a group, where DuckDB has \\1."""
    replacement = node.args["replacement"]
    if not isinstance(replacement, exp.Literal) or re.search(r"\\|\$(?!\d)", replacement.name):
        raise QueryError(f"line 1:1: the replacement in {node.sql('trino')} is unknown to the mock TD")
    node.set("replacement", exp.Literal.string(re.sub(r"\$(\d)", r"\\\1", replacement.name)))
    return node


def _json_extract_scalar(node):
    has_a_scalar = _call("trino_has_a_scalar", node.this.copy(), node.expression.copy())
    return exp.Case(ifs=[exp.If(this=has_a_scalar, true=node.copy())])


def _json_parse(node):
    """Trino sorts the keys."""
    text = node.this
    if not isinstance(text, exp.Literal):
        raise QueryError("line 1:1: json_parse of what is not written out is unknown to the mock TD")
    try:
        parsed = json.loads(text.name)
    except ValueError:
        raise QueryError(f"line 1:1: Cannot convert value to JSON: '{text.name}'") from None
    sorted_text = json.dumps(parsed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    node.set("this", exp.Literal.string(sorted_text))
    return node


def _json_format(node):
    return _call("trino_json_format", node.this)


def _sequence(node):
    step = node.args.get("step")
    if isinstance(step, exp.Interval):
        raise QueryError("line 1:1: a sequence of dates is unknown to the mock TD")
    return _call(
        "trino_sequence" if step else "trino_sequence_by_one", node.args["start"], node.args["end"], step
    )


def _element(node):
    if not node.args.get("safe"):
        raise QueryError(f"line 1:1: {node.sql('trino')} may fail on Trino: element_at gives NULL instead")
    return node


IN_DUCKDB = {
    exp.ArrayToString: _array_join,
    exp.ArgMax: _of_the_most("arg_max_null"),
    exp.ArgMin: _of_the_most("arg_min_null"),
    exp.CountIf: _count_if,
    exp.SplitPart: _split_part,
    exp.Substring: _substr,
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpReplace: _regexp_replace,
    exp.JSONExtractScalar: _json_extract_scalar,
    exp.ParseJSON: _json_parse,
    exp.JSONFormat: _json_format,
    exp.GenerateSeries: _sequence,
    exp.Bracket: _element,
}
