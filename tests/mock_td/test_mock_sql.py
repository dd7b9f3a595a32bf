"""The mock TD runs Trino's SQL, refuses what Trino refuses, and knows what a statement reads."""

from datetime import date, datetime, timezone

import duckdb
import pytest
from mock_td.clock import Clock
from mock_td.databases import Databases, add_td_functions
from mock_td.query_error import QueryError

NOON = 1667908800  # 2022-11-08T12:00:00Z


class StoppedClock(Clock):
    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment


@pytest.fixture
def databases():
    """A database client_src with an empty table klaviyo_profiles, at noon."""
    databases = Databases(StoppedClock(NOON))
    databases.create_database("client_src")
    databases.create_table("client_src", "klaviyo_profiles")
    yield databases
    databases.close()


@pytest.fixture
def run(databases):
    return lambda text: databases.run(text, "client_src")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-11-08T00:00:00+00:00", 1667865600),
        ("2022-11-08 00:00:00.123456+00:00", 1667865600),
        ("2022-11-08T02:00:00+02:00", 1667865600),
        ("2022-11-08T00:00:00.000000", 1667865600),
        ("2022-11-08 00:00:00Z", 1667865600),
        ("2022-11-08", 1667865600),
        ("2022-13-08T00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_td_time_parse(text, expected):
    connection = duckdb.connect()
    add_td_functions(connection)
    connection.execute("SET TimeZone = 'Asia/Tokyo'")  # TD's answer does not depend on where it is asked
    assert connection.execute("SELECT TD_TIME_PARSE(?)", [text]).fetchone() == (expected,)


def test_td_time_string():
    connection = duckdb.connect()
    add_td_functions(connection)
    assert connection.execute("SELECT TD_TIME_STRING(1667865600, 's!')").fetchone() == (
        "2022-11-08 00:00:00",
    )
    with pytest.raises(duckdb.Error, match="s! and m! only"):
        connection.execute("SELECT TD_TIME_STRING(1667865600, 'd!')").fetchone()


def test_trino_becomes_duckdb(run):
    done = run(
        """SELECT array_join(array_agg(CAST(n AS varchar) ORDER BY n), ',') AS list, 7 / 2, max(n) AS Top
           FROM UNNEST(sequence(0, 9, 3)) AS t (n) -- the end"""
    )
    assert done.rows == [("0,3,6,9", 3, 9)]
    assert done.columns == [["list", "varchar"], ["_col1", "integer"], ["Top", "bigint"]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1; SELECT 2", "2 statements"),
        ("DROP TABLE IF EXISTS a; CREATE TABLE b AS SELECT 1 AS n", "2 statements"),
        ("DROP TABLE a; CREATE TABLE a AS SELECT 1 AS n", "2 statements"),
        ("SELEC 1", "Unexpected token"),
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("SELECT nothing FROM klaviyo_profiles", '"nothing" not found'),
        ("SELECT strftime(time) FROM klaviyo_profiles", "Function 'strftime' not registered"),
        ("UPDATE klaviyo_profiles SET time = 0", "mismatched input 'UPDATE'"),
        ("CREATE SCHEMA elsewhere", "Cannot create or drop a SCHEMA"),
        ("SELECT 'at ' || time FROM klaviyo_profiles", "type mismatch"),
        ("SELECT COALESCE(TD_TIME_PARSE('2023-01-01'), '')", "type mismatch"),
        ("SELECT 1 FROM klaviyo_profiles WHERE time > '2023-01-01'", "type mismatch"),
        ("DELETE FROM klaviyo_profiles", "needs a WHERE"),
        ("INSERT INTO klaviyo_profiles SELECT 'now'", "type mismatch"),
        ("CREATE TABLE new AS SELECT NULL AS n, 1 AS m", "Column type is unknown: n"),
        ("CREATE TABLE new AS SELECT 'a' AS m, NULL AS n WHERE false", "Column type is unknown: n"),
        ("CREATE TABLE new (n string)", "Unknown type"),
        ("SELECT time AS t FROM klaviyo_profiles WHERE t > 0", "'t' cannot be resolved"),
        (
            "SELECT lower(table_name) AS t FROM information_schema.tables WHERE t = ''",
            "'t' cannot be resolved",
        ),
    ],
)
def test_a_query_fails_that_trino_would_refuse(run, text, complaint):
    with pytest.raises(QueryError, match=complaint):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT time AS t FROM klaviyo_profiles ORDER BY t",
        "SELECT time + 1 AS time FROM klaviyo_profiles WHERE time > 0 GROUP BY time HAVING time > 0",
        "SELECT lower(table_name) AS table_name FROM information_schema.tables WHERE table_name = ''",
        "SELECT t FROM (SELECT time AS t FROM klaviyo_profiles) WHERE t > 0",
        "SELECT time AS t FROM klaviyo_profiles WHERE EXISTS (SELECT 1 FROM UNNEST(ARRAY[1]) AS list (t) WHERE t = 1)",
        'SELECT time AS "order" FROM klaviyo_profiles',
        "INSERT INTO klaviyo_profiles (time) SELECT NULL",
    ],
)
def test_a_query_runs_that_looks_like_one_that_trino_would_refuse(run, text):
    run(text)


