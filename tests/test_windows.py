"""The rendered queries, run on the mock TD without Digdag, give the windows that docs/klaviyo.md promises.

Times are days since the beginning of 2024, unless they are Unix seconds.
"""

import json
import re
from datetime import datetime, timezone
from itertools import pairwise

import pytest
from commands import TEMPLATE
from ingestion import jobs_of, tasks_of
from klaviyo.objects import CATALOGUE
from run_queries import DAY, EVENTS, EVENTS_HIST, HIST, HOUR, MARKS, OWN, PROFILES, TD, text, unix


@pytest.fixture
def td(example_repo, databases):
    td = TD(example_repo, databases)
    yield td
    td.databases.close()


def assert_covers(windows, start, end, longest):
    """That windows, asked for from a second before their start, leave out no second and none is too long."""
    assert windows[0][0] == start - 1
    assert windows[-1][1] == end
    assert all(later[0] == earlier[1] - 1 for earlier, later in pairwise(windows))
    assert max(end - start for start, end in windows) <= longest + 1


def test_a_first_backfill_goes_from_the_default_start_to_when_the_run_began(td):
    windows = td.windows(HIST, unix(200), began=unix(199.5))
    assert_covers(windows, unix(0), unix(199.5), 90 * DAY)
    assert len(windows) == 3
    assert td.left == [2, 1, 0]


def test_a_backfill_of_a_year_costs_and_loses_what_the_readme_says(td):
    """Of a table with several windows it removes copies; what jobs_of counts is the engine's: test_task_limit.py."""
    windows = {}
    for known in CATALOGUE:
        if known.historical_table not in (HIST, EVENTS_HIST):
            td.databases.create_table("client_src", known.historical_table)
        windows[known.name] = td.windows(known.historical_table, unix(366))
    loads = sum(map(len, windows.values()))
    several = [name for name, each in windows.items() if len(each) > 1]
    lost = (windows["profiles"][1][1] - windows["profiles"][1][0]) // DAY
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    jobs = jobs_of(objects=len(windows), windows=loads, removals=len(several))
    assert re.search(rf"a backfill of one year, .*\| {jobs} jobs, {loads} loads;", readme)
    assert re.search(rf"a backfill of a year that fails .*\| {lost} days \|", readme)


def test_a_complete_backfill_asks_for_nothing(td):
    td.log(None, "STARTED", unix(100))
    td.loaded(HIST, unix(0) - 1, unix(100), at=unix(100.1))
    assert td.windows(HIST, unix(200)) == []


def test_a_cutoff_is_when_the_run_began_that_first_started_the_table(td):
    td.log(None, "STARTED", unix(100))
    td.log(HIST, "STARTED", unix(100.5), window=(unix(0), unix(90)))
    assert td.windows(HIST, unix(200))[-1][1] == unix(100)
    assert td.windows(PROFILES, unix(200)) == [(unix(100) - 1, unix(190)), (unix(190) - 1, unix(200))]


def test_what_a_backfill_lacks_in_its_middle_is_asked_for_and_nothing_else(td):
    td.log(None, "STARTED", unix(100))
    td.loaded(HIST, unix(0) - 1, unix(40), at=unix(100.1))
    td.loaded(HIST, unix(60) - 1, unix(100), at=unix(100.2))
    assert td.windows(HIST, unix(200)) == [(unix(40) - 1, unix(60))]


def test_an_earlier_default_start_asks_for_what_lies_before_and_a_later_one_for_nothing(td):
    td.log(None, "STARTED", unix(100))
    td.loaded(HIST, unix(0) - 1, unix(100), at=unix(100.1))
    td.change(HIST, default_start_time=text(unix(-10)))
    assert td.windows(HIST, unix(200)) == [(unix(-10) - 1, unix(0))]
    td.change(HIST, default_start_time=text(unix(10)))
    assert td.windows(HIST, unix(201)) == []


def test_windows_that_lie_before_a_later_default_start_make_no_gap(td):
    td.log(None, "STARTED", unix(100))
    for start in (0, 20, 40, 60, 80):
        td.loaded(HIST, unix(start) - 1, unix(start + 20), at=unix(100.1) + start)
    td.change(HIST, default_start_time=text(unix(70)))
    assert td.windows(HIST, unix(200)) == []


