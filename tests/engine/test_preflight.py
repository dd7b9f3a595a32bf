"""Preflight says of each object what the other workflows would meet, and leaves nothing but its lines."""

import re
import time
from datetime import datetime, timedelta, timezone

import pytest
from ingestion import DATABASE
from klaviyo import CATALOGUE
from mock_td.klaviyo_account import KlaviyoAccount

PREFLIGHT = "klaviyo_preflight"
TABLES = [known.table for known in CATALOGUE]
UPDATED = {"created": "created", "updated": "updated"}
NO_RECORDS = "ok, no records in this window, fields not seen"

# What a connector may say, by the table whose load it says it of, and the hint that should stand before it. Of
# one table it is TD that speaks, of the DELETE.
DENIED = "klaviyo_receipts"
MESSAGES = {
    "klaviyo_profiles": (
        '401 {"errors": [{"code": "authentication_failed", "title": "Incorrect authentication credentials."}]}',
        "key is wrong or revoked",
    ),
    "klaviyo_events": ('HTTP 429, {"code": "throttled"}', "start klaviyo_preflight again"),
    "klaviyo_campaigns": (
        "Response status 403: Your API key is missing required scopes: campaigns:read",
        "lacks the scope campaigns:read:",
    ),
    "klaviyo_lists": ('22:10:05.401 +0000 [ERROR] {"status":403}', "lacks the scope lists:read:"),
    "klaviyo_flows": ("Authentication 360030 does not exist", "does not know the authentication"),
    "klaviyo_pages": ("400 Invalid input, Invalid cursor", "start klaviyo_preflight again"),
    "klaviyo_old": ("400 a revision header is required", "ask TD's support"),
    "klaviyo_gone": ("410 Gone", "ask TD's support"),
    "klaviyo_images": ("400 'changed' is not a filterable field", "the field to filter on is refused"),
    DENIED: (
        "Access Denied: Cannot delete from table klaviyo_preflight_receipts",
        "this user may not delete rows in TD: let them, or answer remove_copies with no",
    ),
    "klaviyo_segments": (
        "lost " * 500 + "It's \"over\":\n\tsee C:\\new, ''twice'' -- no more; {} /* */ é",
        "",
    ),
}
UNSHOWN = "klaviyo_email_templates"


class OddAccount(KlaviyoAccount):
    """An account some of whose data sources are not what a load file expects.

    ignores_filter  the data sources that come whole, whatever the window
    odd_fields      {data source: {column: text, a function that gives it, or None for no such column}}
    """

    def __init__(self, *arguments, ignores_filter, odd_fields, **options):
        super().__init__(*arguments, **options)
        self.ignores_filter, self.odd_fields = ignores_filter, odd_fields

    def fetch(self, settings):
        data_source = settings["data_source"]
        if data_source in self.ignores_filter:
            settings = {key: value for key, value in settings.items() if not key.endswith("_time")}
        odd = self.odd_fields.get(data_source, {})
        odd = {name: value() if callable(value) else value for name, value in odd.items()}
        return [
            {name: value for name, value in {**record, **odd}.items() if value is not None}
            for record in super().fetch(settings)
        ]


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def custom_object(name):
    """An answer to `custom_objects`: one with a filter on `updated`."""
    return {
        "name": name,
        "inc_field": "updated",
        "inc_field_connector": "updated",
        "hist_field": "created",
        "hist_field_connector": "created",
    }


def lines(acme):
    """{table: (status, line)} of the last run, the line without the table that it begins with."""
    run, *_ = acme.td.rows(f"SELECT run FROM {DATABASE}.{PREFLIGHT} ORDER BY rowid DESC LIMIT 1")[0]
    rows = acme.td.rows(f"SELECT table_name, status, line FROM {DATABASE}.{PREFLIGHT} WHERE run = '{run}'")
    assert len({table for table, *_ in rows}) == len(rows), "a table has two lines"
    return {table: (status, line.removeprefix(f"{table}: ")) for table, status, line in rows}


def tables_of_the_client(acme):
    """{table: its rows} of all tables but preflight's own."""
    return {
        table: acme.td.rows(f"SELECT * FROM {DATABASE}.{table}")
        for table in acme.td.databases.tables(DATABASE)
        if table != PREFLIGHT
    }