def test_a_table_made_by_sql_has_lower_case_names_and_a_time_of_td_s_clock(run, databases):
    run("CREATE TABLE Log (Source_Name varchar)")
    run("INSERT INTO log (source_name) VALUES ('klaviyo')")
    databases.clock.moment += 3600
    run("INSERT INTO log (source_name) SELECT 'later'")
    assert databases.columns("client_src", "log") == {"source_name": "VARCHAR", "time": "BIGINT"}
    assert databases.rows("SELECT time FROM client_src.log") == [(NOON,), (NOON + 3600,)]


@pytest.mark.parametrize(
    ("expression", "kind", "value"),
    [
        ("CAST(to_unixtime(now()) AS bigint)", "bigint", NOON),
        ("to_unixtime(current_timestamp)", "double", float(NOON)),
        ("CAST(to_unixtime(date_trunc('day', now())) AS bigint)", "bigint", NOON - 12 * 3600),
        ("CAST(current_date AS varchar)", "varchar", "2022-11-08"),
        ("CAST(now() AS varchar)", "varchar", "2022-11-08 12:00:00.000 UTC"),
        ("current_date", "date", date(2022, 11, 8)),
        ("localtimestamp", "timestamp(3)", datetime(2022, 11, 8, 12)),
        ("now()", "timestamp(3) with time zone", datetime(2022, 11, 8, 12, tzinfo=timezone.utc)),
    ],
)
def test_sql_tells_the_time_of_td_s_clock(run, expression, kind, value):
    told = run(f"SELECT {expression} AS told")
    assert (told.columns, told.rows) == ([["told", kind]], [(value,)])


@pytest.mark.parametrize(
    ("column", "expression", "expected"),
    [
        ("DOUBLE", "CAST(n AS varchar)", "2.5E0"),
        ("DOUBLE", "CAST(max(n) AS varchar)", "2.5E0"),
        ("DOUBLE", "CAST(n AS bigint)", 3),
        ("DOUBLE", "CAST((SELECT max(n) FROM typed) / 1.0 AS varchar)", "2.5E0"),
        ("DOUBLE", "CAST(round(n / 3.0, 3) AS varchar)", "8.33E-1"),
        ("VARCHAR", "TRY_CAST(n AS bigint)", None),
        ("VARCHAR", "CAST(TRY_CAST(n AS double) AS varchar)", "2.5E0"),
        ("DECIMAL(3, 1)", "CAST(n AS varchar)", "2.5"),
        ("DECIMAL(3, 1)", "CAST(n AS bigint)", 3),
    ],
)
def test_a_column_is_cast_as_its_type_wants_it(run, databases, column, expression, expected):
    databases.rows(f"CREATE TABLE client_src.typed AS SELECT CAST('2.5' AS {column}) AS n")
    for text in (
        f"SELECT {expression} FROM typed GROUP BY n",
        f"WITH step AS (SELECT max_by(n, 1) AS n FROM typed) SELECT {expression} FROM step GROUP BY n",
    ):
        assert run(text).rows == [(expected,)]


def test_a_cast_can_order_and_part_what_a_window_looks_at(run):
    text = """SELECT row_number() OVER (PARTITION BY split_part(n, '/', p) ORDER BY CAST(split_part(n, '/', 2) AS bigint))
        FROM (VALUES ('a/2', 1)) AS t (n, p)"""
    assert run(text).rows == [(1,)]


def test_a_prepared_statement_keeps_the_time_of_its_preparation(databases):
    insert = databases.prepare(
        "INSERT INTO klaviyo_profiles SELECT CAST(to_unixtime(now()) AS bigint)", "client_src"
    )
    databases.clock.moment += 3600
    insert()
    assert databases.rows("SELECT time FROM client_src.klaviyo_profiles") == [(NOON,)]


