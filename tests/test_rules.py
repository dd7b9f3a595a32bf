"""The rules let through what is right and nothing else, on their own and through Copier."""

from datetime import datetime, timedelta, timezone

import pytest
from by_hand import DEFAULTS, contents, copier, edit, release
from hypothesis import given
from hypothesis import strategies as st
from klaviyo.before_writing import check_fields
from klaviyo.catalogue import CATALOGUE, KlaviyoObject, check_dual_field, chosen_objects, custom_object
from klaviyo.refusals import BadAnswer
from klaviyo.timestamps import check_timestamps, timestamp

RIGHT = st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat(timespec="microseconds"))


@st.composite
def nearly_right(draw):
    """A right timestamp with a few characters taken out, and others put in their place."""
    text, start, length = draw(RIGHT), draw(st.integers(0, 26)), draw(st.integers(0, 8))
    return text[:start] + draw(st.text("0123456789 TZ.:-+", max_size=8)) + text[start + length :]


def is_right(text):
    """What timestamp() must accept, said by the standard library."""
    try:
        return (
            datetime.fromisoformat(text).isoformat(timespec="microseconds") == text and text[19:] == ".000000"
        )
    except ValueError:
        return False


@given(st.one_of(RIGHT, nearly_right(), st.text()))
def test_a_timestamp_is_accepted_if_it_has_exactly_the_right_form(text):
    if is_right(text):
        assert timestamp(text) == text
    else:
        with pytest.raises(BadAnswer):
            timestamp(text)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
        lambda offset: offset // 60_000_000 * 60_000_000
    ),
)
def test_a_time_with_an_offset_is_corrected_to_utc(moment, offset):
    text = moment.replace(tzinfo=timezone(offset)).isoformat()
    meant = (moment - offset).replace(microsecond=0).isoformat(timespec="microseconds")
    with pytest.raises(BadAnswer) as refused:
        timestamp(text)
    assert refused.value.example == meant


@given(st.one_of(nearly_right(), st.text("0123456789-:TZ+ ."), st.integers(), st.dates(), st.datetimes()))
def test_a_corrected_timestamp_is_accepted(value):
    try:
        timestamp(value)
    except BadAnswer as refused:
        assert not refused.example or timestamp(refused.example)


NAMES = ["created", "created_at", "updated", "updated_at", "datetime", None]


@pytest.mark.parametrize(
    ("data_source", "right"),
    [
        ("campaigns", {("created_at", "created"), ("updated_at", "updated")}),
        ("events", {("datetime", "datetime")}),
        ("profiles", {("created", "created"), ("updated", "updated")}),
        ("templates", {("created", "created"), ("updated", "updated")}),
        ("flows", {(table, api) for table in NAMES for api in NAMES}),
    ],
)
def test_only_the_right_pairs_of_fields_are_accepted(data_source, right):
    for pair in ((table, api) for table in NAMES for api in NAMES):
        if pair in right:
            check_dual_field(data_source, *pair)
        else:
            with pytest.raises(ValueError, match=" with "):
                check_dual_field(data_source, *pair)


def test_campaigns_with_one_name_twice_are_refused_even_if_the_catalogue_says_so(monkeypatch):
    monkeypatch.setattr("klaviyo.catalogue.CATALOGUE", (KlaviyoObject("campaigns", "campaigns"),))
    with pytest.raises(ValueError, match="not updated twice"):
        check_dual_field("campaigns", "updated", "updated")


def test_a_custom_object_without_fields_is_loaded_whole():
    forms = custom_object({"name": "forms", "data_source": "signup_forms"})
    assert (forms.mode, forms.sends_field, forms.hist_field) == ("replace", False, None)
    assert (forms.table, forms.historical_table) == ("klaviyo_forms", "klaviyo_forms_hist")


def test_a_custom_object_goes_by_its_first_field_where_it_has_no_other():
    flows = custom_object({"name": "flows", "inc_field": "changed_at", "inc_field_connector": "changed"})
    assert flows == KlaviyoObject("flows", "flows", "changed_at", "changed", "changed_at", "changed")


def test_more_events_get_no_incremental_field_either():
    clicks = {
        "name": "clicks",
        "data_source": "events",
        "inc_field": "datetime",
        "inc_field_connector": "datetime",
    }
    assert not custom_object(clicks).sends_field


def test_chosen_objects_come_in_the_catalogue_s_order_and_custom_ones_last():
    chosen = chosen_objects(["metrics", "events"], [{"name": "flows"}], "full")
    assert [each.name for each in chosen] == ["events", "metrics", "flows"]
    assert [each.mode for each in chosen] == ["append", "replace", "replace"]
    assert chosen_objects(["metrics"], [], "incremental") == [CATALOGUE[-1]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("'2023-09-01T00:00:00.000Z'", "2023-09-01T00:00:00.000Z must be 2023-09-01T00:00:00.000000"),
        ("start: 2023-09-01T02:00:00+02:00", "must be 2023-09-01T00:00:00.000000"),
        ("2023-09-01 00:00:00.000000", "must be 2023-09-01T00:00:00.000000"),
        ("2023-09-01T00:00", "must be 2023-09-01T00:00:00.000000"),
        ("2023-02-30T00:00:00", "must be YYYY-MM-DDTHH:MM:SS.000000"),
        ("|| '.000Z'", "must be '.000000'"),
        ("|| '.000'", "must be '.000000'"),
        ("|| 'Z'", "must be '.000000'"),
        ("%H:%i:%s.000Z", "must be '.000000'"),
    ],
)
def test_a_text_with_a_time_in_another_form_is_refused(text, told):
    with pytest.raises(ValueError) as refused:
        check_timestamps(f"SELECT 1;\n{text}\n")
    assert told in str(refused.value)


