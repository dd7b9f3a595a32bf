"""Whatever became of the runs before, no version is ever lost, and good runs leave each of them once."""

from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from run_queries import EVENTS, EVENTS_HIST, HIST, PROFILES, unix
from test_copies import Client, field_of, in_records

ENDS = ["good", "good", "good", "killed in a load", "killed before it removes", "a removal fails"]
RUNS = st.lists(
    st.fixed_dictionaries(
        {
            "hours": st.sampled_from([0.5, 1, 5, 24, 40, 200]),
            "backfill": st.booleans(),
            "ids": st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True),
            # Of profiles alone: on which day they changed; events never do.
            "changed": st.integers(1, 3),
            "ends": st.sampled_from(ENDS),
        }
    ),
    min_size=1,
    max_size=6,
)
GOOD = {"hours": 1, "ids": [7], "changed": 3, "ends": "good"}


def versions(td, *tables):
    """How often each version of a record is there, over the tables."""
    counts = Counter()
    for table in tables:
        found = td.rows(f"SELECT id, {field_of(table)} FROM client_src.{table}")
        counts.update(f"{id} {moment}" for id, moment in found)
    return counts


def run(td, at, wanted, mark):
    """A run at a day, with one load of events and one of profiles, which ends as is wanted."""
    events, profiles = (EVENTS_HIST, HIST) if wanted["backfill"] else (EVENTS, PROFILES)
    td.log(None, "STARTED", unix(at), mark=mark)
    td.load(events, *((f"e{id}", id) for id in wanted["ids"]), at=at, start=0.5, mark=mark)
    ends = wanted["ends"] != "killed in a load"
    changed = ((f"p{id}", wanted["changed"]) for id in wanted["ids"])
    td.load(profiles, *changed, at=at, start=0.5, mark=mark, ends=ends)
    if wanted["ends"].startswith("killed"):
        return
    failing = [events] if wanted["ends"] == "a removal fails" else []
    td.clean(at, backfill=wanted["backfill"], mark=mark, failing=failing)
    td.log(None, "ERROR" if failing else "SUCCESS", unix(at) + 300, mark=mark, left="cleaned")


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(wanted=RUNS)
def test_no_version_is_lost_and_good_runs_leave_each_once(example_repo, wanted):
    td = Client(example_repo)
    for table in (EVENTS, EVENTS_HIST, PROFILES, HIST):
        td.rows(f"ALTER TABLE client_src.{table} ADD COLUMN IF NOT EXISTS id VARCHAR")
        td.rows(f"ALTER TABLE client_src.{table} ADD COLUMN IF NOT EXISTS {field_of(table)} VARCHAR")
    at, there = 10, set()
    good = [{**GOOD, "backfill": False}, {**GOOD, "backfill": True}]
    for number, each in enumerate([*wanted, *good]):
        at += each["hours"] / 24
        run(td, at, each, mark=f"run-{number}.1")
        there |= {f"e{id} {in_records(id)}" for id in each["ids"]}
        there |= {f"p{id} {in_records(each['changed'])}" for id in each["ids"]}
        assert versions(td, EVENTS, EVENTS_HIST, PROFILES, HIST).keys() == there
    assert set(versions(td, EVENTS, EVENTS_HIST, PROFILES, HIST).values()) == {1}
    td.databases.close()
