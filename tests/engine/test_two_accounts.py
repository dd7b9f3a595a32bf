"""Two Klaviyo accounts in one project: nothing of the one, klaviyo, is taken for the other's, klaviyo_uk."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import digdag
import pytest
from commands import commit
from copier import run_copy
from ingestion import DATABASE, Ingestion
from mock_td.clock import Clock
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData

HOUR = 3600
# Each account's authentication, and how many records of a kind it has; their ids are the same.
FIRST, UK = "klaviyo", "klaviyo_uk"
AUTHENTICATIONS = {FIRST: 360030, UK: 400000}
SIZES = {FIRST: 20, UK: 7}
ANSWERS = {
    "objects": ["profiles", "lists"],
    "latest_tables": True,
    "freshness_hours": 6,
    "alert_email": "data-team@example.com",
}


class Accounts:
    """What the connector reads: the account whose key the authentication of a load has."""

    def __init__(self, accounts, clock):
        self.accounts, self.clock = accounts, clock

    def fetch(self, settings):
        return self.accounts[settings["td_authentication_id"]].fetch(settings)


@pytest.fixture(scope="module")
def acme(rendered, pristine_template, beginning, tmp_path_factory):
    """The project of both, in whose TD there is nothing yet."""
    repo = shutil.copytree(rendered(ANSWERS).parent, tmp_path_factory.mktemp("client") / "acme")
    commit(repo)
    start = f"{(beginning + timedelta(days=20)).isoformat()}.000000"
    uk = {"account": "uk", "td_authentication_id": str(AUTHENTICATIONS[UK]), "default_start_date": start}
    run_copy(
        str(pristine_template),
        repo,
        data={**ANSWERS, **uk},
        answers_file=".copier-answers.klaviyo_uk.yml",
        defaults=True,
        unsafe=True,
        quiet=True,
    )
    clock, end = Clock(), datetime.now(timezone.utc)
    accounts = {
        AUTHENTICATIONS[source]: KlaviyoAccount(begin, end, size=SIZES[source], clock=clock)
        for source, begin in ((FIRST, beginning), (UK, beginning + timedelta(days=40)))
    }
    with TreasureData(Accounts(accounts, clock), load_seconds=0.5) as td:
        acme = Ingestion(repo / "ingestion", td)
        acme.write_out_the_database()
        acme.try_once()
        yield acme


def side_by_side(acme, workflow):
    """Runs a workflow of both accounts at once; gives each one's run, and the texts of its mails."""

    def run(source):
        with digdag.Mailbox() as mailbox:
            ended = acme.run(f"{source}_{workflow}", mailbox=mailbox)
        return SimpleNamespace(run=ended, mails=[message.get_content() for message in mailbox.messages])

    with ThreadPoolExecutor() as both:
        return dict(zip((FIRST, UK), both.map(run, (FIRST, UK)), strict=True))


@pytest.fixture(scope="module")
def first_runs(acme):
    """Both first runs: the backfill of the first, and of uk, whose lists fail."""
    acme.td.fail_load("klaviyo_uk_lists_hist")
    ended = side_by_side(acme, "ingest_hist")
    acme.td.mend()
    return ended


@pytest.fixture(scope="module")
def later_runs(acme, first_runs):
    return side_by_side(acme, "ingest_inc")


def test_what_fails_in_one_is_told_of_that_one_alone(acme, first_runs):
    assert first_runs[FIRST].run.succeeded, first_runs[FIRST].run.output
    assert not first_runs[UK].run.succeeded
    assert first_runs[FIRST].mails == []
    (mail,) = first_runs[UK].mails
    assert mail.startswith("klaviyo_uk_ingest_hist of Acme Outdoor, account uk failed in the session ")
    assert "klaviyo_uk_ingest_hist failed for: klaviyo_uk_lists_hist\n" in mail.replace("\r\n", "\n")
    assert "source_name LIKE 'klaviyo_uk%'" in mail
    assert [row.source_name for row in acme.log(status="ERROR")] == ["klaviyo_uk_lists_hist", UK]


def test_two_that_run_at_once_do_not_hold_each_other_up(later_runs):
    for source, ended in later_runs.items():
        assert ended.run.succeeded, ended.run.output
        assert ended.mails == [], source


def test_every_row_of_the_log_is_of_the_account_whose_run_wrote_it(acme, later_runs):
    marks = {}
    for row in acme.log():
        source = UK if row.workflow_name.startswith(f"{UK}_") else FIRST
        marks.setdefault(row.log_id.partition("/")[0], set()).add(source)
        assert row.source_name == source or row.source_name.startswith(f"{source}_")
        assert row.table_name is None or row.table_name.startswith(f"{source}_")
        assert source == UK or not (row.table_name or "").startswith(f"{UK}_")
    assert len(marks) == 4
    assert all(len(sources) == 1 for sources in marks.values())


def test_each_table_has_the_records_of_its_own_account(acme, later_runs):
    for job in acme.td.loads:
        source = UK if job.table.startswith(f"{UK}_") else FIRST
        assert job.config["in"]["td_authentication_id"] == AUTHENTICATIONS[source], job.table
    for source, size in SIZES.items():
        assert len(set(acme.ids(f"{source}_profiles_hist"))) == size
        assert len(acme.ids(f"{source}_profiles_latest")) == size


def test_each_window_begins_where_its_own_account_is(acme, later_runs, beginning):
    """A backfill at its own start date, a first incremental run where its own backfill began."""
    for source, start in ((FIRST, beginning), (UK, beginning + timedelta(days=20))):
        assert (
            begins(acme, f"{source}_profiles_hist") == (start - timedelta(seconds=1)).isoformat() + ".000000"
        )
        (began, *_) = acme.log(workflow_name=f"{source}_ingest_hist", status="STARTED", table_name=None)
        cutoff = datetime.fromtimestamp(began.time - 1, timezone.utc).replace(tzinfo=None)
        assert begins(acme, f"{source}_profiles") == f"{cutoff.isoformat()}.000000"


def begins(acme, table):
    """Where the window of the first load into a table begins."""
    return acme.loads(table)[0].window[0]


def test_freshness_of_one_is_not_seen_in_the_other(acme, later_runs):
    acme.td.clock.advance(7 * HOUR)
    # As if the first's incremental run had come again.
    acme.td.rows(
        f"UPDATE {DATABASE}.ingestion_log SET time = time + {7 * HOUR} WHERE workflow_name = '{FIRST}_ingest_inc'"
    )
    ended = side_by_side(acme, "freshness")
    assert ended[FIRST].run.succeeded, ended[FIRST].run.output
    assert not ended[UK].run.succeeded
    (mail,) = ended[UK].mails
    assert "6 hours: klaviyo_uk_profiles (the last" in mail
    assert "klaviyo_lists" not in mail


def test_preflights_of_both_at_once_try_each_its_own(acme, later_runs):
    ended = side_by_side(acme, "preflight")
    for source in SIZES:
        assert ended[source].run.succeeded, ended[source].run.output
        lines = acme.td.rows(
            f"SELECT table_name, status FROM {DATABASE}.{source}_preflight ORDER BY table_name"
        )
        assert lines == [(f"{source}_lists", "OK"), (f"{source}_profiles", "OK")]
    left = acme.td.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%preflight_%'"
    )
    assert left == []