def scratch(table):
    return table.replace("klaviyo_", "klaviyo_preflight_", 1)


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def good(ingest, beginning):
    """The ingestion after two runs on a good account, in the first of which Digdag was killed.

    Metrics and forms are loaded in full. `.first_run` holds the lines of the run that was killed.
    """
    custom = {"flows": UPDATED, "forms": {"updated": "updated"}}
    account = KlaviyoAccount(beginning, datetime.now(timezone.utc), custom=custom)
    objects = [custom_object("flows"), {"name": "forms"}]
    acme = ingest(account, load_seconds=0.5, metrics_load="full", custom_objects=objects)
    acme.run(PREFLIGHT, killed_by=acme.td.interrupt(load=4))
    while any(load.status == "running" for load in acme.td.loads):
        time.sleep(0.1)
    assert acme.td.rows(f"SELECT * FROM {DATABASE}.{acme.td.loads[3].table}")
    acme.first_run = lines(acme)
    acme.last_run = acme.run(PREFLIGHT)
    acme.all_tables = [*TABLES, "klaviyo_flows", "klaviyo_forms"]
    return acme


def test_on_a_good_account_each_object_is_ok_and_the_run_succeeds(good):
    assert good.last_run.succeeded
    found = lines(good)
    assert set(found) == set(good.all_tables)
    for status, line in found.values():
        assert (status, line[:4]) == ("OK", "ok, "), line
    assert (
        "records with id, updated_at, created_at; columns: created_at, id, " in found["klaviyo_campaigns"][1]
    )
    assert found["klaviyo_events"][1].endswith(
        "records with id, datetime; columns: datetime, id, name, note, properties, value"
    )


def test_the_lines_are_printed_at_the_end(good):
    for table, (_, line) in lines(good).items():
        assert f"{table}: {line}" in good.last_run.output


def test_a_run_takes_four_jobs_an_object_and_three(good):
    assert len(good.last_run.jobs) == 4 * len(good.all_tables) + 3


def test_never_more_than_three_load_at_once(good):
    assert good.td.peak_loads <= 3


def test_an_interrupted_run_leaves_nothing_that_the_next_one_counts_or_keeps(good):
    assert set(good.first_run) < set(good.all_tables)
    loads = {job.table: job for job in good.last_run.jobs if job.kind == "bulkload"}
    for table, (_, line) in lines(good).items():
        assert line.startswith(f"ok, {loads[scratch(table)].num_records} records "), line
    assert tables_of_the_client(good) == {}


def test_events_and_profiles_are_asked_for_a_day_and_others_for_the_later_half(good, beginning):
    loads = {job.table: job for job in good.last_run.jobs if job.kind == "bulkload"}
    for name in ("profiles", "events", "campaigns", "lists", "email_templates", "flows"):
        start, end = map(instant, loads[scratch(f"klaviyo_{name}")].window)
        span = end - beginning.replace(tzinfo=timezone.utc)
        wanted = timedelta(days=1) if name in ("profiles", "events") else span / 2
        assert abs(end - start - wanted) <= timedelta(seconds=1), name
    for name in ("metrics", "forms"):
        assert loads[scratch(f"klaviyo_{name}")].window == (None, None)


def test_a_full_load_may_bring_whatever_there_is(good):
    for name in ("metrics", "forms"):
        everything = len(good.account.ids(name))
        status, line = lines(good)[f"klaviyo_{name}"]
        assert (status, line.partition(";")[0]) == ("OK", f"ok, {everything} records with id")


@pytest.fixture(scope="module")
def bad(ingest, beginning):
    """The ingestion after a run in which all goes wrong that can, but for coupons, the last object.

    Coupons change while they are loaded; of universes one is dated tomorrow. A client's tables were there
    before the run: `.before` is what they held.
    """
    custom = [
        "flows",
        "pages",
        "old",
        "gone",
        "images",
        "segments",
        "reviews",
        "tags",
        "forms",
        "universes",
        "receipts",
        "coupons",
    ]
    account = OddAccount(
        beginning,
        datetime.now(timezone.utc),
        custom=dict.fromkeys(custom, UPDATED),
        ignores_filter=("metrics", "universes"),
        odd_fields={
            "tags": {"created": None, "id": None},
            "forms": {"updated": "yesterday ${x}"},
            "coupons": {"updated": now},
        },
    )
    account.add("universes", updated=datetime.now(timezone.utc) + timedelta(days=1))
    acme = ingest(account, load_seconds=0.2, custom_objects=[custom_object(name) for name in custom])
    acme.change_datasource("klaviyo_reviews", default_start_time="")
    for table, (message, _) in MESSAGES.items():
        if table == DENIED:
            acme.td.fail_query(f"DELETE FROM {scratch(table)}\n", message=message)
        else:
            acme.td.fail_load(scratch(table), message=message)
    acme.td.fail_load(scratch(UNSHOWN), message="Failed to evaluate a variable ${nothing}")
    acme.td.databases.create_database(DATABASE)
    acme.td.rows(f"CREATE TABLE {DATABASE}.ingestion_log AS SELECT 'zendesk' AS source_name")
    acme.td.rows(f"CREATE TABLE {DATABASE}.klaviyo_lists AS SELECT 'a list' AS id")
    acme.before = tables_of_the_client(acme)
    acme.all_tables = [*TABLES, *(f"klaviyo_{name}" for name in custom)]
    acme.last_run = acme.run(PREFLIGHT)
    return acme


