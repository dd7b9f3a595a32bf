"""Trino gives what the mock TD's list of answers says that it gave."""

import os
import re

import pytest
from mock_td.query_error import QueryError
from mock_td.seen_on_trino import ANSWERS, DIFFERENCES, REFUSALS, shown
from real_trino.client import Client

pytestmark = pytest.mark.skipif(os.environ["TRINO"] != "406", reason="The list is of Trino 406")
SEEN = [
    *((expression, (kind, value)) for expression, kind, value in ANSWERS),
    *((expression, there) for expression, there, *_ in (*REFUSALS, *DIFFERENCES)),
]


def told(trino, expression):
    """Trino's type, a varchar's without its length, and value of an expression; or its refusal, in words."""
    try:
        columns, ((value,),) = trino.run(f"SELECT {expression}", None)
    except QueryError as error:
        return str(error).lower().replace("_", " ")
    return re.sub(r"varchar\(\d+\)", "varchar", columns[0][1]).replace(", ", ","), shown(value)


@pytest.mark.parametrize("start", range(0, len(SEEN), 50))
def test_trino_gives_what_it_gave(start):
    trino = Client(os.environ["TRINO_URL"], "td0")
    others = []
    for expression, expected in SEEN[start : start + 50]:
        gave = told(trino, expression)
        if gave != expected and not (isinstance(expected, str) and expected.lower() in gave):
            others.append((expression, expected, gave))
    assert others == [], others
