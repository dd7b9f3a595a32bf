"""A name that Digdag or SQL would read as something else is found; one that only looks so is not."""

import re

import pytest
from client_edits import CREATE_LOG, DATABASE, DATASOURCES, INC, PROFILES, Edit, Entry, edits
from commands import commit, edit, update

GATE = "plain-names"


@edits(
    {
        "an octal database": Edit(DATABASE, "client_src", "0123"),
        "a hexadecimal one": Edit(DATABASE, "client_src", "0x1f"),
        "one with an exponent": Edit(DATABASE, "client_src", "12e34"),
        "a number in groups": Edit(DATABASE, "client_src", "1_2_3"),
        "a long number": Edit(DATABASE, "client_src", "12345678901234567890"),
        "nothing": Edit(DATABASE, "client_src", "null"),
        "capitals": Edit(DATABASE, "client_src", "Client_src"),
        "a table that is a number": Entry("klaviyo_lists", "table_name", "1_000"),
        "a table of SQL's own words": Entry("klaviyo_lists", "table_name", "values"),
        "a table with a digit first": Entry("klaviyo_lists_hist", "table_name", "2024_lists"),
        "a table with a digit first, in quotes": Entry("klaviyo_lists_hist", "table_name", '"2024_lists"'),
        "a field of SQL's own words": Entry("klaviyo_lists", "incremental_field", "order"),
        "such a field of the backfill": Entry("klaviyo_lists_hist", "incremental_field", "end"),
        "another such field": Entry("klaviyo_lists", "historical_field", "end"),
        "a field with a blank": Entry("klaviyo_lists", "incremental_field", "updated at"),
        "a field in capitals": Entry("klaviyo_lists", "historical_field", "Created"),
        "a field with a digit first": Entry("klaviyo_lists", "incremental_field", "1st"),
        "the load's own time": Entry("klaviyo_lists", "incremental_field", "time"),
        "the load's own time, of the backfill": Entry("klaviyo_lists", "historical_field", "time"),
        "a field of the connector that is a number": Entry(
            "klaviyo_lists", "incremental_field_connector", "1e5"
        ),
        "such a field, in quotes": Entry("klaviyo_lists", "incremental_field_connector", '"1e5"'),
        "a data source that is nothing, in quotes": Entry("klaviyo_lists", "name", "'null'"),
        "an overlap with a nought first": Entry("klaviyo_events", "lookback_seconds", "07200"),
        "days with a nought first": Entry("klaviyo_events", "late_days", "010"),
        "an octal authentication": Edit(PROFILES, "td_authentication_id: 3", "td_authentication_id: 0"),
    }
)
def test_a_name_that_is_read_as_something_else_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places(GATE, plain_repo)


@edits(
    {
        "an octal database, in quotes": Edit(DATABASE, "client_src", '"0123"'),
        "a database of digits": Edit(DATABASE, "client_src", "2024"),
        "a word of SQL's own": Edit(DATABASE, "client_src", "select"),
        "off, which Digdag takes for text": Edit(DATABASE, "client_src", "off"),
        "no octal": Edit(DATABASE, "client_src", "089"),
        "a table beside a word of SQL's own": Entry("klaviyo_lists", "table_name", "values_"),
        "a field beside one": Entry("klaviyo_lists", "historical_field", "ended"),
        "the connector's own time": Entry("klaviyo_lists", "incremental_field_connector", "time"),
        "no field": Entry("klaviyo_lists", "incremental_field", "null"),
        "an authentication in quotes": Edit(PROFILES, "360030", '"0360030"'),
    }
)
def test_a_name_that_is_read_as_it_is_written_passes(edit, check, plain_repo):
    edit.make(plain_repo)
    assert check.places(GATE, plain_repo) == []


@pytest.mark.parametrize("database", ["2024_src", "select"])
def test_a_query_that_names_such_a_database_without_quotes_is_found(database, check, plain_repo):
    edit(plain_repo / DATABASE, "client_src", f'"{database}"')
    log = Edit(CREATE_LOG, '"${databases.src}".ingestion_log', "${ databases.src }.ingestion_log")
    own = Edit(
        INC,
        "+ingest:\n",
        "+own:\n  td>:\n  query: SELECT 1 FROM ${databases.src}.mine\n\n+ingest:\n",
        "query: SELECT 1",
    )
    fine = Edit(INC, "+own:", '+fine:\n  td>:\n  query: SELECT 1 FROM "${databases.src}".mine\n\n+own:')
    assert check.places(GATE, plain_repo) == []
    found = [own.make(plain_repo), log.make(plain_repo)]
    assert check.places(GATE, plain_repo) == found
    fine.make(plain_repo)
    assert len(check.places(GATE, plain_repo)) == 2
    edit(plain_repo / DATABASE, f'"{database}"', "client_src")
    assert check.places(GATE, plain_repo) == []


def test_what_digdag_makes_of_a_name_is_told(check, plain_repo):
    Edit(DATABASE, "client_src", "0123").make(plain_repo)
    Entry("klaviyo_lists", "name", "null").make(plain_repo)
    Entry("klaviyo_lists", "table_name", "1e5").make(plain_repo)
    report = "\n".join(check.failures(plain_repo))
    assert "Digdag reads src: 0123 as 83: quote it" in report
    assert "Digdag reads table_name: 1e5 as 100000: quote it" in report
    assert f"{DATASOURCES}:" in report


@pytest.mark.parametrize("table", ["klaviyo_profiles", "klaviyo_profiles_hist"])
def test_a_table_that_no_query_for_people_would_read_is_found(table, check, plain_repo):
    place = Entry(table, "table_name", table.replace("profiles", "profile")).make(plain_repo)

    assert check.places("queried-tables", plain_repo) == [place]


def test_a_table_that_is_called_otherwise_in_the_queries_too_passes(check, plain_repo):
    for file in (
        DATASOURCES,
        *(path.relative_to(plain_repo) for path in plain_repo.rglob("query_samples/*")),
    ):
        text = (plain_repo / file).read_text(encoding="utf-8")
        (plain_repo / file).write_text(text.replace("klaviyo_profiles", "acme_profiles"), encoding="utf-8")

    assert check.places("queried-tables", plain_repo) == []


def test_a_database_that_was_not_answered_is_noted_with_the_way_to_follow(check, acme):
    edit(acme / DATABASE, "src: client_src", "src: other_db")
    title, what_to_do = check.failures(acme)
    assert title.startswith("! The database is the one that was answered")
    commit(acme)
    (given,) = re.findall("copier update --trust (-d .*)", what_to_do)
    update(acme, *given.split())
    assert check.failures(acme) == []
    assert "other_db" in (acme / "docs/klaviyo.md").read_text(encoding="utf-8")
