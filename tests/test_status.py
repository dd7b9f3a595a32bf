"""`scripts/klaviyo_status.py` shows how it stands, by TD's own client, on a mock TD; nobody's key is printed."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

import pexpect
import pytest
from commands import TEMPLATE
from mock_td.treasure_data import TreasureData
from written_td import DAY, HOUR, WrittenTD, all_is_well

KEY = "1/0123456789abcdef"
SCRIPT = "scripts/klaviyo_status.py"
INC, HIST = "klaviyo_ingest_inc", "klaviyo_ingest_hist"


@pytest.fixture
def repo(example_repo, tmp_path):
    return shutil.copytree(example_repo, tmp_path / "acme")


@pytest.fixture
def server():
    with TreasureData(key=KEY) as td:
        yield td


@pytest.fixture
def td(server, repo):
    """A TD in which both workflows went well."""
    return all_is_well(WrittenTD(repo / "ingestion", server.databases))


@pytest.fixture
def environment(server, tmp_path):
    """What the script is started with; no td.conf, no colour of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path),
        "COLUMNS": "80",
        "TD_API_KEY": KEY,
        "TD_API_SERVER": f"http://{server.endpoint}",
    }


@pytest.fixture
def status(repo, environment):
    def run(*arguments, **changed):
        variables = {name: value for name, value in {**environment, **changed}.items() if value is not None}
        command = [sys.executable, repo / SCRIPT, *arguments]
        ended = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=120, check=False
        )
        assert KEY not in ended.stdout + ended.stderr
        return ended

    return run


def test_where_all_is_well_it_says_so_and_exits_with_0(td, status):
    ended = status()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "✓ All is well." in ended.stdout
    assert re.search(r"^profiles +█{8} +100 .* 0 +\d+ *$", ended.stdout, re.MULTILINE)
    assert f"profiles {'█' * 50}" in re.sub(" +", " ", ended.stdout)
    assert "Failures" not in ended.stdout
    assert ended.stderr == ""


def test_it_fits_into_80_columns_without_colours_where_there_is_no_terminal(td, status):
    td.log("klaviyo_email_templates", "ERROR", 50, mark="c.1", message="HTTP 401 " + "x" * 300)
    shown = status().stdout
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "\x1b" not in shown


@pytest.mark.parametrize("no_color", [None, "1"])
def test_on_a_terminal_of_80_columns_it_has_colours_but_where_none_are_wanted(
    td, repo, environment, no_color
):
    variables = {**environment, "TERM": "xterm-256color", **({"NO_COLOR": no_color} if no_color else {})}
    del variables["COLUMNS"]
    shown, exit_code = pexpect.run(
        f"{sys.executable} {repo / SCRIPT}",
        env=variables,
        withexitstatus=True,
        dimensions=(50, 80),
        timeout=120,
    )
    assert exit_code == 0
    shown = shown.decode()
    assert "All is well." in shown
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)) != bool(no_color)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "\n").splitlines()
    assert max(map(len, lines)) <= 80


def test_what_it_found_is_json(td, status):
    ended = status("--json")
    found = json.loads(ended.stdout)["klaviyo"]
    assert (ended.returncode, found["to_do"]) == (0, [])
    assert [row["table_name"] for row in found["backfill_progress"]][:1] == ["klaviyo_campaigns_hist"]
    assert found["reconciliation"][0]["object"] == "profiles"


def test_the_page_is_kept_as_html(td, status, tmp_path):
    assert status("--html", tmp_path / "status.html").returncode == 0
    html = (tmp_path / "status.html").read_text(encoding="utf-8")
    assert "All is well." in html and "<html>" in html
    assert KEY not in html
    ended = status("--html", tmp_path / "nowhere/status.html")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


def failed(td):
    td.log("klaviyo_lists", "ERROR", 50, mark="c.1", message="HTTP 401 Unauthorized")
    return "✗ klaviyo_lists failed: the key in the TD authentication is wrong or revoked. What to do: put a valid"


def not_failing_any_more(td):
    td.log("klaviyo_lists", "ERROR", 50, mark="c.1", message="HTTP 401 Unauthorized")
    td.log("klaviyo_lists", "SUCCESS", 40, mark="c.1", window=(60, 50))
    return ""


def killed(td):
    td.log(None, "STARTED", 26 * HOUR, mark="0.1")
    td.databases.rows(
        f"DELETE FROM client_src.ingestion_log WHERE workflow_name = '{INC}' AND log_id NOT LIKE '0.1%'"
    )
    return f"✗ {INC} was killed: start it again with -p take_over=yes."


def interrupted(td):
    td.log(None, "STARTED", 40, mark="h.2", workflow=HIST)
    td.log(None, "SUCCESS", 10, mark="h.2", workflow=HIST)
    return not_complete(td)


def not_complete(td):
    td.log("klaviyo_events_hist", "STARTED", 30, mark="h.2", window=(500 * DAY, 480 * DAY), workflow=HIST)
    td.log(
        "klaviyo_events_hist", "SUCCESS", 20, mark="h.2", window=(500 * DAY, 480 * DAY), left=7, workflow=HIST
    )
    return f"✗ The backfill of klaviyo_events_hist is not complete, and is not running: start {HIST} again."


