"""A division of decimals as Trino rounds it: 2 / 3.0 is 0.7. DuckDB makes a double of it, 0.666..."""

from sqlglot import exp


def quotient(node, whole):
    """A division that gives Trino's value; but where a column, or what else has no type in the text, is an
    operand, the value is a double still: whether it is rounded is decided by that operand's type.

    whole  the id() of each node that is a whole number
    """
    places, undecided = _decimal(node, whole)
    if places is None:
        return node
    exact = exp.cast(node.copy(), "decimal(38, 10)", dialect="duckdb")
    rounded = exp.Anonymous(this="round", expressions=[exact, exp.Literal.number(places)])
    doubles = [
        exp.In(
            this=exp.Anonymous(this="typeof", expressions=[each.copy()]),
            expressions=[exp.Literal.string("DOUBLE"), exp.Literal.string("FLOAT")],
        )
        for each in undecided
    ]
    if doubles:
        rounded = exp.Case(ifs=[exp.If(this=exp.or_(*doubles), true=node.copy())], default=rounded)
    rounded.meta["decimal"] = places, undecided  # for the division that this one is an operand of
    return rounded


def _decimal(node, whole):
    """The decimal places of an arithmetic expression, None where no decimal is seen; and the operands in it
    whose type is not seen."""
    if "decimal" in node.meta:
        return node.meta["decimal"]
    if isinstance(node, (exp.Paren, exp.Neg)):
        return _decimal(node.this, whole)
    if isinstance(node, exp.Literal) and "e" not in node.name.lower():
        places = node.name.partition(".")[2]
        return len(places) or None, []
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DECIMAL:
        scale = node.to.expressions[1:]
        return (int(scale[0].name) if scale else 0), []
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        sides = [_decimal(side, whole) for side in (node.left, node.right)]
        known = [places for places, _ in sides if places is not None]
        places = (sum if isinstance(node, exp.Mul) else max)(known) if known else None
        return places, [each for _, undecided in sides for each in undecided]
    return None, [] if id(node) in whole else [node]