@pytest.mark.parametrize(
    ("other", "found", "gives_way"),
    [("greater", True, "no"), ("lesser", True, "yes"), ("same session", False, "no")],
)
def test_the_greater_mark_gives_way_to_another_run_that_has_no_end(td, other, found, gives_way):
    assert td.concurrent_run(other, unix(10)) == (found, gives_way)


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR"])
def test_a_run_that_has_ended_is_not_under_way(td, status):
    td.log(None, status, unix(9.9), mark=MARKS["lesser"])
    assert td.concurrent_run("lesser", unix(10)) == (False, "no")


@pytest.mark.parametrize(("hours", "found"), [(24.9, True), (25.1, False)])
def test_a_run_that_died_counts_until_its_newest_row_is_25_hours_old(td, hours, found):
    td.log(PROFILES, "STARTED", unix(10) - hours * HOUR, mark=MARKS["lesser"])
    assert td.concurrent_run("lesser", unix(10), began=unix(8))[0] == found


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([(None, "STARTED"), (PROFILES, "STARTED")], False),
        ([(None, "STARTED"), (None, "SUCCESS")], False),
        ([(None, "STARTED"), (None, "ERROR")], True),
    ],
    ids=["it loads", "it had nothing to load", "it gave way"],
)
def test_a_run_that_died_counts_until_a_later_one_goes_on(td, rows, found):
    for table, status in rows:
        td.log(table, status, unix(9.9), mark="11111111-aaaa.6")
    assert td.concurrent_run("lesser", unix(10), began=unix(9.8))[0] == found


def test_a_run_that_logs_on_after_a_later_one_began_is_under_way(td):
    td.log(PROFILES, "STARTED", unix(9.9), mark="33333333-cccc.1")
    td.log(None, "SUCCESS", unix(9.91), mark="33333333-cccc.1")
    td.log(PROFILES, "STARTED", unix(9.95), mark=MARKS["lesser"])
    assert td.concurrent_run("lesser", unix(10), began=unix(9.8)) == (True, "yes")


def test_a_run_that_takes_over_looks_for_no_other(td):
    assert td.concurrent_run("lesser", unix(10), take_over="yes") == (False, "no")
    td.rows("DELETE FROM client_src.ingestion_log")
    assert td.concurrent_run("lesser", unix(10), take_over="no") == (True, "yes")


def test_a_run_of_another_workflow_is_no_concurrent_run(td):
    td.log(HIST, "STARTED", unix(9), mark="00000000-cccc.1")
    assert td.concurrent_run("same session", unix(10)) == (False, "no")


def test_a_run_that_cannot_see_its_own_start_has_to_look_again(td):
    ((told, gives_way),) = td.query("klaviyo_concurrent_run.sql", workflow_name="w")
    assert "cannot be seen" in told
    assert gives_way == "no"


def test_a_load_whose_rows_are_gone_does_not_count_and_one_without_records_does(td):
    td.log(None, "STARTED", unix(100))
    td.loaded(HIST, unix(0) - 1, unix(40), at=unix(100.1), records=0)
    td.loaded(HIST, unix(40) - 1, unix(70), at=unix(100.2))
    td.loaded(HIST, unix(70) - 1, unix(100), at=unix(100.3))
    td.rows(f"DELETE FROM client_src.{HIST} WHERE time < {unix(100.3)}")
    assert td.windows(HIST, unix(200)) == [(unix(40) - 1, unix(70))]
    td.rows(f"DELETE FROM client_src.{HIST}")
    assert td.windows(HIST, unix(200)) == [(unix(40) - 1, unix(100))]


def test_the_old_log_of_a_dropped_table_is_not_believed_once_a_first_window_is_loaded_again(td):
    td.log(None, "STARTED", unix(100))
    td.loaded(HIST, unix(0) - 1, unix(100), at=unix(100.1))
    td.rows(f"DELETE FROM client_src.{HIST}")
    td.loaded(HIST, unix(0) - 1, unix(20), at=unix(120), mark="33333333-cccc.1")
    assert td.windows(HIST, unix(200)) == [(unix(20) - 1, unix(100))]


