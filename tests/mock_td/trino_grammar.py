"""Trino's grammar, where sqlglot reads more in its SQL than Trino does."""

from itertools import pairwise

import sqlglot
from mock_td.query_error import QueryError
from sqlglot import exp
from sqlglot.tokens import TokenType

# Words that are no names unless they are quoted.
RESERVED = """
    alter and as between by case cast constraint create cross cube current_catalog current_date current_path
    current_role current_schema current_time current_timestamp current_user deallocate delete describe
    distinct drop else end escape except execute exists extract false for from full group grouping having in
    inner insert intersect into is join json_array json_exists json_object json_query json_value
    left like listagg localtime localtimestamp natural normalize not null on or order outer prepare
    recursive right rollup select skip table then trim true uescape union unnest using values when where
    with
"""
RESERVED_WORDS = set(RESERVED.split())
OTHER_TOKENS = {TokenType.DCOLON, TokenType.CARET, TokenType.ILIKE, TokenType.L_BRACE}
BEFORE_A_BRACKET = {TokenType.ARRAY, TokenType.VAR, TokenType.IDENTIFIER}
BEFORE_A_BRACKET |= {TokenType.R_PAREN, TokenType.R_BRACKET}


def refuse_other_grammars(statement, text):
    """QueryError for what sqlglot parses and Trino does not."""
    for before, token in pairwise(sqlglot.tokenize(text, read="trino")):
        is_list = token.token_type == TokenType.L_BRACKET and before.token_type not in BEFORE_A_BRACKET
        if token.token_type in OTHER_TOKENS or is_list:
            raise QueryError(f"line {token.line}:{token.col}: mismatched input '{token.text}'")
    for node in statement.walk():
        complaint = _complaint(node)
        if complaint:
            raise QueryError(f"line 1:1: {complaint}")


def _complaint(node):
    """What Trino says of a node that it has nothing like; None if it has."""
    if isinstance(node, exp.Identifier) and not node.quoted and node.name.lower() in RESERVED_WORDS:
        return f"mismatched input '{node.name}'. Expecting: <identifier>"
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.TEXT:
        return "Unknown type: string, or text, is varchar"
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean):
        return f"mismatched input '{node.expression.sql('trino')}'. Expecting: 'DISTINCT', 'NOT', 'NULL'"
    if isinstance(node, exp.Window) and isinstance(node.this, exp.Filter):
        return "FILTER is not yet supported for window functions"
    if isinstance(node, exp.Distinct) and isinstance(node.parent, exp.Count) and len(node.expressions) > 1:
        return "Unexpected parameters for function count. Expected: count(), count(t)"
    return None
