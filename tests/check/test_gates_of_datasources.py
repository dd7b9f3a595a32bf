"""Datasources, load files and queries that would load nothing, the wrong thing or everything are found."""

from client_edits import (
    CAMPAIGNS,
    DATASOURCES,
    EVENTS,
    HIST,
    LOG_ERROR,
    METRICS,
    OBJECTS_TO_LOAD,
    OBJECTS_TO_TRY,
    PROFILES,
    WINDOWS,
    Edit,
    Entry,
    edits,
)

TABLE_FIELD, CONNECTOR_FIELD = "incremental_field", "incremental_field_connector"


@edits(
    {
        "no list": Edit(DATASOURCES, "inc_datasources:\n", "inc_datasources: {}\nothers:\n"),
        "another list": Edit(
            DATASOURCES, "hist_datasources:\n", "historical_datasources:\n", "inc_datasources:"
        ),
        "a table twice": Entry("klaviyo_lists", "table_name", "klaviyo_profiles"),
        "no name of a table": Entry("klaviyo_lists", "table_name", "Klaviyo-Lists"),
        "a key misspelt": Edit(
            DATASOURCES, "    table_name: klaviyo_campaigns\n", "    tabel_name: klaviyo_campaigns\n"
        ),
        "a table that preflight would drop": Entry("klaviyo_lists", "table_name", "klaviyo_preflight_lists"),
        "no overlap": Entry("klaviyo_events", "lookback_seconds", None),
        "an overlap with a unit": Entry("klaviyo_events", "lookback_seconds", "2h"),
        "late days in words": Entry("klaviyo_events", "late_days", "week"),
        "late days with a fraction": Entry("klaviyo_events", "late_days", "0.5"),
        "an incremental window in words": Entry("klaviyo_profiles", "window_days", "quarter"),
        "a window in words": Entry("klaviyo_events_hist", "window_days", "quarter"),
        "a window of no days": Entry("klaviyo_events_hist", "window_days", "0"),
        "another mode": Entry("klaviyo_lists", "mode", "merge"),
        "the other workflow": Entry("klaviyo_lists_hist", "workflow_name", "klaviyo_ingest_inc"),
        "no workflow": Entry("klaviyo_lists", "workflow_name", "klaviyo_inc"),
        "a table of no backfill": Entry("klaviyo_lists", "historical_table", "klaviyo_list_hist"),
        "changes that replace the table": Entry("klaviyo_lists", "mode", "replace"),
        "a full load that appends": Edit(
            DATASOURCES,
            "klaviyo_lists_load.yml\n    incremental_field: updated\n"
            "    incremental_field_connector: updated\n",
            "klaviyo_lists_load.yml\n    incremental_field:\n    incremental_field_connector:\n",
            "    mode: append\n    historical_table: klaviyo_lists_hist",
        ),
    }
)
def test_a_datasource_that_is_incomplete_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("datasources", plain_repo)


@edits(
    {
        "no start": Entry("klaviyo_lists", "default_start_time", None),
        "a start with a Z": Entry("klaviyo_lists", "default_start_time", '"2023-09-01T00:00:00.000Z"'),
        "a day": Entry("klaviyo_lists", "default_start_time", '"2023-09-01"'),
        "a blank for the T": Entry("klaviyo_lists", "default_start_time", "2023-09-01 00:00:00"),
        "no such day": Entry("klaviyo_lists", "default_start_time", '"2023-09-31T00:00:00.000000"'),
        "a start to come": Entry("klaviyo_lists", "default_start_time", '"2123-09-01T00:00:00.000000"'),
        "a start with an offset": Entry(
            "klaviyo_lists", "default_start_time", '"2023-09-01T00:00:00.000000+00:00"'
        ),
        "a Z in a query": Edit(
            WINDOWS, "(ends, 's!'), ' ', 'T') || '.000000'", "(ends, 's!'), ' ', 'T') || '.000Z'"
        ),
        "no fraction": Edit(
            WINDOWS, "(starts - 1, 's!'), ' ', 'T') || '.000000'", "(starts - 1, 's!'), ' ', 'T')"
        ),
        "no fraction, over two lines": Edit(
            WINDOWS, "(starts - 1, 's!'), ' ', 'T') || '.000000'", "(starts - 1, 's!'\n), ' ', 'T')"
        ),
        "a local time": Edit(WINDOWS, "(ends, 's!'), ' ', 'T')", "(ends, 's'), ' ', 'T')"),
        "minutes": Edit(WINDOWS, "(starts - 1, 's!'), ' ', 'T')", "(starts - 1, 'm!'), ' ', 'T')"),
        "a blank": Edit(
            WINDOWS, "replace(TD_TIME_STRING(ends, 's!'), ' ', 'T')", "TD_TIME_STRING(ends, 's!')"
        ),
        "another format": Edit(
            OBJECTS_TO_TRY,
            "replace(TD_TIME_STRING(windows.starts, 's!'), ' ', 'T') || '.000000'",
            "TD_TIME_FORMAT(windows.starts, 'yyyy-MM-dd HH:mm:ss')",
        ),
        "Trino's own format": Edit(
            WINDOWS,
            "replace(TD_TIME_STRING(ends, 's!'), ' ', 'T') || '.000000'",
            "to_iso8601(from_unixtime(ends))",
        ),
        "one after a quote of JavaScript's, and dashes in a text": Edit(
            LOG_ERROR,
            "'${error_message}' AS",
            "'${error_message.replace(/'/g, '')} -- ' || '2024-01-01T00:00:00Z' AS",
        ),
        "a literal in a load file": Edit(
            PROFILES, "${td.last_results.end_time.match(/.+/)[0]}", "2024-01-01T00:00:00Z"
        ),
    }
)
def test_a_timestamp_in_another_form_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("timestamps", plain_repo)