@pytest.mark.parametrize(("days", "window_days"), [(10, 10), (7, 30), (61, 90)])
def test_seconds_between_the_windows_of_version_0_1_0_are_asked_for_once(td, days, window_days):
    td.change(HIST, window_days=window_days)
    for number in range(4):
        start, end = unix(number * days), unix((number + 1) * days)
        td.loaded(HIST, start, end, at=unix(300) + number, mark="")
    cutoff = unix(300)  # of 0.1.0's first STARTED row
    windows = td.windows(HIST, unix(400))
    edges = [unix(number * days) for number in range(4)]
    assert windows[:4] == [(edge - 1, edge + 1) for edge in edges]
    assert_covers(windows[4:], unix(4 * days), cutoff, window_days * DAY)
    for number, (start, end) in enumerate(windows):
        td.loaded(HIST, start, end, at=unix(400) + 10 * number, mark=OWN)
    assert td.ask(HIST, td.listed[HIST]) == []


def test_a_window_that_failed_after_more_than_six_hours_is_halved_and_others_are_not(td):
    td.change(HIST, window_days=40)
    td.log(None, "STARTED", unix(160))
    td.log(HIST, "STARTED", unix(161), window=(unix(40) - 1, unix(80)))
    td.log(HIST, "ERROR", unix(161) + 7 * HOUR)
    days = [(end - start - 1) / DAY for start, end in td.windows(HIST, unix(200))]
    assert days == [40, 20, 20, 40, 40]


def test_a_window_of_an_odd_number_of_seconds_is_halved_into_two(td):
    td.change(HIST, window_days=40)
    td.log(None, "STARTED", unix(80) + 1)
    td.log(HIST, "STARTED", unix(81), window=(unix(40) - 1, unix(80) + 1))
    td.log(HIST, "ERROR", unix(81) + 7 * HOUR)
    assert [end for _, end in td.windows(HIST, unix(200))] == [unix(40), unix(60) + 1, unix(80) + 1]


def test_a_window_is_halved_again_down_to_an_hour_in_the_run_itself(td):
    td.change(HIST, window_days=1)
    td.change(HIST, default_start_time=text(unix(0)))
    td.log(None, "STARTED", unix(0.25), mark=OWN)
    windows, lengths = td.windows(HIST, unix(0.25)), []
    for _ in range(5):
        lengths.append((windows[0][1] - windows[0][0] - 1) / HOUR)
        td.log(HIST, "STARTED", td.clock.now(), window=windows[0], mark=OWN)
        td.clock.advance(7 * HOUR)
        windows = td.ask(HIST, td.listed[HIST])
    assert lengths == [6, 3, 1.5, 1, 1]


@pytest.mark.parametrize("hours", [0.01, 5.9])
def test_an_ordinary_failure_changes_no_window(td, hours):
    td.change(HIST, window_days=40)
    td.log(None, "STARTED", unix(80))
    td.log(HIST, "STARTED", unix(81), window=(unix(0) - 1, unix(40)))
    td.log(HIST, "ERROR", unix(81) + hours * HOUR)
    assert td.windows(HIST, unix(200)) == [(unix(0) - 1, unix(40)), (unix(40) - 1, unix(80))]


def test_a_window_whose_run_was_killed_a_day_later_is_halved(td):
    td.log(None, "STARTED", unix(80))
    td.log(HIST, "STARTED", unix(81), window=(unix(0) - 1, unix(80)))
    assert td.windows(HIST, unix(81.5)) == [(unix(0) - 1, unix(80))]
    assert td.windows(HIST, unix(83), began=unix(83)) == [
        (unix(0) - 1, unix(80))
    ]  # the run that looked first
    td.rows(f"DELETE FROM client_src.ingestion_log WHERE log_id LIKE '{OWN}%'")
    assert td.windows(HIST, unix(83)) == [(unix(0) - 1, unix(40)), (unix(40) - 1, unix(80))]


