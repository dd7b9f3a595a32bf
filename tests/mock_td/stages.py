"""How many stages a query would take on Trino, as far as that can be told from its text.

Trino writes a WITH step out again wherever it is named, and reads a table as often as it then stands there, often in a
stage of its own; a query of more than query.max-stage-count (100 or 150) stages is refused. So what is counted here are
the tables that a query names once nothing in it stands in a WITH. Trino may do with fewer stages, as it does for steps
of one row, or need more: the number itself is known only where Trino plans the query.
"""

from mock_td.query_error import QueryError
from sqlglot import exp

# Far below what Trino refuses: the queries that people run read two tables of each of six objects, no other as many.
MOST_READ = 12


def refuse_many_stages(statement):
    """QueryError for a parsed statement that reads tables more than MOST_READ times."""
    number = tables_read(statement)
    if number > MOST_READ:
        raise QueryError(
            f"line 1:1: Number of stages in the query: it reads tables {number} times, of which the mock TD allows "
            f"{MOST_READ}. Trino writes a WITH step out again wherever it is named"
        )


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
