"""The mock TD gives what a real Trino gave, refuses what it refused, and differs only where that is written down."""

import re

import pytest
from mock_td.databases import Databases
from mock_td.query_error import QueryError
from mock_td.seen_on_trino import ANSWERS, DIFFERENCES, REFUSALS, shown
from mock_td.trino_functions import COMPARED


@pytest.fixture(scope="module")
def databases():
    databases = Databases()
    databases.create_database("client_src")
    yield databases
    databases.close()


@pytest.fixture
def select(databases):
    """Gives (type, value) of an expression, or the text of its refusal."""

    def result(expression):
        try:
            done = databases.run(f"SELECT {expression}", "client_src")
        except QueryError as error:
            return str(error)
        ((_, kind),) = done.columns
        ((value,),) = done.rows
        return kind, shown(value)

    return result


@pytest.mark.parametrize(("expression", "kind", "value"), ANSWERS)
def test_an_expression_has_the_type_and_the_value_that_trino_gave(select, expression, kind, value):
    assert select(expression) == (kind, value)


@pytest.mark.parametrize(("expression", "words"), [(entry[0], entry[-1]) for entry in REFUSALS])
def test_an_expression_is_refused_that_trino_refused(select, expression, words):
    refusal = select(expression)
    assert isinstance(refusal, str), refusal
    assert words.lower() in refusal.lower()


@pytest.mark.parametrize(("expression", "_", "here"), DIFFERENCES)
def test_where_it_differs_from_trino_it_differs_as_is_written_down(select, expression, _, here):
    result = select(expression)
    assert here in result if isinstance(here, str) else result == here


def test_each_function_that_it_takes_was_seen_on_trino():
    text = " ".join(expression for expression, *_ in ANSWERS).lower()
    seen = set(re.findall(r"\b(\w+)\(", text))
    assert sorted(COMPARED - seen) == []