def test_ten_years_of_seven_days_are_asked_for_in_attempts_that_stay_below_a_thousand_tasks(td):
    for table in (HIST, EVENTS_HIST):
        td.change(table, window_days=7)
    windows = {table: td.windows(table, unix(3650)) for table in (HIST, EVENTS_HIST)}
    most = td.listed[HIST]["most_windows"]
    assert [len(each) for each in windows.values()] == [most, most]
    assert (td.left[0], td.left[-1]) == (521, 522 - most)
    # Each of six objects that fails three times lists its windows anew, a quarter of them each time.
    listed = 2 * (most + most // 4 + most // 16) + 4 * 3
    assert tasks_of(objects=6 * 3, windows=listed) < 900
    assert tasks_of(objects=6, windows=2 * most + 4) > 300  # and few attempts are needed
    assert 522 / most <= 16


def test_a_stretch_of_more_than_ten_thousand_windows_is_begun_and_counted(td):
    beginning = -29 * 365  # of 2024, in days
    td.change(EVENTS_HIST, window_days=1, default_start_time=text(unix(beginning)))
    windows = td.windows(EVENTS_HIST, unix(0))
    assert windows[0] == (unix(beginning) - 1, unix(beginning + 1))
    assert len(windows) == td.listed[EVENTS_HIST]["most_windows"]
    assert td.left[0] == 29 * 365 - 1 > 10_000


def test_the_example_in_the_query_is_true(td):
    td.change(HIST, window_days=90, default_start_time="2023-01-01T00:00:00.000000")
    january, april, may, june, july = (
        int(datetime(2023, *day, tzinfo=timezone.utc).timestamp())
        for day in ((1, 1), (4, 1), (5, 16), (6, 30), (7, 1))
    )
    td.log(None, "STARTED", july)
    td.loaded(HIST, january - 1, april, at=july + HOUR)
    td.log(HIST, "STARTED", july + 2 * HOUR, window=(april - 1, june))
    td.log(HIST, "ERROR", july + 9 * HOUR)
    assert td.windows(HIST, july + DAY) == [(april - 1, may), (may - 1, june), (june - 1, july)]


def test_after_each_failed_try_a_quarter_of_the_windows_is_asked_for(td):
    td.change(HIST, window_days=1)
    many = len(td.windows(HIST, unix(3650)))
    td.log(HIST, "STARTED", unix(3650.1), window=(unix(0) - 1, unix(1)), mark=OWN)
    assert len(td.ask(HIST, td.listed[HIST])) == many // 4


def test_without_anything_an_incremental_run_goes_in_windows_from_the_default_start(td):
    assert_covers(td.windows(PROFILES, unix(400)), unix(0), unix(400), 90 * DAY)


def test_an_incremental_entry_without_window_days_has_those_of_its_backfill(td):
    for entry in td.lists["inc_datasources"]:
        entry.pop("window_days")
    td.change(HIST, window_days=7)
    assert_covers(td.windows(PROFILES, unix(20)), unix(0), unix(20), 7 * DAY)


def test_an_object_without_window_days_is_asked_for_at_once(td):
    td.databases.create_table("client_src", "klaviyo_lists")
    assert td.windows("klaviyo_lists", unix(3650)) == [(unix(0) - 1, unix(3650))]


def test_the_watermark_is_the_newest_record_where_the_last_window_ended_later(td):
    td.loaded(PROFILES, unix(100) - 1, unix(101), times=[unix(100.2), unix(100.7)])
    assert td.windows(PROFILES, unix(101.5)) == [(unix(100.7) - 1, unix(101.5))]


def test_the_watermark_is_the_end_of_the_last_window_where_a_record_is_dated_after_it(td):
    td.loaded(PROFILES, unix(100) - 1, unix(101), times=[unix(100.2), unix(101.6)])
    assert td.windows(PROFILES, unix(101.5)) == [(unix(100.2) - 1, unix(101.5))]  # still in the future
    td.rows(f"DELETE FROM client_src.ingestion_log WHERE log_id LIKE '{OWN}%'")
    assert td.windows(PROFILES, unix(102)) == [(unix(101) - 1, unix(102))]


def test_without_a_log_the_newest_record_counts_alone(td):
    td.rows(f"INSERT INTO client_src.{PROFILES} (time, updated) VALUES (1, '2024-01-11 00:00:00+00:00')")
    assert td.windows(PROFILES, unix(20)) == [(unix(10) - 1, unix(20))]


def test_without_a_record_the_log_counts_alone(td):
    td.loaded(PROFILES, unix(0) - 1, unix(30), records=0)
    assert td.windows(PROFILES, unix(40)) == [(unix(30) - 1, unix(40))]


def test_the_newest_record_counts_by_time_and_not_by_text(td):
    for time in (
        "2024-01-05T12:00:00+00:00",
        "2024-01-05 13:00:00+00:00",
        "2024-01-05T14:30:00+02:00",
        "soon",
    ):
        td.rows(f"INSERT INTO client_src.{PROFILES} (time, updated) VALUES (1, '{time}')")
    assert td.windows(PROFILES, unix(5)) == [(unix(4) + 13 * HOUR - 1, unix(5))]


def test_a_quiet_account_asks_for_no_more_than_one_window_a_run(td):
    td.loaded(PROFILES, unix(0) - 1, unix(1), times=[unix(0.5)])
    td.loaded(PROFILES, unix(400) - 1, unix(500), records=0)
    assert td.windows(PROFILES, unix(500) + HOUR) == [(unix(410) + HOUR - 1, unix(500) + HOUR)]


def test_after_a_pause_a_run_goes_on_from_the_last_window_in_windows(td):
    td.loaded(PROFILES, unix(0) - 1, unix(10), times=[unix(9.9)])
    assert_covers(td.windows(PROFILES, unix(300)), unix(9.9), unix(300), 90 * DAY)
    td.loaded(PROFILES, unix(10) - 1, unix(200), records=0, mark="33333333-cccc.1")
    windows = td.windows(PROFILES, unix(300))
    assert_covers(windows, unix(199), unix(300), 90 * DAY)


def test_a_log_is_not_believed_where_the_rows_of_its_newest_load_are_gone(td):
    td.log(None, "STARTED", unix(50), mark="44444444-dddd.1")
    td.log(HIST, "STARTED", unix(50), mark="44444444-dddd.1", window=(unix(0), unix(50)))
    td.loaded(PROFILES, unix(50) - 1, unix(60))
    td.loaded(PROFILES, unix(60) - 1, unix(70), records=0)
    td.rows(f"DELETE FROM client_src.{PROFILES}")
    assert td.windows(PROFILES, unix(80)) == [(unix(50) - 1, unix(80))]


def test_a_dropped_incremental_table_is_asked_for_from_the_start_of_its_first_load(td):
    """What the backfill loaded of it may have been removed as a copy, so the cutoff is too late."""
    td.log(None, "STARTED", unix(100))
    td.log(EVENTS_HIST, "STARTED", unix(100.5), window=(unix(0), unix(90)))
    td.loaded(EVENTS, unix(93) - 1, unix(99), at=unix(100.9), records=0)
    td.loaded(EVENTS, unix(94) - 1, unix(101), at=unix(101))
    td.rows(f"DELETE FROM client_src.{EVENTS}")
    assert td.windows(EVENTS, unix(102))[0] == (unix(94) - 1, unix(102))


def test_the_old_log_of_a_dropped_incremental_table_is_not_believed_after_one_window_either(td):
    td.loaded(PROFILES, unix(0) - 1, unix(400))
    td.rows(f"DELETE FROM client_src.{PROFILES}")
    td.loaded(PROFILES, unix(0) - 1, unix(90), at=unix(401), times=[unix(89)], mark="33333333-cccc.1")
    assert td.windows(PROFILES, unix(402))[0] == (unix(89) - 1, unix(179))


def test_a_load_that_was_not_logged_makes_no_log_believed_again(td):
    td.loaded(PROFILES, unix(0) - 1, unix(400), at=unix(400))
    td.rows(f"DELETE FROM client_src.{PROFILES}")
    td.rows(
        f"INSERT INTO client_src.{PROFILES} (time, updated) VALUES ({unix(401)}, '{text(unix(89))[:19]}Z')"
    )
    assert td.windows(PROFILES, unix(402))[0] == (unix(89) - 1, unix(179))


def test_events_overlap_by_the_lookback_and_once_a_day_by_the_late_days(td):
    td.log(None, "STARTED", unix(100.01))
    td.loaded(EVENTS, unix(50) - 1, unix(100.01), times=[unix(100)])
    assert td.windows(EVENTS, unix(101.04)) == [(unix(101.04) - 7 * DAY - 1, unix(101.04))]


@pytest.mark.parametrize(("days_late", "is_asked_for"), [(6, True), (9, False)])
def test_an_event_is_asked_for_again_if_it_is_no_later_than_the_late_days(td, days_late, is_asked_for):
    """It comes on day 100, dated before; runs are daily, and each brought an event of its day."""
    asked = []
    for day in range(100, 103):
        td.rows(f"DELETE FROM client_src.ingestion_log WHERE log_id LIKE '{OWN}%'")
        mark = f"33333333-cccc.{day}"
        td.log(None, "STARTED", unix(day - 1), mark=mark)
        td.loaded(EVENTS, unix(day - 2), unix(day - 1), mark=mark, times=[unix(day - 1) - HOUR])
        asked += td.windows(EVENTS, unix(day))
    assert any(start < unix(100 - days_late) < end for start, end in asked) == is_asked_for


def test_what_was_asked_for_today_is_not_asked_for_again_but_for_the_lookback(td):
    td.log(None, "STARTED", unix(100.01))
    td.loaded(EVENTS, unix(90) - 1, unix(100.01), times=[unix(100)])
    assert td.windows(EVENTS, unix(100.05)) == [(unix(100) - 2 * HOUR - 1, unix(100.05))]


def test_what_was_loaded_today_of_before_the_late_days_is_not_asked_for_again(td):
    td.log(None, "STARTED", unix(100.01))
    td.loaded(EVENTS, unix(50) - 1, unix(80), at=unix(100.02), times=[unix(79)])
    td.loaded(EVENTS, unix(80) - 1, unix(100.01), at=unix(100.03), times=[unix(100)])
    assert td.windows(EVENTS, unix(100.05)) == [(unix(100) - 2 * HOUR - 1, unix(100.05))]


def test_late_days_that_a_run_of_today_loaded_in_part_are_asked_for_again_in_the_other_part(td):
    td.log(None, "STARTED", unix(99.5), mark="33333333-cccc.1")
    td.loaded(EVENTS, unix(90) - 1, unix(99.5), times=[unix(99.4)], mark="33333333-cccc.1")
    td.log(None, "STARTED", unix(100.01))
    td.loaded(EVENTS, unix(93.01) - 1, unix(95), at=unix(100.02), records=0)
    assert td.windows(EVENTS, unix(100.05)) == [(unix(95) - 2 * HOUR - 1, unix(100.05))]


def test_a_run_that_began_yesterday_does_not_count_as_today_s(td):
    td.log(None, "STARTED", unix(99.99))
    td.loaded(EVENTS, unix(90) - 1, unix(99.99), at=unix(100.01), times=[unix(99.98)])
    assert td.windows(EVENTS, unix(100.05))[0][0] == unix(100.05) - 7 * DAY - 1


def test_zero_late_days_ask_for_nothing_again(td):
    td.change(EVENTS, late_days=0)
    td.loaded(EVENTS, unix(50) - 1, unix(100), times=[unix(99.9)])
    assert td.windows(EVENTS, unix(101)) == [(unix(99.9) - 2 * HOUR - 1, unix(101))]


def test_late_days_do_not_reach_before_the_default_start(td):
    td.change(EVENTS, default_start_time=text(unix(98)))
    td.loaded(EVENTS, unix(98) - 1, unix(100), times=[unix(99.9)])
    assert td.windows(EVENTS, unix(101)) == [(unix(98) - 1, unix(101))]


def test_a_run_does_not_ask_again_for_what_it_loaded_itself(td):
    windows = td.windows(EVENTS, unix(200))
    td.loaded(EVENTS, *windows[0], at=unix(200.01), mark=OWN, times=[unix(80)])
    assert td.ask(EVENTS, td.listed[EVENTS]) == windows[1:]


@pytest.mark.parametrize("blank", ["", None, "2023-09-31T00:00:00.000000"])
@pytest.mark.parametrize("table", [PROFILES, HIST])
def test_a_default_start_that_is_no_time_gives_no_window(td, table, blank):
    td.change(table, default_start_time=blank)
    assert td.windows(table, unix(10)) is None


@pytest.mark.parametrize("table", [PROFILES, HIST])
@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_run_whose_start_cannot_be_seen_gives_no_window_whatever_else_is_logged(td, table, mode):
    td.log(None, "STARTED", unix(5))
    td.loaded(table, unix(0) - 1, unix(5))
    td.log(table, "STARTED", unix(6), window=(unix(5), unix(6)))
    td.log(table, "ERROR", unix(6) + 7 * HOUR)
    td.change(table, mode=mode)
    td.list(table, unix(10))
    assert td.ask(table, td.listed[table], mark="of.nobody") is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("BIGINT", unix(10)),
        ("BIGINT", unix(10) * 1000),
        ("DOUBLE", unix(10) + 0.6),
        ("TIMESTAMP", "'2024-01-11'"),
        ("TIMESTAMP", "'2024-01-11 00:00:00.6'"),
    ],
)
def test_a_field_that_is_no_text_is_read_for_what_it_is(td, kind, value):
    td.rows(f"ALTER TABLE client_src.{PROFILES} DROP COLUMN updated")
    td.rows(f"ALTER TABLE client_src.{PROFILES} ADD COLUMN updated {kind}")
    td.rows(f"INSERT INTO client_src.{PROFILES} (time, updated) VALUES (1, {value})")
    assert td.windows(PROFILES, unix(20)) == [(unix(10) - 1, unix(20))]


