"""What a query would read on Trino is counted with each WITH step written out wherever it is named."""

import pytest
from mock_td.databases import Databases
from mock_td.query_error import QueryError
from mock_td.stages import tables_read
from mock_td.trino import job_of

DOUBLED = "WITH A AS (SELECT 1 AS n FROM log), b AS (SELECT a.n FROM a CROSS JOIN a AS other)"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SELECT 1", 0),
        ("SELECT 1 FROM log", 1),
        ("SELECT 1 FROM log JOIN other.log AS l ON true, (SELECT 2 FROM third)", 3),
        ("SELECT 1 FROM UNNEST(ARRAY[1]) AS t (n), (VALUES 1) AS log (n)", 0),
        ("SELECT 1 FROM log WHERE id IN (SELECT id FROM other) AND EXISTS (SELECT 1 FROM log)", 3),
        ("SELECT 1 FROM information_schema.columns", 1),
        ("WITH a AS (SELECT 1 FROM log) SELECT 1", 0),
        ("WITH a AS (SELECT 1 FROM log) SELECT 1 FROM a", 1),
        ("WITH a AS (SELECT 1 FROM log) SELECT 1 FROM a, A AS again", 2),
        (f"{DOUBLED} SELECT n FROM b", 2),
        (
            f"{DOUBLED}, c AS (SELECT b.n FROM b CROSS JOIN b AS other) SELECT n FROM c UNION ALL SELECT n FROM a",
            5,
        ),
        ("WITH log AS (SELECT 1 AS n FROM log) SELECT n FROM log, log AS again", 2),
        ("WITH log AS (SELECT 1 AS n FROM a, b) SELECT n FROM client_src.log", 1),
        (
            "WITH a AS (WITH c AS (SELECT 1 AS n FROM log) SELECT c.n FROM c, c AS d) SELECT n FROM a, a AS b",
            4,
        ),
        (
            "WITH a AS (SELECT 1 AS n FROM x, y) SELECT 1 FROM (WITH a AS (SELECT 2 AS n FROM z) SELECT n FROM a), a",
            3,
        ),
        ("INSERT INTO log (time) SELECT time FROM log", 1),
        ("INSERT INTO log WITH a AS (SELECT time FROM log) SELECT a.time FROM a, a AS b", 2),
        ("INSERT INTO log (time) VALUES (1)", 0),
        ("CREATE TABLE new AS SELECT time FROM log", 1),
        ("DELETE FROM log WHERE id IN (SELECT id FROM log)", 2),
        ("DROP TABLE log", 0),
    ],
)
def test_a_table_is_read_as_often_as_it_stands_there_once_nothing_stands_in_a_with(text, number):
    _, statement = job_of(text)
    assert tables_read(statement) == number


def test_a_query_runs_that_reads_tables_twelve_times_and_no_more():
    databases = Databases()
    databases.create_database("client_src")
    databases.create_table("client_src", "log")
    doubled = """
        WITH one AS (SELECT count(*) AS n FROM log),
        two AS (SELECT one.n FROM one CROSS JOIN one AS again),
        four AS (SELECT two.n FROM two CROSS JOIN two AS again)
        SELECT four.n FROM four CROSS JOIN four AS again CROSS JOIN two CROSS JOIN two AS more"""
    assert databases.run(doubled, "client_src").rows == [(0,)]
    with pytest.raises(QueryError, match="Number of stages in the query: it reads tables 13 times"):
        databases.run(f"{doubled} CROSS JOIN log", "client_src")