def test_a_text_with_right_times_dates_and_versions_is_accepted():
    check_timestamps(
        "2023-09-01T00:00:00.000000 || '.000000' since 2023-09-01, at 00:00, 0.10.5.1, 'Zoo', 1.000"
    )


DATASOURCES = """
inc_datasources:
- {{name: {}, incremental_field: {}, incremental_field_connector: {}, default_start_time: "{}"}}
""".format
START = "2023-09-01T00:00:00.000000"


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        (
            "klaviyo_datasources.yml",
            DATASOURCES("campaigns", "updated", "updated", START),
            "not updated twice",
        ),
        ("klaviyo_datasources.yml", DATASOURCES("events", "datetime", "", START), "not datetime with None"),
        ("klaviyo_datasources.yml", DATASOURCES("lists", "updated", "updated", START[:10]), START),
        (
            "klaviyo_lists_load.yml",
            "in: {incremental_field: '${datasource.incremental_field}'}",
            "the API's name",
        ),
        ("klaviyo_lists_load.yml", "in: {incremental_field: updated}", "the API's name"),
        (
            "klaviyo_events_load.yml",
            "in: {skip_related_objects: 1, incremental_field: '${datasource.incremental_field_connector}'}",
            "events must have no incremental_field",
        ),
        ("x.sql", "max(${datasource.incremental_field_connector})", "not the API's"),
        ("x.dig", "field: ${datasource.incremental_field_connector}", "not the API's"),
    ],
)
def test_a_file_with_a_field_s_wrong_name_is_refused(path, text, told):
    with pytest.raises(ValueError) as refused:
        check_fields(path, text)
    assert told in str(refused.value)


# An edit of the template: the file, what is replaced by what, and what is told of it.
CONFIG, SQL = "template/ingestion/config/", "template/ingestion/sql/"
LOAD = (
    CONFIG + "klaviyo_{% yield object from chosen_objects() %}{{ object.name }}{% endyield %}_load.yml.jinja"
)
EDITS = [
    (
        SQL + "klaviyo_incremental_window.sql",
        "'.000000'\n  END",
        "'.000Z'\n  END",
        "klaviyo_incremental_window.sql breaks",
    ),
    (SQL + "log_ingestion_start.sql", "INSERT", "-- 2023-09-01T00:00:00.000000Z\nINSERT", START),
    (SQL + "klaviyo_monitoring.sql.jinja", "SELECT", "-- 2023-09-01 00:00\nSELECT", START),
    (
        SQL + "klaviyo_incremental_window.sql",
        "max(TD_TIME_PARSE(${datasource.incremental_field ",
        "max(TD_TIME_PARSE(${datasource.incremental_field_connector ",
        "not the API's",
    ),
    (
        CONFIG + "klaviyo_datasources.yml.jinja",
        "object.inc_field)",
        "object.inc_field_connector)",
        "not updated twice",
    ),
    (CONFIG + "klaviyo_datasources.yml.jinja", "object.hist_field_connector)", "object.hist_field)", "twice"),
    (
        CONFIG + "klaviyo_datasources.yml.jinja",
        '| timestamp }}"\n    workflow_name: klaviyo_ingest_inc',
        '}}Z"\n    workflow_name: klaviyo_ingest_inc',
        START,
    ),
    (LOAD, "incremental_field_connector", "incremental_field", "klaviyo_profiles_load.yml breaks a rule"),
    (
        LOAD,
        "{% if object.sends_field %}",
        "{% if true %}",
        "klaviyo_events_load.yml breaks a rule: events must",
    ),
    ("extensions/klaviyo/catalogue.py", 'inc_field="updated_at", ', "", "not updated twice"),
]


@pytest.mark.parametrize(("path", "old", "new", "told"), EDITS)
def test_a_template_edit_that_breaks_a_rule_is_refused(
    refusal, template, example_answers, tmp_path, path, old, new, told
):
    edit(template / path, old, new)
    line = refusal(template, tmp_path / "new", data=example_answers)
    assert told in line
    assert line.endswith("Nothing was written.")


def test_a_template_edit_that_breaks_a_rule_leaves_an_existing_folder_as_it_was(
    refusal, template, example_answers, tmp_path
):
    (tmp_path / "theirs/ingestion").mkdir(parents=True)
    (tmp_path / "theirs/ingestion/other.dig").write_text("+a:\n  echo>: theirs\n", encoding="utf-8")
    path, old, new, _ = EDITS[0]
    edit(template / path, old, new)
    assert refusal(template, tmp_path / "theirs", data=example_answers, overwrite=True)


def test_a_template_edit_that_breaks_a_rule_is_refused_on_update_too(released, acme):
    path, old, new, _ = EDITS[0]
    edit(released / path, old, new)
    release(released, "2.0.0")
    before = contents(acme)
    ended = copier("update", *DEFAULTS, cwd=acme)
    assert ended.exit_code == 1
    assert "klaviyo_incremental_window.sql breaks a rule" in ended.output
    assert contents(acme) == before
