"""The mock TD's connector refuses what the real one refuses, and its account withholds what may be lost.

A workflow's test is worth what the mock refuses; so each refusal is shown here.
"""

from datetime import datetime, timedelta, timezone

import pytest
from mock_td.example_loads import ACCEPTED, EVENTS
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.klaviyo_connector import ConnectorError


class TestConnector:
    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"type": "klavio"}, "Unknown input plugin type"),
            ({"data_source": "flowers"}, "Unknown data_source 'flowers'"),
            ({"td_authentication_id": None}, "td_authentication_id"),
            ({"td_authentication_id": ""}, "td_authentication_id"),
            ({"incremental": "true"}, "'incremental' must be true or false"),
            ({"incremental_field": "updated_at"}, "Invalid incremental_field 'updated_at'"),
            ({"incremental_field": None}, "Invalid incremental_field None"),
            (
                {"data_source": "campaigns", "incremental_field": "updated_at"},
                "Invalid incremental_field 'updated_at'",
            ),
            ({"data_source": "events"}, "incremental_field is not supported for data_source events"),
            ({"start_time": "2023-01-01T00:00:00"}, "Invalid start_time"),
            ({"start_time": "2023-01-01T00:00:00.000000Z"}, "Invalid start_time"),
            ({"start_time": "2023-01-01 00:00:00.000000"}, "Invalid start_time"),
            ({"start_time": "2023-02-30T00:00:00.000000"}, "Invalid start_time"),
            ({"start_time": ""}, "Invalid start_time"),
            ({"start_time": 20230101}, "Invalid start_time"),
            ({"end_time": "2023-01-01T00:00:00.000001"}, "Invalid end_time"),
            ({"start_time": "2024-01-01T00:00:01.000000"}, "is after end_time"),
        ],
    )
    def test_it_refuses(self, account, change, complaint):
        with pytest.raises(ConnectorError, match=complaint):
            account.fetch({**ACCEPTED, **change})

    @pytest.mark.parametrize(
        "change",
        [
            {"incremental_field": None},
            {"incremental_field": "datetime"},
            {"skip_related_objects": None},
            {"skip_related_objects": False},
        ],
    )
    def test_it_refuses_events_with_a_field_or_with_related_objects(self, account, change):
        assert account.fetch(EVENTS)
        with pytest.raises(ConnectorError):
            account.fetch({**EVENTS, **change})

    @pytest.mark.parametrize(
        "data_source", ["profiles", "campaigns", "lists", "templates", "metrics", "flows"]
    )
    def test_it_takes_the_apis_name_of_the_field(self, account, data_source):
        assert account.fetch({**ACCEPTED, "data_source": data_source})

    @pytest.mark.parametrize("missing", [{"start_time": None, "end_time": None}, {"incremental": False}])
    def test_without_a_window_it_loads_everything(self, account, missing):
        assert len(account.fetch({**ACCEPTED, "end_time": "2023-01-02T00:00:00.000000", **missing})) == 20

    @pytest.mark.parametrize(
        ("data_source", "settings", "expected"),
        [
            ("profiles", ACCEPTED, {"between"}),
            ("lists", ACCEPTED, {"between"}),
            ("templates", ACCEPTED, {"at start", "between"}),
            ("events", EVENTS, {"at start", "between"}),
        ],
    )
    def test_what_a_window_takes_of_its_edges(self, data_source, settings, expected):
        account = KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1), size=0)
        for id, when in [
            ("before", "2022-12-31T23:59:59Z"),
            ("at start", "2023-01-01 00:00:00+00:00"),
            ("between", "2023-06-01T00:00:00.000000+02:00"),
            ("at end", "2024-01-01T00:00:00+00:00"),
        ]:
            account.add(data_source, id=id, **{"datetime" if data_source == "events" else "updated": when})
        assert {
            record["id"] for record in account.fetch({**settings, "data_source": data_source})
        } == expected
        account.ends = "inclusive"
        assert {
            record["id"] for record in account.fetch({**settings, "data_source": data_source})
        } == expected | {"at end"}
        account.starts = "inclusive"
        assert {record["id"] for record in account.fetch({**settings, "data_source": data_source})} == {
            "at start",
            "between",
            "at end",
        }
        account.starts, account.ends = "exclusive", "exclusive"
        assert {record["id"] for record in account.fetch({**settings, "data_source": data_source})} == {
            "between"
        }


class TestAccount:
    def test_it_is_the_same_for_the_same_arguments(self, account):
        again = KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1))
        other = KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1), seed=1)
        assert again.records("profiles") == account.records("profiles") != other.records("profiles")

    @pytest.mark.parametrize(
        ("data_source", "column"),
        [("profiles", "updated"), ("events", "datetime"), ("campaigns", "updated_at"), ("flows", "updated")],
    )
    def test_its_newest_time_is_not_its_greatest_text(self, account, data_source, column):
        times = [record[column] for record in account.records(data_source)]
        assert max(times) != max(times, key=datetime.fromisoformat)

    def test_one_that_is_empty_at_first_gets_what_is_added(self):
        account = KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1), empty=["lists"])
        assert (len(account.ids("profiles")), account.ids("lists")) == (20, set())
        added = account.add("lists")
        assert account.ids("lists") == {added}

    def test_a_touched_record_is_one_record_with_a_new_time(self, account):
        id = account.add("campaigns", created_at=datetime(2023, 1, 1))
        account.touch("campaigns", id, datetime(2025, 6, 1, tzinfo=timezone.utc))
        window = {"data_source": "campaigns", "start_time": "2025-06-01T00:00:00.000000", "end_time": None}
        assert [record["id"] for record in account.fetch({**ACCEPTED, **window})] == [id]
        assert len(account.ids("campaigns")) == 21

    def test_a_late_record_is_not_shown_before_its_instant(self, account):
        id = account.add(
            "events",
            datetime=datetime(2023, 6, 1),
            visible_from=datetime.now(timezone.utc) + timedelta(days=5),
        )
        assert id not in account.ids("events")
        account.clock.advance(4 * 86400)
        assert id not in {record["id"] for record in account.fetch(EVENTS)}
        account.clock.advance(86400)
        assert id in account.ids("events")
        assert id in {record["id"] for record in account.fetch(EVENTS)}

    def test_with_births_each_load_begins_with_one_more_record_of_each_object_of_that_instant(self, account):
        account.births = True
        account.clock.advance(3600)
        began = account.now()
        account.fetch(ACCEPTED)
        for data_source in account.time_fields:
            assert len(account.ids(data_source)) == 21
        (newest,) = [each for each in account.records("campaigns") if each["id"] == "campaigns-0021"]
        for column in ("created_at", "updated_at"):
            told = datetime.fromisoformat(newest[column])
            assert timedelta(seconds=-1) < told - began < timedelta(minutes=1)

    def test_with_changes_each_load_begins_with_a_change_of_the_oldest_record_of_each_object(self, account):
        before = {data_source: account.records(data_source) for data_source in account.time_fields}
        account.changes = True
        account.fetch(ACCEPTED)
        for data_source, records in before.items():
            changed = [
                new["id"]
                for old, new in zip(records, account.records(data_source), strict=True)
                if old != new
            ]
            assert changed == ([] if data_source == "events" else [f"{data_source}-0001"])
