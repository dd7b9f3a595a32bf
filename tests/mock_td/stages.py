"""How many stages a query would take on Trino, as far as that can be told from its text.

Trino writes a WITH step out again wherever it is named, and reads each table as often as it then stands there,
each time in a stage of its own; a query of more than query.max-stage-count (100 or 150) stages is refused. So what
is counted here are the tables that a query names once nothing in it stands in a WITH.
"""

from sqlglot import exp


def tables_read(statement):
    """How often a parsed statement reads a table, each WITH step written out wherever it is named.

    What an INSERT, a CREATE or a DROP writes to is not read by it; information_schema is.
    """
    writes = isinstance(statement, (exp.Insert, exp.Create, exp.Drop))
    return _tables_below(statement, {}) - writes


def _tables_below(node, steps):
    """How many tables stand below a node.

    steps  {name: how many tables it stands for} of the WITH steps that can be named there
    """
    own = node.args.get("with_")
    for step in own.expressions if own else ():
        steps = {**steps, step.alias.lower(): _tables_below(step.this, steps)}
    number = 0
    for child in node.iter_expressions():
        if isinstance(child, exp.Table):
            number += 1 if child.db else steps.get(child.name.lower(), 1)
        if child is not own:
            number += _tables_below(child, steps)
    return number