@edits(
    {
        "the connector's name of what changed": Entry("klaviyo_campaigns", TABLE_FIELD, "updated"),
        "the connector's name of what came": Entry("klaviyo_campaigns_hist", TABLE_FIELD, "created"),
        "the table's name of what changed": Entry("klaviyo_campaigns", CONNECTOR_FIELD, "updated_at"),
        "the table's name of what came": Entry("klaviyo_campaigns_hist", CONNECTOR_FIELD, "created_at"),
        "only one name": Entry("klaviyo_events", CONNECTOR_FIELD, ""),
        "another field": Entry("klaviyo_lists", TABLE_FIELD, "created"),
        "what people call it": Edit(
            DATASOURCES,
            "templates\n    table_name: klaviyo_email_templates\n",
            "email_templates\n    table_name: klaviyo_email_templates\n",
        ),
        "a misspelt data source": Edit(
            DATASOURCES,
            "profiles\n    table_name: klaviyo_profiles\n",
            "profile\n    table_name: klaviyo_profiles\n",
        ),
    }
)
def test_a_wrong_name_of_a_field_or_a_data_source_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("field-names", plain_repo)


@edits(
    {
        "the table's name for the connector": Edit(
            CAMPAIGNS, "${datasource.incremental_field_connector}", "${datasource.incremental_field}"
        ),
        "the table's name as text": Edit(
            CAMPAIGNS, "${datasource.incremental_field_connector}", "updated_at"
        ),
        "no field for the connector": Edit(
            PROFILES,
            "  incremental_field: ${datasource.incremental_field_connector}\n",
            "",
            "  type: klaviyo",
        ),
        "the connector's name in a query": Edit(
            OBJECTS_TO_LOAD, "'$.incremental_field'", "'$.incremental_field_connector'"
        ),
        "the connector's name for a query": Edit(
            HIST,
            "td>: sql/klaviyo_windows.sql\n",
            "td>: sql/klaviyo_windows.sql\n              field: ${datasource.incremental_field_connector}\n",
            "field: ${datasource",
        ),
    }
)
def test_a_name_of_a_field_in_the_other_s_place_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("field-places", plain_repo)


@edits(
    {
        "a field": Edit(EVENTS, "  # No incremental_field", "  incremental_field: datetime\n  #"),
        "no word on related objects": Edit(EVENTS, "  skip_related_objects: true\n", "", "  type: klaviyo"),
        "related objects": Edit(EVENTS, "skip_related_objects: true", "skip_related_objects: false"),
        "another object's load file": Edit(
            DATASOURCES,
            "klaviyo_events\n    config_file: klaviyo_events_load.yml",
            "klaviyo_events\n    config_file: klaviyo_lists_load.yml",
            "incremental_field: ${",
            "ingestion/config/klaviyo_lists_load.yml",
        ),
    }
)
def test_events_that_the_connector_refuses_are_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("event-loads", plain_repo)


@edits(
    {
        "no start": Edit(
            PROFILES, "  start_time: ${td.last_results.start_time.match(/.+/)[0]}\n", "", "  type: klaviyo"
        ),
        "another end": Edit(CAMPAIGNS, "${td.last_results.end_time.match(/.+/)[0]}", "${session_time}"),
        "a full load": Edit(METRICS, "incremental: true", "incremental: false"),
        "yes for true": Edit(METRICS, "incremental: true", "incremental: yes"),
        "another mode": Edit(PROFILES, "mode: ${datasource.mode}", "mode: replace"),
        "a fixed time": Edit(PROFILES, "mode: upload_time", "mode: fixed_time"),
        "no time": Edit(PROFILES, "type: add_time", "type: rename", "filters:"),
        "another connector": Edit(PROFILES, "type: klaviyo", "type: shopify"),
        "another data source": Edit(PROFILES, "${datasource.name}", "events"),
        "no authentication": Edit(PROFILES, "td_authentication_id: 360030", "td_authentication_id:"),
    }
)
def test_a_load_file_that_is_incomplete_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("load-files", plain_repo)
