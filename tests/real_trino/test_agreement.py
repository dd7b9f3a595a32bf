"""Where Trino does something else than the mock TD, BothDatabases says so; and where it plans too many stages."""

import pytest
from mock_td.query_error import QueryError
from real_trino.both import MOST_STAGES, BothDatabases
from run_queries import EVENTS, EVENTS_HIST, HIST, PROFILES, TD, unix

DATABASE = "client_src"
TIMES = [
    "2022-11-08",
    "2022-11-08 01:02:03",
    "2022-11-08T01:02:03.000000",
    "2022-11-08T01:02:03.999999+00:00",
    "2022-11-08T01:02:03Z",
    "2022-11-08 01:02:03-0930",
    "2022-02-30",
    "2022-11-08T25:00:00",
    "2022-11-08T01:02",
    "1969-12-31T23:59:59Z",
    "8 November",
    "",
]


@pytest.fixture
def databases():
    databases = BothDatabases()
    databases.create_database(DATABASE)
    databases.create_table(DATABASE, "t")
    databases.load(DATABASE, "t", [{"id": "a", "n": 1}, {"id": "b", "n": 2}], "append", 10)
    databases.run("SELECT id FROM t", DATABASE)  # so that Trino has it
    yield databases
    databases.close()


def on_trino(databases, sql):
    databases.trino.rows(sql)


def test_what_both_do_alike_passes_and_trino_answers(databases):
    assert databases.run("SELECT id FROM t ORDER BY n DESC", DATABASE).rows == [("b",), ("a",)]
    assert databases.run("INSERT INTO t (id, n, time) VALUES ('c', 3, 4)", DATABASE)
    databases.rows(f"UPDATE {DATABASE}.t SET n = 5 WHERE id = 'a'")
    assert sorted(databases.run("SELECT n FROM t", DATABASE).rows) == [(2,), (3,), (5,)]


def test_other_rows_are_found(databases):
    on_trino(databases, f"INSERT INTO {DATABASE}.t (id) VALUES ('c')")
    with pytest.raises(AssertionError, match=r"rows: on Trino .*'c'"):
        databases.run("SELECT id FROM t", DATABASE)


def test_texts_have_one_order_on_both(databases):
    databases.rows(f"CREATE TABLE {DATABASE}.u (id VARCHAR, time BIGINT)")
    databases.rows(f"INSERT INTO {DATABASE}.u VALUES ('ä', 1), ('z', 1), ('Z', 1)")
    assert databases.run("SELECT id FROM u ORDER BY id", DATABASE).rows == [("Z",), ("z",), ("ä",)]


def test_another_content_of_what_was_written_is_found(databases):
    on_trino(databases, f"INSERT INTO {DATABASE}.t (id, n) VALUES ('c', 7)")
    with pytest.raises(AssertionError, match="rows of the table: on Trino"):
        databases.run("INSERT INTO t (id, n, time) VALUES ('d', 3, 4)", DATABASE)


def test_what_trino_alone_refuses_and_what_it_alone_takes_are_found(databases):
    on_trino(databases, f"DROP TABLE {DATABASE}.t")
    with pytest.raises(AssertionError, match="Trino refuses what the mock takes: TABLE_NOT_FOUND"):
        databases.run("SELECT id FROM t", DATABASE)
    on_trino(databases, f"CREATE TABLE {DATABASE}.other (id varchar)")
    with pytest.raises(AssertionError, match="Trino takes what the mock refuses"):
        databases.run("SELECT id FROM other", DATABASE)
    on_trino(databases, f"DROP TABLE {DATABASE}.other")


def test_what_both_refuse_is_an_error_as_it_is_in_td(databases):
    with pytest.raises(QueryError, match="SYNTAX_ERROR|COLUMN_NOT_FOUND"):
        databases.run("SELECT missing FROM t", DATABASE)


def test_td_s_functions_are_on_trino_what_they_are_on_the_mock(databases):
    values = ", ".join(f"'{text}'" for text in TIMES)
    told = "text, at, TD_TIME_STRING(at, 's!') AS s, TD_TIME_STRING(at, 'm!') AS m"
    parsed = f"SELECT text, TD_TIME_PARSE(text) AS at FROM (VALUES {values}) AS t (text)"
    databases.run(f"SELECT {told} FROM ({parsed}) AS parsed", DATABASE)


def stages(number):
    """A query of about so many stages: two for each count of what is grouped, and one to put them together."""
    return " UNION ALL ".join(["SELECT count(*) AS n FROM t GROUP BY time"] * (number // 2))


def test_trino_refuses_what_has_more_than_a_hundred_stages(databases):
    with pytest.raises(QueryError, match="QUERY_HAS_TOO_MANY_STAGES"):
        databases.trino.run(stages(110), DATABASE)


def test_what_has_more_stages_than_a_query_of_ours_may_is_found(databases):
    databases.run(stages(MOST_STAGES - 3), DATABASE)
    with pytest.raises(AssertionError, match="stages are more than 15"):
        databases.run(stages(MOST_STAGES + 3), DATABASE)


@pytest.mark.parametrize("mode", ["append", "replace"])
@pytest.mark.parametrize("table", [HIST, EVENTS_HIST, PROFILES, EVENTS])
def test_a_query_of_windows_has_at_most_ten_stages(example_repo, table, mode):
    td = TD(example_repo, BothDatabases)
    td.change(table, mode=mode)
    assert td.windows(table, unix(100))
    assert 1 < td.databases.trino.plans[-1].stages <= 10
    td.databases.close()