def under_way(td):
    td.log(None, "STARTED", 40, mark="h.2", workflow=HIST)
    not_complete(td)
    return ""


def with_a_hole(td):
    td.log(None, "STARTED", 40, mark="h.2", workflow=HIST)
    td.log(
        "klaviyo_events_hist", "SUCCESS", 20, mark="h.2", window=(500 * DAY, 490 * DAY), left=0, workflow=HIST
    )
    td.log(None, "SUCCESS", 10, mark="h.2", workflow=HIST)
    return f"✗ The backfill of klaviyo_events_hist is full of holes: start {HIST} again."


def without_rows(td):
    td.databases.rows("DELETE FROM client_src.klaviyo_lists")
    return "✗ lists: 2 rows of the newest load are not in its table any more."


def refused_by_preflight(td):
    td.preflight("klaviyo_lists", "ERROR", "klaviyo_lists: error, probably the key is wrong", ago=30)
    return "✗ Preflight: klaviyo_lists: error, probably the key is wrong"


def well_since_the_preflight(td):
    td.preflight("klaviyo_lists", "ERROR", "klaviyo_lists: error, probably the key is wrong", ago=5 * HOUR)
    return ""


@pytest.mark.parametrize(
    "what",
    [
        *(failed, not_failing_any_more, killed, interrupted, under_way, with_a_hole, without_rows),
        *(refused_by_preflight, well_since_the_preflight),
    ],
    ids=lambda what: what.__name__,
)
def test_where_somebody_must_act_it_says_what_and_exits_with_1(td, status, what):
    told = what(td)
    ended = status()
    shown = " ".join(ended.stdout.split())
    assert ended.returncode == (1 if told else 0), ended.stdout + ended.stderr
    assert (told or "✓ All is well.") in shown
    assert shown.count("✗") == bool(told)


def test_a_failure_is_shown_with_its_message_cause_and_cure(td, status):
    failed(td)
    shown = status().stdout
    assert re.search(r"klaviyo_lists, 1x, not loaded since\n  HTTP 401 Unauthorized\n  Cause: the key", shown)


@pytest.mark.parametrize(("schedule", "hours"), [("hourly", 3), ("daily", 26), ("30 4 * * mon-fri", 74)])
def test_a_schedule_that_does_not_run_is_told(td, status, repo, copie, example_answers, schedule, hours):
    """Its runs are an hour ago; the longest time between two is 72 hours, over a weekend, in the last of these."""
    sample = "ingestion/query_samples/klaviyo_freshness.sql"
    scheduled = copie.copy(extra_answers={**example_answers, "schedule": schedule}).project_dir
    shutil.copy(scheduled / sample, repo / sample)
    for older, told in ((hours - 2, False), (2, True)):
        td.databases.rows(
            f"UPDATE client_src.ingestion_log SET time = time - {older * HOUR} WHERE workflow_name = '{INC}'"
        )
        ended = status()
        shown = " ".join(ended.stdout.split())
        assert (f"no load for over {hours} hours. Is the schedule enabled?" in shown) == told
        assert ended.returncode == 1 or not told


def test_before_the_first_run_it_says_how_to_begin(server, status):
    server.databases.create_database("client_src")
    ended = status()
    assert ended.returncode == 1
    assert "Nothing has been loaded yet: go through docs/klaviyo.md, Set up." in ended.stdout


def test_at_most_three_queries_run_at_once_and_those_that_print_one_are_run_to_their_end(td, server, status):
    running, most = [], []
    query = server._query

    def slow(job):
        running.append(job)
        most.append(len(running))
        time.sleep(0.2)
        query(job)
        running.remove(job)

    server._query = slow
    assert status().returncode == 0
    assert max(most) == 3
    assert len(server.queries) == 11  # eight, three of which print another


def nobody(status, td, server, repo):
    return status(TD_API_SERVER="http://127.0.0.1:9"), "TD does not answer at http://127.0.0.1:9/."


def no_address(status, td, server, repo):
    return status(TD_API_SERVER="no such address"), "TD does not answer at no such address/."


def no_key(status, td, server, repo):
    return status(TD_API_KEY=None), "There is no TD key: set TD_API_KEY, or log in with `td account`."


def wrong_key(status, td, server, repo):
    told = f"TD at http://{server.endpoint}/ refuses the key: is it of this region?"
    return status(TD_API_KEY="1/wrong"), told


def no_database(status, td, server, repo):
    server.databases.delete_database("client_src")
    return status(), f"There is no database client_src at http://{server.endpoint}/ yet."


def no_name_of_a_database(status, td, server, repo):
    (repo / "ingestion/config/database.yml").write_text("databases: {}\n", encoding="utf-8")
    return status(), "ingestion/config/database.yml names no database under databases.src."


def no_account(status, td, server, repo):
    return status("--account", "uk"), f"There is no such account in {repo}, only: klaviyo."


def a_query_that_fails(status, td, server, repo):
    server.fail_query("row_number", message="the query\ngave up")
    return status(), re.compile(r"klaviyo_\w+\.sql: job \d+ failed: Query \d+ failed: the query gave up")


