"""After Klaviyo was added to the repo of another source, both sources' workflows run.

With what the other source had: its config/database.yml, its database, its ingestion_log. Its sql/log_*.sql,
which leave the table out of an error's row, are its own.
"""

from datetime import datetime

import digdag
import zendesk_repo
from commands import add_klaviyo
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData


class Connectors:
    """Klaviyo's connector, and beside it Zendesk's, which always brings the same two tickets."""

    def __init__(self, account):
        self.account = account

    def fetch(self, settings):
        if settings["type"] == "zendesk":
            return [{"id": 1, "subject": "Where is it?"}, {"id": 2, "subject": "Thanks"}]
        return self.account.fetch(settings)


def rows_of_the_log(td):
    """Source, table and status of each row, sorted; what came twice is there twice."""
    columns = "source_name, table_name, status"
    return td.rows(f"SELECT {columns} FROM acme_raw.ingestion_log ORDER BY ALL NULLS LAST")


def test_both_sources_run_and_share_one_log(released, tmp_path):
    repo = zendesk_repo.make(tmp_path / "acme")
    ended = add_klaviyo(released, repo, "-d", "objects=[campaigns]")
    assert ended.exit_code == 0, ended.output
    digdag.quicken(repo / "ingestion")
    account = KlaviyoAccount(datetime(2023, 9, 2), datetime(2023, 12, 1), size=4)
    with TreasureData(Connectors(account)) as td:
        td.databases.create_database("acme_raw")
        for workflow in ("zendesk_ingest_inc", "klaviyo_ingest_hist"):
            run = digdag.run(repo / "ingestion", workflow, td)
            assert run.succeeded, run.output
        td.fail_load("klaviyo_campaigns", message="It's over")
        run = digdag.run(repo / "ingestion", "klaviyo_ingest_inc", td)
        assert "klaviyo_ingest_inc failed for: klaviyo_campaigns" in run.output
        assert td.rows("SELECT count(*) FROM acme_raw.klaviyo_campaigns_hist") == [(4,)]
        assert rows_of_the_log(td) == [
            ("klaviyo", None, "ERROR"),
            ("klaviyo", None, "STARTED"),
            ("klaviyo", None, "STARTED"),
            ("klaviyo", None, "SUCCESS"),
            ("klaviyo_campaigns", "klaviyo_campaigns", "ERROR"),
            *3 * [("klaviyo_campaigns", "klaviyo_campaigns", "STARTED")],
            ("klaviyo_campaigns_hist", "klaviyo_campaigns_hist", "STARTED"),
            ("klaviyo_campaigns_hist", "klaviyo_campaigns_hist", "SUCCESS"),
            ("zendesk", "zendesk_tickets", "STARTED"),
            ("zendesk", "zendesk_tickets", "SUCCESS"),
        ]
