"""Whatever was logged before, a run asks for what is missing: against a model that needs no SQL.

Stretches of time are pairs of Unix seconds, the first in it and the first after it.
"""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from run_queries import DAY, EVENTS, EVENTS_HIST, HIST, HOUR, MARKS, OWN, PROFILES, TD, text, unix

# Of each table that is looked at: its days a window, its lookback and its late days.
SETTINGS = {HIST: (30, 0, 0), EVENTS_HIST: (7, 0, 0), PROFILES: (30, 0, 0), EVENTS: (7, 2 * HOUR, 3)}
NOW = unix(200) + 5 * HOUR


@dataclass(order=True)
class Load:
    """One try of a load: of which run, for which stretch, and how it went."""

    run: int  # 0 is the run that asks, 3 one of version 0.1.0, which logged no start
    starts: int
    ends: int
    outcome: str  # SUCCESS, ERROR, or nothing
    hours: int  # that it took
    records: int
    newest: int  # the field of its record


@st.composite
def loads(draw):
    starts = unix(draw(st.integers(-5, 199))) + draw(st.sampled_from([0, 0, 1, HOUR]))
    return Load(
        run=draw(st.integers(0, 3)),
        starts=starts,
        ends=min(starts + draw(st.integers(1, 60)) * DAY + draw(st.sampled_from([0, 0, 1])), NOW),
        outcome=draw(st.sampled_from(["SUCCESS", "SUCCESS", "ERROR", ""])),
        hours=draw(st.sampled_from([0, 1, 7])),
        records=draw(st.integers(0, 1)),
        newest=starts + draw(st.sampled_from([0, 5 * DAY, 500 * DAY])),
    )


def began(run, row=0):
    """When a run began: the one that asks now, one two days ago, one today; of 0.1.0 each row counts alone."""
    return {0: NOW, 1: unix(198), 2: unix(200) + HOUR, 3: row}[run]


def log(td, table, tries):
    """Logs tries, leaves their records in the table; returns (start, end, load) of each."""
    marks = {0: OWN, 1: MARKS["greater"], 2: MARKS["lesser"], 3: ""}
    logged, at = [], {run: began(run, unix(100)) for run in marks}
    for number, load in enumerate(tries):
        start = at[load.run] + 10 + number
        end = at[load.run] = start + load.hours * HOUR + 1
        mark, window = marks[load.run], (load.starts - 1, load.ends)
        td.log(table, "STARTED", start, window=window if mark else (start, None), mark=mark)
        if load.outcome:
            td.log(table, load.outcome, end, window=window, mark=mark, records=load.records)
        if load.outcome == "SUCCESS" and load.records:
            td.databases.load(
                "client_src", table, [{"changed": f"{text(load.newest)[:19]}Z"}], "append", start
            )
        logged.append((start, end, load))
    return logged


def without(stretches, start, end):
    """Stretches less one of them."""
    cut = [part for a, b in stretches for part in ((a, min(b, start)), (max(a, end), b))]
    return [(a, b) for a, b in cut if a < b]


def missing(table, logged, rows, beginning):
    """What the table lacks, by the rules of docs/klaviyo.md; `rows` are those looked at, (time, field) each."""
    days, lookback, late_days = SETTINGS[table]
    oldest = min((time for time, _ in rows), default=None)
    loaded = sorted(
        (end, load, not load.records or oldest is not None and end >= oldest)
        for start, end, load in logged
        if load.outcome == "SUCCESS"
    )
    there = [(end, load) for end, load, is_there in loaded if is_there]
    if table.endswith("_hist"):
        asked = [(beginning, min((began(load.run, start) for start, _, load in logged), default=NOW))]
        for _, load in there:
            asked = without(asked, load.starts, load.ends)
        return asked

    believed = next((is_there for _, load, is_there in reversed(loaded) if load.records), True)
    last_end = loaded[-1][1].ends if loaded and believed else None
    newest = max((field for _, field in rows if field <= NOW), default=None)
    known = [each for each in (newest, last_end) if each is not None]
    quiet = 0 if last_end is None else min(NOW - days * DAY, last_end - DAY)
    watermark = max(min(known), quiet) - lookback if known else beginning
    if watermark >= NOW:
        return []
    asked = [(min(watermark, max(NOW - late_days * DAY, beginning)), NOW)]
    for end, load in there:
        if load.run == 0:
            asked = without(asked, load.starts, load.ends)
        elif began(load.run, end) >= NOW - NOW % DAY:
            asked = without(asked, load.starts, max(load.starts, min(load.ends, watermark)))
    return asked


@settings(
    max_examples=40,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    table=st.sampled_from(list(SETTINGS)),
    tries=st.lists(loads(), max_size=8),
    gone=st.sampled_from([0, 0, unix(150), unix(199), NOW]),
)
def test_a_run_asks_for_what_is_missing_in_windows_that_neither_overlap_nor_are_too_long(
    example_repo, table, tries, gone
):
    td = TD(example_repo)
    try:
        days, lookback, late_days = SETTINGS[table]
        td.change(
            table,
            window_days=days,
            lookback_seconds=lookback,
            late_days=late_days,
            incremental_field="changed",
        )
        td.rows(f"ALTER TABLE client_src.{table} ADD COLUMN changed VARCHAR")
        td.log(None, "STARTED", began(1), mark=MARKS["greater"])
        td.log(None, "STARTED", began(2), mark=MARKS["lesser"])
        logged = log(td, table, [load for load in tries if load.run])
        names = td.list(table, NOW)
        logged += log(td, table, [load for load in tries if not load.run])
        td.rows(f"DELETE FROM client_src.{table} WHERE time < {gone}")
        windows = [(start + 1, end) for start, end in td.ask(table, td.listed[table], **names)]
        rows = td.rows(
            f"SELECT time, TD_TIME_PARSE(changed) FROM client_src.{table} WHERE time >= {td.listed[table]['since']}"
        )
    finally:
        td.databases.close()
    left = missing(table, logged, rows, unix(0))
    for window in windows:
        left = without(left, *window)
    assert all(a >= windows[-1][1] for a, b in left) if td.left and td.left[-1] else left == []
    assert sum(b - a for a, b in windows) == sum(
        b - a for a, b in missing(table, logged, rows, unix(0))
    ) - sum(b - a for a, b in left)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(windows))
    assert all(0 < end - start <= days * DAY + 1 for start, end in windows)
