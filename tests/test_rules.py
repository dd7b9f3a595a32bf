"""The rules let through what is right and nothing else, on their own and through Copier."""

import re
from datetime import datetime, timedelta, timezone

import pytest
from commands import DEFAULTS, contents, copier, edit, release
from hypothesis import given
from hypothesis import strategies as st
from klaviyo.errors import BadAnswer
from klaviyo.ingestion_check.fields import Names, wrong_names
from klaviyo.ingestion_check.timestamps import wrong_times
from klaviyo.objects import (
    CATALOGUE,
    KNOWN,
    KlaviyoObject,
    chosen_objects,
    custom_object,
    with_one_name_twice,
)
from klaviyo.start_date import right_time, timestamp

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


def understood(text):
    """What a date or an instant without an offset is in the one form; None for all else."""
    date, mark, time = text.partition("T" if "T" in text else " ")
    if mark:
        zero = (
            r"(\.0+)?Z?" if mark == "T" else r"((\.0+)?Z?|\+00:00)"
        )  # with a blank: YAML's, as Python's text
        time = time[:8] if re.fullmatch(rf"[0-9:]{{8}}{zero}", time) else "?"
    right = f"{date}T{time if mark else '00:00:00'}.000000"
    return right if is_right(right) else None


SHORT = RIGHT.flatmap(lambda text: st.sampled_from([text[:10], text[:19], text[:22], text[:19] + "Z"]))


@given(st.one_of(RIGHT, SHORT, nearly_right(), st.text()))
def test_a_date_or_an_instant_without_an_offset_is_put_into_the_one_form_and_all_else_refused(text):
    if right := understood(text):
        assert timestamp(text) == right
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
    ("data_source", "changed", "created"),
    [
        ("campaigns", {("updated_at", "updated")}, {("created_at", "created")}),
        ("events", {("datetime", "datetime")}, {("datetime", "datetime")}),
        ("profiles", {("updated", "updated")}, {("created", "created")}),
        ("templates", {("updated", "updated")}, {("created", "created")}),
        (
            "flows",
            *[{(table, connector) for table in NAMES for connector in NAMES if table and connector}] * 2,
        ),
    ],
)
def test_only_the_right_names_of_a_field_are_accepted_on_each_side(data_source, changed, created):
    for side, right in enumerate((changed, created)):
        for pair in ((table, connector) for table in NAMES for connector in NAMES if table or connector):
            wrong = list(wrong_names(Names(*pair), KNOWN.names(data_source, backfill=bool(side))))
            assert (wrong == []) == (pair in right), pair


def test_campaigns_with_one_name_twice_are_seen_even_if_the_catalogue_says_so():
    assert with_one_name_twice([KlaviyoObject("campaigns", "campaigns")]) == ["updated", "created"]
    assert with_one_name_twice(CATALOGUE) == []


def test_a_custom_object_without_fields_is_loaded_whole():
    forms = custom_object({"name": "forms", "data_source": "signup_forms"})
    assert (forms.mode, forms.sends_field, forms.created) == ("replace", False, (None, None))
    assert (forms.table, forms.historical_table) == ("klaviyo_forms", "klaviyo_forms_hist")


def test_a_custom_object_goes_by_its_first_field_where_it_has_no_other():
    flows = custom_object({"name": "flows", "inc_field": "changed_at", "inc_field_connector": "changed"})
    assert flows == KlaviyoObject(
        "flows", "flows", Names("changed_at", "changed"), Names("changed_at", "changed")
    )


def test_a_custom_object_s_backfill_goes_by_what_is_known_of_its_data_source():
    names = {"inc_field": "updated_at", "inc_field_connector": "updated"}
    sms = custom_object({"name": "sms", "data_source": "campaigns", **names})
    assert sms.created == ("created_at", "created")


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
    time = wrong_times(f"SELECT 1;\n{text}\n")[0][0]
    assert told in f"{time} must be {right_time(time)}"


def test_a_text_with_right_times_dates_and_versions_is_accepted():
    text = "2023-09-01T00:00:00.000000 || '.000000' since 2023-09-01, at 00:00, 0.10.5.1, 'Zoo', 1.000"
    assert wrong_times(text) == []


START = "2023-09-01T00:00:00.000000"

# An edit of the template: the file, what is replaced by what, and what is told of it.
CONFIG, SQL = "template/ingestion/config/", "template/ingestion/sql/"
LOAD = (
    CONFIG
    + "{{ source }}_{% yield object from chosen_objects() %}{{ object.name }}{% endyield %}_load.yml.jinja"
)
EDITS = [
    (
        SQL + "{{ source }}_windows.sql",
        "(ends, 's!'), ' ', 'T') || '.000000'",
        "(ends, 's!'), ' ', 'T') || '.000Z'",
        ".000Z must give YYYY-MM-DDTHH:MM:SS.000000",
    ),
    (
        SQL + "{{ source }}_log_ingestion_start.sql.jinja",
        "INSERT",
        "-- 2023-09-01T00:00:00.000000Z\nINSERT",
        START,
    ),
    (
        "template/ingestion/query_samples/{{ source }}_monitoring.sql.jinja",
        "SELECT",
        "-- 2023-09-01 00:00\nSELECT",
        START,
    ),
    (
        SQL + "{{ source }}_objects_to_load.sql.jinja",
        "'$.incremental_field'",
        "'$.incremental_field_connector'",
        "must be incremental_field: this is SQL",
    ),
    (
        CONFIG + "{{ source }}_datasources.yml.jinja",
        "object.changed.table)",
        "object.changed.connector)",
        "incremental_field must be updated_at, not updated",
    ),
    (
        CONFIG + "{{ source }}_datasources.yml.jinja",
        "object.created.connector)",
        "object.created.table)",
        "incremental_field_connector must be created, not created_at",
    ),
    (
        CONFIG + "{{ source }}_datasources.yml.jinja",
        '| timestamp }}"\n    workflow_name: {{ source }}_ingest_inc',
        '}}Z"\n    workflow_name: {{ source }}_ingest_inc',
        START,
    ),
    (
        LOAD,
        "incremental_field_connector",
        "incremental_field",
        "incremental_field must be ${datasource.incremental_field_connector}",
    ),
    (
        LOAD,
        "{% if object.sends_field %}",
        "{% if true %}",
        "the connector refuses incremental_field here",
    ),
    ("extensions/klaviyo/objects.py", '"updated_at", "updated"', '"updated", "updated"', "not updated twice"),
]


@pytest.mark.parametrize(("path", "old", "new", "told"), EDITS)
def test_a_template_edit_that_breaks_a_rule_is_refused(
    refusal, template, example_answers, tmp_path, path, old, new, told
):
    edit(template / path, old, new)
    assert told in refusal(template, tmp_path / "new", data=example_answers)


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
    assert ".000Z must give YYYY-MM-DDTHH:MM:SS.000000" in ended.output
    assert contents(acme) == before
