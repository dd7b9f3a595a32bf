"""Of two runs of one workflow at most one goes on; a run that was killed holds up the next, and says how not."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from ingestion import INC

LISTS = "klaviyo_lists"


@pytest.fixture
def acme(ingest):
    return ingest(objects=["lists"])


def assert_loaded_once(acme):
    assert acme.ids(LISTS) == sorted(acme.account.ids("lists"))


def test_a_run_that_finds_another_under_way_loads_nothing_and_names_it(acme):
    began, second = threading.Event(), []

    def wait_for_the_second(load):
        began.set()
        second[0].result(timeout=240)

    acme.td.on_load(LISTS, wait_for_the_second)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(acme.run, INC)
        second.append(pool.submit(lambda: began.wait(120) and acme.run(INC, session="2026-01-02 00:00:00")))
        first, second = first.result(), second[0].result()
    assert (first.succeeded, second.succeeded) == (True, False)
    mark = acme.log()[0].log_id.split("/")[0]
    assert f"Another run of {INC} is under way" in second.output
    assert mark in second.output
    assert_loaded_once(acme)


def test_two_runs_that_see_each_other_late_do_not_both_go_on(acme):
    acme.td.hold_back("coalesce(nullif('', ''), 'klaviyo') AS source_name", seconds=8, times=2)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(acme.run, INC, session=f"2026-01-0{day} 00:00:00") for day in (1, 2)]
        succeeded = [run.result().succeeded for run in runs]
    assert succeeded != [True, True]
    assert len(acme.loads(LISTS)) <= 1


def test_a_run_that_was_killed_holds_up_the_next_until_it_is_taken_over(acme):
    acme.run(INC, killed_by=acme.td.interrupt(load=1, commits=False))
    refused = acme.run(INC, session="2026-01-02 00:00:00")
    assert not refused.succeeded
    assert "-p take_over=yes" in acme.log(source_name="klaviyo", status="ERROR")[0].error_message
    assert len(acme.loads(LISTS)) == 1
    assert acme.run(INC, session="2026-01-03 00:00:00", params={"take_over": "yes"}).succeeded
    assert_loaded_once(acme)


def test_a_run_that_starts_right_after_another_loads_what_is_new_where_the_clocks_differ(acme):
    acme.td.clock.ahead = 30
    assert acme.run(INC).succeeded
    new = acme.account.add("lists")
    assert acme.run(INC, session="2026-01-02 00:00:00").succeeded
    assert new in acme.ids(LISTS)