def test_a_table_without_the_field_is_read_as_empty(td):
    td.rows(f"ALTER TABLE client_src.{PROFILES} DROP COLUMN updated")
    td.rows(f"INSERT INTO client_src.{PROFILES} (time) VALUES (1)")
    assert td.windows(PROFILES, unix(20)) == [(unix(0) - 1, unix(20))]


def test_a_full_load_has_one_window_without_a_start_and_a_backfill_of_it_is_not_repeated(td):
    full = {"mode": "replace", "incremental_field": None, "window_days": None}
    td.change(PROFILES, **full)
    td.change(HIST, **full)
    assert td.windows(PROFILES, unix(10)) == [(None, unix(10))]
    assert td.windows(HIST, unix(10)) == [(None, unix(10))]
    td.log(HIST, "SUCCESS", unix(9), window=(None, unix(9)), records=0)
    assert td.windows(HIST, unix(10)) == []


def test_metrics_that_become_a_full_load_are_replaced_by_each_run_and_their_finished_backfill_is_not(td):
    for table in (PROFILES, HIST):
        td.log(None, "STARTED", unix(9), mark="33333333-cccc.1")
        td.loaded(table, unix(0) - 1, unix(9), at=unix(9.5), mark="33333333-cccc.1")
        td.change(table, mode="replace", incremental_field=None, window_days=None)
    for hours in (12.5, 48):  # on the same day, and another
        td.rows(f"DELETE FROM client_src.ingestion_log WHERE log_id LIKE '{OWN}%'")
        assert td.windows(PROFILES, unix(9) + hours * HOUR) == [(None, unix(9) + hours * HOUR)]
        assert td.windows(HIST, unix(9) + hours * HOUR) == []
    td.rows(f"DELETE FROM client_src.{HIST}")
    assert td.windows(HIST, unix(11)) == [(None, unix(9))]