@pytest.mark.parametrize(
    "why",
    [
        *(nobody, no_address, no_key, wrong_key, no_database, no_name_of_a_database),
        *(no_account, a_query_that_fails),
    ],
    ids=lambda why: why.__name__,
)
def test_where_it_cannot_look_it_says_why_in_one_line_and_exits_with_2(td, server, repo, status, why):
    ended, told = why(status, td, server, repo)
    assert ended.returncode == 2
    assert re.fullmatch(told if isinstance(told, re.Pattern) else re.escape(told), ended.stderr.rstrip("\n"))
    assert ended.stdout == ""


@pytest.mark.parametrize("named", [True, False])
def test_key_and_endpoint_are_those_of_the_td_command(td, server, status, tmp_path, named):
    conf = tmp_path / ("conf" if named else ".td/td.conf")
    conf.parent.mkdir(exist_ok=True)
    conf.write_text(
        f"[account]\n  user = a@example.com\n  apikey = {KEY}\n  endpoint = http://{server.endpoint}\n"
    )
    ended = status(TD_API_KEY=None, TD_API_SERVER=None, TD_CONFIG_PATH=str(conf) if named else None)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("us01", "api.treasuredata.com"),
        ("eu01", "api.eu01.treasuredata.com"),
        ("ap01", "api.treasuredata.co.jp"),
        ("ap02", "api.ap02.treasuredata.com"),
        ("ap03", "api.ap03.treasuredata.com"),
    ],
)
def test_else_the_endpoint_is_that_of_the_region(status, repo, region, endpoint):
    answers = repo / ".copier-answers.yml"
    text = re.sub(r"(?m)^td_region: .*", f"td_region: {region}", answers.read_text(encoding="utf-8"))
    answers.write_text(text, encoding="utf-8")
    ended = status(TD_API_SERVER=None, HTTP_PROXY="http://127.0.0.1:9")
    assert ended.stderr == f"TD does not answer at {endpoint}/.\n"


def test_all_accounts_are_shown_or_the_one_that_is_named(td, status, repo):
    for file in [*repo.glob("ingestion/query_samples/*"), repo / "ingestion/config/klaviyo_datasources.yml"]:
        text = file.read_text(encoding="utf-8").replace("klaviyo_", "klaviyo_uk_")
        file.with_name(file.name.replace("klaviyo_", "klaviyo_uk_")).write_text(text, encoding="utf-8")
    both = json.loads(status("--json").stdout)
    assert [*both] == ["klaviyo", "klaviyo_uk"]
    assert (both["klaviyo"]["to_do"], both["klaviyo_uk"]["runs"]) == ([], [])
    assert [*json.loads(status("--json", "--account", "uk").stdout)] == ["klaviyo_uk"]
    assert [*json.loads(status("--json", "--account", "").stdout)] == ["klaviyo"]


def test_it_watches_until_the_backfill_is_there(td, status):
    under_way(td)
    threading.Timer(
        3,
        lambda: td.log(
            "klaviyo_events_hist",
            "SUCCESS",
            5,
            mark="h.2",
            window=(480 * DAY, 400 * DAY),
            left=0,
            workflow=HIST,
        ),
    ).start()
    ended = status("--watch", "0.5")
    assert ended.stdout.count("Time that the backfill has loaded") >= 2
    assert ended.returncode == 0, ended.stdout


def test_it_looks_again_each_minute_where_no_other_time_is_named(td, repo, environment, monkeypatch):
    under_way(td)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    spec = spec_from_file_location("klaviyo_status", repo / SCRIPT)
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(script, "time", SimpleNamespace(sleep=sleep))
    assert script.main(["--watch"]) == 130
    assert waits == [60, 60]


def test_on_a_terminal_what_it_watches_is_drawn_over_what_was_there(td, repo, environment):
    variables = {**environment, "TERM": "xterm-256color"}
    command = f"{sys.executable} {repo / SCRIPT} --watch"
    shown = pexpect.run(command, env=variables, dimensions=(50, 80), timeout=120).decode()
    assert shown.partition("All is well.")[0].count("\x1b[2J") == 1
    assert "\x1b[2J" not in pexpect.run(command.removesuffix(" --watch"), env=variables, timeout=120).decode()


def test_it_is_one_plain_file_of_250_lines_at_most(repo):
    text = (repo / SCRIPT).read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    assert re.findall(r'^# dependencies = \["(\w+)\S*", "([\w-]+)\S*"\]', text, re.MULTILINE) == [
        ("rich", "td-client")
    ]


def test_the_picture_of_it_has_each_of_its_parts(repo):
    picture = (TEMPLATE / "docs/status.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    parts = re.findall(
        r'(?:table\(|Text\()f?"(?:\\n)?([A-Z][\w ]+)', (repo / SCRIPT).read_text(encoding="utf-8")
    )
    assert len(parts) >= 6
    assert [part for part in parts if part not in picture and not part.startswith("Versions")] == []
    assert "https://" not in picture.replace("https://github.com/Textualize/rich", "").replace(
        "https://www.textualize.io", ""
    )
