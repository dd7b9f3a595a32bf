"""Real Trino takes no reserved word as a name, and each of them in quotes."""

import os

import pytest
from klaviyo.ingestion_check.names_in_sql import RESERVED
from mock_td.query_error import QueryError
from real_trino.client import Client

# Reserved by later versions only; a name that any of them reserves is quoted for all.
LATER = {
    "406": {"JSON_TABLE"},
    "350": {"CURRENT_CATALOG", "CURRENT_SCHEMA", "LISTAGG", "SKIP", "TRIM"}
    | {f"JSON_{word}" for word in ("ARRAY", "EXISTS", "OBJECT", "QUERY", "TABLE", "VALUE")},
}


@pytest.fixture(scope="module")
def trino():
    return Client(os.environ["TRINO_URL"], "td0")


def is_taken(trino, name):
    try:
        trino.rows(f"SELECT 1 AS one FROM (VALUES 1) AS t ({name})")
    except QueryError as error:
        assert "SYNTAX_ERROR" in str(error)
        return False
    return True


def test_a_reserved_word_is_no_name(trino):
    taken = {word for word in RESERVED if is_taken(trino, word)}
    assert taken == LATER[os.environ["TRINO"]]


def test_a_reserved_word_in_quotes_is_a_name(trino):
    names = ", ".join(f'"{word}"' for word in sorted(RESERVED))
    ones = ", ".join("1" for _ in RESERVED)
    assert trino.rows(f"SELECT 1 AS one FROM (VALUES ({ones})) AS t ({names})") == [(1,)]