def test_information_schema_tells_tables_columns_and_types_of_all_databases(run, databases):
    databases.create_database("other")
    run("CREATE TABLE other.t AS SELECT 1.5E0 AS d, 'a' AS v, true AS b, now() AS z, localtimestamp AS l")
    assert run(
        """SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns AS c
           WHERE c.table_schema IN ('client_src', 'other') ORDER BY c.table_schema, c.ordinal_position"""
    ).rows == [
        ("klaviyo_profiles", "time", "bigint"),
        ("t", "d", "double"),
        ("t", "v", "varchar"),
        ("t", "b", "boolean"),
        ("t", "z", "timestamp(3) with time zone"),
        ("t", "l", "timestamp(3)"),
        ("t", "time", "bigint"),
    ]
    assert run("SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1").rows == [
        ("client_src", "klaviyo_profiles"),
        ("other", "t"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT count(*) FROM klaviyo_profiles", [("client_src.klaviyo_profiles", None, 3)]),
        ("SELECT 1 FROM klaviyo_profiles WHERE time >= 20", [("client_src.klaviyo_profiles", 20, 2)]),
        (
            "SELECT 1 FROM klaviyo_profiles p WHERE p.time > 20 AND id <> 'x'",
            [("client_src.klaviyo_profiles", 21, 1)],
        ),
        (
            "SELECT 1 FROM klaviyo_profiles WHERE time BETWEEN CAST(20 AS bigint) AND 40",
            [("client_src.klaviyo_profiles", 20, 2)],
        ),
        ("SELECT 1 FROM klaviyo_profiles WHERE 20 <= time", [("client_src.klaviyo_profiles", 20, 2)]),
        (
            "SELECT 1 FROM klaviyo_profiles WHERE time >= 20 OR id = 'x'",
            [("client_src.klaviyo_profiles", None, 3)],
        ),
        (
            "SELECT 1 FROM klaviyo_profiles WHERE time >= (SELECT max(time) FROM log)",
            [("client_src.klaviyo_profiles", None, 3), ("client_src.log", None, 1)],
        ),
        (
            """WITH recent AS (SELECT * FROM klaviyo_profiles WHERE time >= 30)
               SELECT 1 FROM recent, log l WHERE l.time >= 5""",
            [("client_src.klaviyo_profiles", 30, 1), ("client_src.log", 5, 1)],
        ),
        (
            "INSERT INTO log (time) SELECT time FROM klaviyo_profiles WHERE time >= 20",
            [("client_src.klaviyo_profiles", 20, 2)],
        ),
        ("INSERT INTO log (time) SELECT time FROM log", [("client_src.log", None, 1)]),
        ("CREATE TABLE new AS SELECT * FROM client_src.log", [("client_src.log", None, 1)]),
        (
            "DELETE FROM klaviyo_profiles WHERE time >= 20 AND id = 'x'",
            [("client_src.klaviyo_profiles", 20, 2)],
        ),
        ("SELECT table_name FROM information_schema.tables", []),
    ],
)
def test_a_scan_is_bounded_by_a_literal_time_alone(run, databases, text, expected):
    databases.rows("ALTER TABLE client_src.klaviyo_profiles ADD COLUMN id VARCHAR")
    databases.rows("INSERT INTO client_src.klaviyo_profiles VALUES (10, 'x'), (20, 'y'), (30, 'z')")
    databases.rows("CREATE TABLE client_src.log AS SELECT CAST(15 AS BIGINT) AS time")
    found = sorted((scan.table, scan.since, scan.rows) for scan in run(text).scans)
    assert found == sorted(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT id FROM klaviyo_profiles WHERE time >= 20", {"id", "time"}),
        ("SELECT * FROM klaviyo_profiles", {"*"}),
        ("SELECT count(*) FROM klaviyo_profiles", set()),
        ("DELETE FROM klaviyo_profiles WHERE time >= 20", {"time"}),
        ("SELECT p.id FROM klaviyo_profiles AS p JOIN log ON log.time = 1", {"id"}),
        (
            "SELECT 1 FROM log WHERE NOT EXISTS (SELECT 1 FROM klaviyo_profiles p WHERE p.time = log.time)",
            {"time"},
        ),
        (
            "SELECT 1 FROM klaviyo_profiles p WHERE EXISTS (SELECT 1 FROM log WHERE log.time = p.time)",
            {"time"},
        ),
        ("WITH ids AS (SELECT id FROM klaviyo_profiles) SELECT * FROM ids", {"id"}),
    ],
)
def test_a_scan_tells_the_columns_that_are_read(run, databases, text, expected):
    databases.rows("ALTER TABLE client_src.klaviyo_profiles ADD COLUMN id VARCHAR")
    databases.rows("CREATE TABLE client_src.log (time BIGINT)")
    (columns,) = [scan.columns for scan in run(text).scans if scan.table == "client_src.klaviyo_profiles"]
    assert columns == expected


def test_a_table_is_made_anew_as_td_with_create_table_does_it(run, databases):
    for number in (1, 2):
        run(f'DROP TABLE IF EXISTS "new";\nCREATE TABLE "new" AS\nSELECT {number} AS n')
    assert databases.rows("SELECT n FROM client_src.new") == [(2,)]


def test_an_outcome_tells_what_was_written_and_where(run):
    outcomes = [
        run(text)
        for text in (
            "CREATE TABLE new AS SELECT * FROM UNNEST(sequence(1, 3)) AS t (n)",
            "INSERT INTO client_src.new (n) VALUES (4), (5)",
            "DELETE FROM new WHERE n > 1",
            "SELECT n FROM new",
            "DROP TABLE new",
        )
    ]
    assert [(done.kind, done.table, done.written) for done in outcomes] == [
        ("create", "client_src.new", 3),
        ("insert", "client_src.new", 2),
        ("delete", "client_src.new", 4),
        ("select", "", 0),
        ("drop", "client_src.new", 0),
    ]
