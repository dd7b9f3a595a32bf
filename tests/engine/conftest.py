"""Share a Digdag, and the rendered ingestion ready to be run on it."""

import json
import shutil
import signal
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

import digdag
import pytest
from ingestion import Ingestion
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData


def pytest_configure():
    # Told to end, the tests end as with Ctrl-C, and take their Digdags along, which would poll for ever.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if shutil.which("digdag") is None:
        raise pytest.UsageError(digdag.MISSING)


def pytest_collection_modifyitems(items):
    # What takes longest, if only as it waits, begins first: at the end, it would run alone.
    longest = (
        "test_alert",
        "test_backfill",
        "test_latest",
        "test_long_history",
        "test_runs_that_meet",
        "test_server",
    )
    items.sort(key=lambda item: item.path.stem not in longest)


@pytest.fixture(scope="session")
def beginning():
    """Where every account and every backfill starts: short enough ago for one window to hold it all."""
    return (datetime.now(timezone.utc) - timedelta(days=80)).replace(tzinfo=None, microsecond=0)


@pytest.fixture(scope="session")
def rendered(copie_session, example_answers, beginning):
    """Renders the example answers, changed by those given, once; returns the ingestion folder."""
    folders = {}

    def folder(answers):
        key = json.dumps(answers, sort_keys=True)
        if key not in folders:
            start = {"default_start_date": f"{beginning.isoformat()}.000000"}
            result = copie_session.copy(extra_answers={**example_answers, **start, **answers})
            assert result.exit_code == 0, result.exception
            folders[key] = result.project_dir / "ingestion"
        return folders[key]

    return folder


@pytest.fixture(scope="module")
def ingest(rendered, beginning, tmp_path_factory):
    """Makes an Ingestion of a copy of the rendered folder, with nothing at all in its TD.

    account       what it loads; without one, twenty records of each object
    load_seconds  how long a load lasts at least
    answers       what is answered otherwise than in the example
    """
    with ExitStack() as stack:

        def make(account=None, *, load_seconds=0.0, **answers):
            project = shutil.copytree(rendered(answers), tmp_path_factory.mktemp("client") / "ingestion")
            account = account or KlaviyoAccount(beginning, datetime.now(timezone.utc))
            acme = Ingestion(project, stack.enter_context(TreasureData(account, load_seconds=load_seconds)))
            acme.write_out_the_database()
            return acme

        yield make
