"""Events that the API shows late, or that are dated ahead, cost no event its load."""

from datetime import timedelta

import pytest
from ingestion import INC

EVENTS = "klaviyo_events"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after incremental runs of three UTC days, without a backfill; `.events` are ids by what they are."""
    acme = ingest(objects=["events"])
    account, clock = acme.account, acme.td.clock
    acme.change_datasource(EVENTS, window_days=50)
    acme.runs = [acme.run(INC)]

    now = account.now()
    acme.events = {"hours late": account.add("events", datetime=now - 1.5 * HOUR)}
    acme.events["dated ahead"] = account.add("events", datetime=now + 16 * HOUR)
    acme.runs.append(acme.run(INC))

    clock.advance(DAY.total_seconds())
    now = account.now()
    acme.events["six days late"] = account.add("events", datetime=now - 6 * DAY)
    acme.events["hidden behind the one ahead"] = account.add("events", datetime=now - 20 * HOUR)
    acme.runs.append(acme.run(INC))
    acme.runs.append(acme.run(INC))
    return acme


def test_every_run_succeeds(acme):
    assert [run.succeeded for run in acme.runs] == [True] * 4


@pytest.mark.parametrize(
    "event", ["hours late", "dated ahead", "six days late", "hidden behind the one ahead"]
)
def test_an_event_is_loaded_although_it_is(acme, event):
    assert acme.events[event] in acme.ids(EVENTS)


def test_without_a_backfill_no_load_asks_for_more_than_its_window(acme):
    hours = [round(load.seconds / 3600) for load in acme.loads(EVENTS)]
    # Where midnight came between the first two runs, the second asks for seven days, too.
    assert hours in ([1200, 720, 2, 168, 10], [1200, 720, 168, 168, 10])


def test_the_late_days_are_asked_for_once_a_day(acme):
    first_of_the_day, second = [load.seconds for load in acme.loads(EVENTS)][-2:]
    assert first_of_the_day >= 7 * 86400 > second


def test_no_run_reads_all_of_the_events(acme):
    assert [job for job in acme.td.full_scans(f"client_src.{EVENTS}") if job in acme.runs[-1].jobs] == []