FIVE_DAYS = (unix(0) - 1, unix(5))


def listed(td):
    """The backfills that a pass of the run would load, in their order."""
    td.list(HIST, unix(10))
    return list(td.listed)


def tried(td, table, *, times=1, seconds=60, window=FIVE_DAYS):
    """So many tries of a table in this run, each of which failed after so long; then its ERROR row."""
    at = unix(10)
    for _ in range(times):
        td.log(table, "STARTED", at, window=window, mark=OWN)
        at += seconds
    td.log(table, "ERROR", at, mark=OWN)


def test_an_object_with_a_row_of_this_run_is_not_listed_again(td):
    td.list(HIST, unix(10))
    td.loaded(EVENTS_HIST, unix(0) - 1, unix(10), mark=OWN)
    assert EVENTS_HIST not in listed(td)
    assert HIST in listed(td)


@pytest.mark.parametrize(("times", "seconds", "again"), [(3, 60, False), (2, 60, True), (3, 7 * HOUR, True)])
def test_an_object_that_failed_is_listed_again_last_where_another_try_is_worth_it(td, times, seconds, again):
    td.list(HIST, unix(10))
    tried(td, HIST, times=times, seconds=seconds)
    assert ((HIST in listed(td)), listed(td)[-1] == HIST) == (again, again)


