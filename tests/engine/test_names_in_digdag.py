"""Real Digdag reads names in YAML as the check says, and a whole ingestion as they were answered."""

import json
import re
import shutil
from datetime import datetime, timezone
from types import SimpleNamespace

import digdag
import pytest
from ingestion import INC
from klaviyo.ingestion_check.plain_scalars import reading
from klaviyo.yaml_text import in_yaml
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData

DATABASE, ID, ADDRESS = "0123", "0x1f", "%a-b+c@example.com"
# fmt: off
NAMES = [
    "0123", "089", "00", "0_1", "0_", "1_2_3", "2024", "2024_", "2024_src", "0x1f", "0x_1_f", "0xg",
    "0b11", "0b_1", "0b2", "0o17", "1e5", "12e34", "1e", "1e5_", "5_0e1", "12345678901234567890",
    "null", "Null", "~", "true", "True", "TRUE", "yes", "off", "n", "select", "order", "1.5",
    "1_0.5", ".5", "client_src",
]
# fmt: on
SHOW = """
+{file}:
  _export:
    !include : {file}.yml
  echo>: 'NAME {file} ${{JSON.stringify("" + (databases.src === null ? "" : databases.src))}}'
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """What Digdag makes of each of the names in config/database.yml, written plainly and as the template does."""
    project = tmp_path_factory.mktemp("names")
    workflow = "timezone: UTC\n"
    for n, name in enumerate(NAMES):
        for file, written in ((f"plain_{n}", name), (f"ours_{n}", in_yaml(name))):
            (project / f"{file}.yml").write_text(f"databases:\n  src: {written}\n", encoding="utf-8")
            workflow += SHOW.format(file=file)
    (project / "names.dig").write_text(workflow, encoding="utf-8")
    with TreasureData() as td:
        run = digdag.run(project, "names", td)
    assert run.succeeded, run.output
    found = re.findall(r"^NAME (\w+)_(\d+) (.*)$", run.output, re.MULTILINE)
    return {(how, NAMES[int(n)]): json.loads(text) for how, n, text in found}


def test_digdag_reads_a_name_without_quotes_as_the_check_says(read):
    wrong = {name: read["plain", name] for name in NAMES if read["plain", name] != reading(name)}
    assert wrong == {}
    assert read["plain", "0123"] == "83"


def test_digdag_reads_each_name_as_it_was_answered(read):
    assert {name: read["ours", name] for name in NAMES} == {name: name for name in NAMES}


@pytest.fixture(scope="module")
def acme(rendered, beginning, tmp_path_factory):
    """What two incremental runs left, one that went well and one that failed, with names of this kind only."""
    answers = {
        "target_database": DATABASE,
        "td_authentication_id": ID,
        "alert_email": ADDRESS,
        "objects": ["lists"],
        "latest_tables": True,
    }
    project = shutil.copytree(rendered(answers), tmp_path_factory.mktemp("client") / "ingestion")
    digdag.quicken(project)
    account = KlaviyoAccount(beginning, datetime.now(timezone.utc), size=4)
    with TreasureData(account) as td, digdag.Mailbox() as mailbox:
        well = digdag.run(project, INC, td, mailbox=mailbox)
        td.fail_query("AS concurrent_run", times=None)
        badly = digdag.run(project, INC, td, mailbox=mailbox, session="2026-03-01 04:30:00")
        yield SimpleNamespace(td=td, well=well, badly=badly, mails=mailbox.messages)


def test_a_run_keeps_to_the_database_whose_name_looks_like_a_number(acme):
    assert acme.well.succeeded, acme.well.output
    assert acme.td.databases.names() == [DATABASE]
    assert acme.td.rows(f'SELECT count(*) FROM "{DATABASE}".klaviyo_lists_latest') == [(4,)]
    (load,) = acme.td.loads
    assert load.config["in"]["td_authentication_id"] == ID


def test_the_address_is_mailed_and_what_the_mail_says_can_be_pasted(acme):
    assert not acme.badly.succeeded
    (mail,) = acme.mails
    assert mail["To"] == ADDRESS
    (query,) = re.findall(r"^- (SELECT .*)$", mail.get_content(), re.MULTILINE)
    acme.td.databases.create_database("elsewhere")
    rows = acme.td.databases.run(query, "elsewhere").rows
    assert len(rows) == 1