@pytest.mark.parametrize("table", MESSAGES)
def test_the_message_of_the_connector_or_of_td_is_shown_whole_beside_a_hint(bad, table):
    message, hint = MESSAGES[table]
    status, line = lines(bad)[table]
    assert status == "ERROR"
    assert line.endswith(re.sub(r"\s+", " ", message[-2000:]))
    assert hint in line.removesuffix(re.sub(r"\s+", " ", message))
    assert ("probably" in line) == bool(hint)


def test_a_message_that_cannot_be_shown_leaves_its_line(bad):
    status, line = lines(bad)[UNSHOWN]
    assert status == "ERROR"
    assert "cannot be shown" in line


def test_records_from_outside_the_window_show_that_the_filter_is_ignored(bad):
    (load,) = bad.loads(scratch("klaviyo_universes"))
    times = [instant(record["updated"][:19]) for record in bad.account.records("universes")]
    start = instant(load.window[0])
    status, line = lines(bad)["klaviyo_universes"]
    assert status == "ERROR"
    older = [time for time in times if time < start]
    assert older
    assert f"; {len(older) + 1} of them outside the window" in line
    assert "the filter is ignored" in line


def test_a_record_that_changed_while_it_was_loaded_is_not_outside(bad):
    assert re.fullmatch(
        r"ok, \d+ records with id, updated, created; columns: [\w, ]+", lines(bad)["klaviyo_coupons"][1]
    )


def test_of_metrics_they_are_a_note(bad):
    status, line = lines(bad)["klaviyo_metrics"]
    assert status == "OK"
    assert re.match(r"ok, 20 records with id, updated, created; note: \d+ of them outside the window", line)
    assert "use metrics_load: full" in line


def test_missing_columns_are_named_beside_those_that_there_are(bad):
    status, line = lines(bad)["klaviyo_tags"]
    assert status == "ERROR"
    assert "without id, created (the columns are name, properties, updated, value):" in line


def test_a_field_that_is_no_time_is_shown(bad):
    status, line = lines(bad)["klaviyo_forms"]
    assert status == "ERROR"
    assert 'updated is not a time ("yesterday {x}")' in line


def test_an_object_without_a_window_is_not_loaded(bad):
    assert bad.loads(scratch("klaviyo_reviews")) == []
    status, line = lines(bad)["klaviyo_reviews"]
    assert status == "ERROR"
    assert "default_start_time" in line


def test_what_fails_costs_no_other_object_its_one_try(bad):
    assert lines(bad)["klaviyo_coupons"][0] == "OK"
    loads = [load.table for load in bad.td.loads]
    assert sorted(loads) == sorted(scratch(t) for t in bad.all_tables if t != "klaviyo_reviews")


def test_the_run_fails_and_names_each_object_that_is_not_ok(bad):
    assert not bad.last_run.succeeded
    (named,) = set(re.findall(r"klaviyo_preflight failed for: ([\w, ]+)\.", bad.last_run.output))
    failed = {*bad.all_tables, "ingestion_log"} - {"klaviyo_metrics", "klaviyo_coupons"}
    assert named.split(", ") == sorted(failed)


def test_a_log_table_without_its_columns_is_told_before_a_run_fails_at_it(bad, good):
    missing = (
        "log_id, workflow_name, table_name, status, start_time, end_time, records_processed, error_message"
    )
    line = f"ingestion_log: error, without {missing}, job_id, job_url"
    assert bad.last_run.output.count(line) >= 2  # in the report, and in what fails the run
    assert "ingestion_log: ok, the first run makes it" in good.last_run.output


def test_also_a_run_that_fails_prints_its_lines_and_drops_its_scratch_tables(bad):
    for table, (_, line) in lines(bad).items():
        assert f"{table}: {line}" in bad.last_run.output
    assert not [table for table in bad.td.databases.tables(DATABASE) if "preflight_" in table]


def test_no_table_of_the_client_s_is_touched(bad):
    assert tables_of_the_client(bad) == bad.before


def test_also_a_run_that_fails_takes_at_most_three_jobs_an_object_and_three(bad):
    assert len(bad.last_run.jobs) <= 4 * len(bad.all_tables) + 3


def test_an_empty_account_is_no_error(ingest, beginning):
    account = KlaviyoAccount(beginning, datetime.now(timezone.utc), size=0)
    acme = ingest(account)
    assert acme.run(PREFLIGHT).succeeded
    assert lines(acme) == dict.fromkeys(TABLES, ("OK", NO_RECORDS))