@pytest.mark.parametrize(("failed", "loaded", "begun"), [(11, 0, True), (12, 0, False), (12, 1, True)])
def test_where_all_of_a_dozen_fail_no_other_is_begun(td, failed, loaded, begun):
    (model,) = (entry for entry in td.lists["hist_datasources"] if entry["table_name"] == HIST)
    more = [f"klaviyo_more_{number}_hist" for number in range(failed + loaded)]
    td.lists["hist_datasources"] += [{**model, "table_name": table} for table in more]
    td.list(HIST, unix(10))
    for table in more[:failed]:
        tried(td, table, times=3, seconds=60)
    for table in more[failed:]:
        td.log(table, "STARTED", unix(10), mark=OWN)
        td.log(table, "SUCCESS", unix(10) + 5, mark=OWN)
    assert (HIST in listed(td)) == begun


@pytest.mark.parametrize(
    ("failed", "fine", "tried"), [(0, 0, True), (11, 0, True), (12, 0, False), (12, 1, True)]
)
def test_nor_is_it_tried_by_a_preflight(td, failed, fine, tried):
    td.query("klaviyo_preflight_create_table.sql")
    lines = [
        f"('{OWN}', 'klaviyo_more_{n}', '{'ERROR' if n < failed else 'OK'}', '', 1)"
        for n in range(failed + fine)
    ]
    if lines:
        td.rows(f"INSERT INTO client_src.klaviyo_preflight VALUES {', '.join(lines)}")
    ((listed,),) = td.query(
        "klaviyo_preflight_objects_to_try.sql", datasources=json.dumps(td.lists["inc_datasources"])
    )
    assert [each["object"] for each in json.loads(listed)] == [known.name for known in CATALOGUE if tried]


