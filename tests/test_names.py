"""Names that Trino or YAML would read as something else reach both as what they are."""

import re

import pytest
import yaml
from digdag_text import fill
from hypothesis import example, given
from hypothesis import strategies as st
from klaviyo.ingestion_check.names_in_sql import as_name
from klaviyo.ingestion_check.plain_scalars import reading
from klaviyo.rules import check_emails
from klaviyo.yaml_text import in_yaml

# Real Digdag reads them in tests/engine/test_names_in_digdag.py.
DATABASES = [
    "2024_src",
    "0123",
    "1_2_3",
    "0x1f",
    "0b11",
    "1e5",
    "12e34",
    "123",
    "select",
    "null",
    "true",
    "off",
]


@pytest.fixture(scope="session")
def named(copie_session, example_answers):
    """Renders the example with another database, and all that is optional; once for each."""
    repos = {}

    def repo(database):
        if database not in repos:
            more = {"latest_tables": True, "freshness_hours": 24, "alert_email": "%a@example.com"}
            answers = {**example_answers, **more, "target_database": database}
            result = copie_session.copy(extra_answers=answers)
            assert result.exit_code == 0, result.exception
            repos[database] = result.project_dir
        return repos[database]

    return repo


@given(
    st.one_of(st.sampled_from(DATABASES), st.from_regex(r"[a-z0-9_]{1,12}|0x[0-9a-f_]{2,4}", fullmatch=True))
)
def test_a_name_is_the_same_in_yaml_whatever_it_looks_like(name):
    written = in_yaml(name)
    assert yaml.safe_load(f"[{written}]") == [name]
    assert written != name or reading(name) == name


@given(st.from_regex(r"[A-Za-z0-9._%+-]{1,9}@[A-Za-z0-9-]{1,4}(\.[A-Za-z0-9-]{1,4}){1,2}", fullmatch=True))
@example("%a@b.c")
@example("-@-.-")
def test_an_address_is_the_same_in_yaml_whatever_it_begins_with(address):
    check_emails(address)
    assert yaml.safe_load(f"[{in_yaml(address)}, b@c.d]") == [address, "b@c.d"]


@pytest.mark.parametrize("name", ["client_src", "acme2024", "_0123", "updated_at", "a.b+c%d@example.com"])
def test_an_ordinary_name_has_no_quotes(name):
    assert in_yaml(name) == name
    assert "@" in name or as_name(name) == name


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_that_yaml_reads_as_something_else_is_quoted(name):
    assert in_yaml(name) == (name if name in ("2024_src", "select") else f'"{name}"')


@pytest.mark.parametrize("database", ["2024_src", "select"])
def test_a_query_for_people_runs_in_any_database_and_so_does_what_it_prints(named, database, databases):
    databases = databases()
    databases.create_database(database)
    repo = named(database)
    databases.create_database("elsewhere")
    for made_in, query in (
        ("elsewhere", "create_ingestion_log_table"),
        (database, "klaviyo_preflight_create_table"),
    ):
        text = (repo / f"ingestion/sql/{query}.sql").read_text(encoding="utf-8")
        databases.run(fill(text, {"databases": {"src": database}}), made_in)
    records = [{"id": "a", "updated": "2024-01-01 00:00:00+00:00"}]
    databases.create_table(database, "klaviyo_profiles")
    databases.load(database, "klaviyo_profiles", records, "append", 0)
    for path in (repo / "ingestion/query_samples").glob("*.sql"):
        outcome = databases.run(path.read_text(encoding="utf-8"), "elsewhere")
        if outcome.columns[-1][0] == "query":
            for row in outcome.rows:
                databases.run(row[-1], "elsewhere")
    databases.close()


def test_the_workflows_queries_run_in_the_database_that_they_are_in(named):
    sql = named("select") / "ingestion/sql"
    naming = [
        path.name
        for path in sql.iterdir()
        if re.search(r'databases\.src *\}"?\.', path.read_text(encoding="utf-8"))
    ]
    assert naming == ["create_ingestion_log_table.sql"]  # other sources have it, too


@pytest.mark.parametrize("database", ["2024_src", "select"])
def test_what_people_paste_names_the_database_in_quotes(named, database):
    texts = [path.read_text(encoding="utf-8") for path in named(database).rglob("*") if path.is_file()]
    assert not any(
        re.search(rf"(FROM|TABLE|DESCRIBE|INTO) {database}\.|`{database}\.\w", text) for text in texts
    )
    assert any(f'`"{database}".ingestion_log`' in text for text in texts)
