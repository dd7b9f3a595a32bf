"""Look at what is loaded: at the datasources, and at the load files and queries that use them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..accounts import BACKFILL, INCREMENTAL
from ..digdag import TALK_TO_PEOPLE
from ..digdag_yaml import Map, texts
from ..expectations import expect_form, expect_value, unexpected
from ..fields import Names, wrong_names
from ..gate import gate
from ..problems import Place, Problem, place_in
from ..repo import Repo
from ..sql import without_comments
from ..timestamps import FORM, is_past, wrong_formats, wrong_times

TIMESTAMP = f"{FORM}, UTC, without a zone"
TABLE_KEY, CONNECTOR_KEY = "incremental_field", "incremental_field_connector"


@gate("Datasources are complete")
def datasources(repo: Repo) -> Iterator[Problem]:
    """What an entry lacks becomes an empty text in SQL and in load files, and is not an error there."""
    for account in repo.accounts:
        document = repo.documents.map(account.datasources)
        for name in account.lists:
            if not document.sections(name):
                yield document.at(name).problem(f"{name} must be a list of maps, one for each object")
    tables: dict[str, Place] = {}
    backfills = [entry for name, entry in repo.entries if name == BACKFILL]
    for name, entry in repo.entries:
        account = repo.accounts.of(entry.place.path)
        own = [each.text("table_name") for each in backfills if each.place.path == entry.place.path]
        historical = "|".join(map(re.escape, own))
        table, place = entry.text("table_name"), entry.at("table_name")
        yield from expect_form(entry, "table_name", "3 to 128 of a-z, 0-9 and _", r"[a-z0-9_]{3,128}")
        scratch = next((each.scratch for each in repo.accounts if f"{table}_".startswith(each.scratch)), "")
        if scratch:
            yield place.problem(f"{table} would be dropped: preflight makes and drops {scratch}*")
        if tables.setdefault(table, place) != place:
            other = tables[table]
            file = "" if other.path == place.path else f" of {other.path}"
            why = f"{table} is the table of line {other.line}{file} too, each entry needs its own"
            yield place.problem(why)
        yield from expect_form(entry, "config_file", "a load file in config/", r".+")
        yield from expect_value(entry, "workflow_name", account.lists[name])
        # What changed must not replace all the rest; a full load must not append it all again.
        yield from expect_value(entry, "mode", "append" if entry.text(TABLE_KEY) else "replace")
        if name == INCREMENTAL:
            yield from expect_form(entry, "historical_table", "a table of hist_datasources", historical)
            yield from expect_form(entry, "lookback_seconds", "a number of seconds, 0 for none", r"[0-9]+")
            yield from expect_form(entry, "late_days", "a number of days, 0 for none", r"([0-9]+)?")
        yield from expect_form(entry, "window_days", "a number of days, or empty", r"([1-9][0-9]*)?")


@gate("Timestamps are YYYY-MM-DDTHH:MM:SS.000000, without a zone")
def timestamps(repo: Repo) -> Iterator[Problem]:
    """The connector takes no other form, and what writes a wrong one shows only when a load fails."""
    for _, entry in repo.entries:
        start = entry.text("default_start_time")
        if not is_past(start):
            why = f"default_start_time must be a past {TIMESTAMP}, not {start or 'empty'}"
            yield entry.at("default_start_time").problem(why)
    for text in (text for step in repo.steps if step.operator not in TALK_TO_PEOPLE for text in step.texts):
        for found in wrong_times(text):
            yield text.at(found[0]).problem(f"{found[0]} must be {TIMESTAMP}")
    for text in (text for _, load in repo.load_files for text in texts(load)):
        for found in wrong_times(text) + wrong_formats(text):
            yield text.at(found[0]).problem(f"{found[0]} must be {TIMESTAMP}")
    for file in repo.queries:
        sql = without_comments(repo.documents.text(file))
        for found in wrong_times(sql) + wrong_formats(sql):
            yield place_in(file, sql, found.start()).problem(f"{found[0]} must give {TIMESTAMP}")


@gate("Campaigns' fields, and all others, have the right two names")
def field_names(repo: Repo) -> Iterator[Problem]:
    """Campaigns have `updated_at` in the table, `updated` for the connector: mixed up, they load nothing."""
    for name, entry in repo.entries:
        source = entry.text("name")
        meant = repo.data_sources.meant(source) or source
        yield from expect_value(entry, "name", meant or "a data source of the connector")
        given = Names(entry.text(TABLE_KEY), entry.text(CONNECTOR_KEY))
        for which, wanted in wrong_names(given, repo.data_sources.names(source, name == BACKFILL)):
            yield unexpected(entry, TABLE_KEY if which == "table" else CONNECTOR_KEY, wanted)


@gate("SQL has the table's name of a field, load files the connector's")
def field_places(repo: Repo) -> Iterator[Problem]:
    """The connector's name is no column in SQL, and the table's name no field for the connector."""
    for file in repo.queries:
        sql = without_comments(repo.documents.text(file))
        for found in re.finditer(rf"\b{CONNECTOR_KEY}\b", sql):
            yield place_in(file, sql, found.start()).problem(f"must be {TABLE_KEY}: this is SQL")
    for text in (text for step in repo.steps if step.operator == "td>" for text in step.texts):
        if CONNECTOR_KEY in text:
            yield text.at(CONNECTOR_KEY).problem(f"must be {TABLE_KEY}: this goes to SQL")
    for entry, load in repo.load_files:
        if entry.text(TABLE_KEY) and repo.data_sources.takes_field(entry.text("name")):
            same = re.escape(entry.text(CONNECTOR_KEY))
            yield from expect_form(load.section("in"), TABLE_KEY, "${datasource." + CONNECTOR_KEY + "}", same)


@gate("Events have no incremental_field, and skip related objects")
def event_loads(repo: Repo) -> Iterator[Problem]:
    """The connector knows the field of events itself and refuses to be told; profiles and metrics, which
    events relate to, are loaded on their own.
    """
    for entry, load in repo.load_files:
        source = load.section("in")
        if not repo.data_sources.takes_field(entry.text("name")):
            if TABLE_KEY in source:
                why = f"the connector refuses {TABLE_KEY} here: delete it"
                yield source.at(TABLE_KEY).problem(why)
            yield from expect_value(source, "skip_related_objects", "true")


@gate("Load files ask for their window, and fill the column time")
def load_files(repo: Repo) -> Iterator[Problem]:
    """Without its window the connector loads everything, again and again, and no task fails."""
    for entry, load in repo.load_files:
        source, mode = load.section("in"), re.escape(entry.text("mode"))
        yield from expect_value(source, "type", "klaviyo")
        yield from expect_form(source, "data_source", "${datasource.name}", re.escape(entry.text("name")))
        yield from expect_form(source, "td_authentication_id", "given", r".+")
        yield from expect_form(load.section("out"), "mode", "${datasource.mode}", mode)
        if entry.text(TABLE_KEY):
            yield from expect_value(source, "incremental", "true")
            for key in ("start_time", "end_time"):
                window = f"td.last_results.{key}"
                yield from expect_form(source, key, "${" + window + "}", rf"(?s).*\b{window}\b.*")
        else:
            yield from expect_form(source, "incremental", "false", r"")
        filters = [each for each in load.sections("filters") if each.text("type") == "add_time"]
        for added in [each.section("from_value") for each in filters] or [Map(load.at("filters"))]:
            yield from expect_value(added, "mode", "upload_time")