def test_an_hour_that_takes_too_long_is_not_tried_for_ever(td):
    td.list(HIST, unix(10))
    tried(td, HIST, times=3, seconds=7 * HOUR, window=(unix(0) - 1, unix(0) + HOUR))
    assert HIST not in listed(td)


def test_a_name_with_a_quote_comes_through_the_list(td):
    td.change(HIST, name="it's")
    td.windows(HIST, unix(10))
    assert td.listed[HIST]["name"] == "it's"


def result(td):
    """Outcome, failed tables and tables with windows left of the run."""
    ((outcome, failed, unfinished),) = td.query("klaviyo_run_result.sql")
    return outcome, failed, unfinished


def test_a_run_in_which_nothing_was_missing_succeeded(td):
    td.log(None, "STARTED", unix(10), mark=OWN)
    assert result(td) == ("success", "", "")


def test_a_run_failed_for_each_table_whose_last_row_is_no_success(td):
    td.log(None, "STARTED", unix(10), mark=OWN)
    td.loaded(HIST, unix(0) - 1, unix(5), at=unix(10.1), mark=OWN)
    td.log(HIST, "STARTED", unix(10.2), mark=OWN)
    td.log(EVENTS_HIST, "STARTED", unix(10.1), mark=OWN)
    td.log(EVENTS_HIST, "ERROR", unix(10.2), mark=OWN)
    td.loaded(EVENTS, unix(0) - 1, unix(5), at=unix(10.1), mark=OWN, left=3)
    assert result(td) == ("error", f"{EVENTS_HIST}, {HIST}", EVENTS)


def test_a_resumed_attempt_which_sees_nothing_of_what_was_before_does_not_succeed(td):
    td.loaded(HIST, unix(0) - 1, unix(5), mark=OWN)
    outcome, failed, _ = result(td)
    assert outcome == "error"
    assert "start the workflow again" in failed
