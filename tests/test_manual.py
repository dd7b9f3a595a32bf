"""docs/klaviyo.md is the manual of each client's repo: short, in commands to paste, and true of its answers."""

import re
import subprocess

import pytest
import sqlglot
import yaml
import zendesk_repo
from commands import add_klaviyo
from ingestion import jobs_of, tasks_of
from klaviyo.objects import CATALOGUE

MANUAL = "docs/klaviyo.md"
FEW = {"objects": ["lists"], "ci": "none"}
MANY = {
    "td_region": "eu01",
    "td_project": "acme",
    "objects": ["events", "metrics"],
    "metrics_load": "full",
    "custom_objects": [{"name": "campaigns_snapshot", "data_source": "campaigns"}],
    "schedule": "hourly",
    "remove_copies": False,
    "latest_tables": True,
    "alert_email": "data-team@example.com",
    "alert_slack": True,
    "freshness_hours": 24,
}


@pytest.fixture(params=[{}, FEW, MANY], ids=["default", "few", "many"], scope="module")
def answers(request, example_answers):
    return {**example_answers, **request.param}


@pytest.fixture(scope="module")
def repo(copie_session, answers):
    result = copie_session.copy(extra_answers=answers)
    assert result.exit_code == 0, result.exception
    return result.project_dir


@pytest.fixture(scope="module")
def manual(repo):
    return (repo / MANUAL).read_text(encoding="utf-8")


def blocks(manual, language=""):
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", manual, re.DOTALL | re.MULTILINE)
    return [text for found, text in fenced if found == language]


def commands(manual):
    """Every command, a line of a block or between backticks."""
    lines = [line for block in blocks(manual) for line in block.splitlines()]
    found = [line for line in lines if not re.match(r"klaviyo_\w+: ok", line)]
    return found + re.findall(
        r"`((?:td|uvx|git|uv|gem|-d) [^`]*)`", re.sub(r"```.*?```", "", manual, flags=re.DOTALL)
    )


# Where it speaks of a command, and gives none.
MENTIONED = {"td wf push", "td wf start", "td wf run"}


def td_commands(manual):
    found = [command for command in commands(manual) if re.search(r"\btd .*(wf|query) ", command)]
    return [command for command in found if command not in MENTIONED]


def test_with_the_default_answers_it_is_at_most_340_lines(example_repo):
    assert len((example_repo / MANUAL).read_text(encoding="utf-8").splitlines()) <= 340


def test_a_link_leads_to_a_heading_or_a_file(repo, manual):
    slugs = {
        "#" + heading.lower().replace(" ", "-") for heading in re.findall("^## (.*)$", manual, re.MULTILINE)
    }
    links = set(re.findall(r"\]\((?!https)([^)]+)\)", manual))
    assert links == slugs | {"klaviyo-data.md"}
    readme = (repo / "README.md").read_text(encoding="utf-8")
    pointers = re.findall(rf"\]\({MANUAL}(#[^)]*)?\)", readme)
    assert pointers
    assert set(pointers) - {""} <= slugs


def test_each_command_can_be_pasted_as_it_stands(manual):
    found = commands(manual)
    assert len(found) > 20
    for command in (f"copier {each}" if each.startswith("-d") else each for each in found):
        assert not re.search(r"<|\.\.\.|YOUR|[A-Z]{4,}_ID|\{\{|…", command), command
        assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0, command


def test_each_workflow_query_and_file_that_it_names_is_there(repo, manual):
    for command in td_commands(manual):
        for workflow in re.findall(r"\bklaviyo_(?:ingest_\w+|preflight|latest|freshness)\b(?= |$)", command):
            if " wf " in command:
                assert (repo / f"ingestion/{workflow}.dig").is_file(), command
    named = set(re.findall(r"(?:ingestion/)?((?:sql|config)/[\w.]+|klaviyo_\w+\.sql)", manual))
    assert len(named) > 6
    for name in named:
        assert list((repo / "ingestion").rglob(name.rpartition("/")[2])), name


def test_each_query_in_a_command_is_trino(manual):
    queries = re.findall(r'query [^"\n]*"([^"]+)"', manual)
    queries += re.findall(r"`((?:DROP|DESCRIBE) [^`]+)`", manual)
    assert queries
    for query in queries:
        assert sqlglot.parse_one(query, read="trino")


def test_each_td_command_names_the_region_and_the_project(manual, answers):
    found = td_commands(manual)
    assert len(found) > 8
    told = {"us01": "td", "eu01": "td -e https://api.eu01.treasuredata.com"}[answers["td_region"]]
    for command in found:
        assert re.search(rf"(^|[( ]){re.escape(told)} (wf|query) ", command), command
        if not re.search("wf check|query", command):
            assert f" {answers['td_project']}" in command, command


def test_only_what_the_answers_make_true_is_said(manual, answers):
    sources = {known.name: known.data_source for known in CATALOGUE}
    loaded = set(answers["objects"]) | {each["name"] for each in answers["custom_objects"]}
    tables = re.findall(r"^\| (\w+) \| `klaviyo_\w+`, `", manual, re.MULTILINE)
    assert set(tables) == loaded
    scopes = {sources[name] for name in answers["objects"]}
    scopes |= {each["data_source"] for each in answers["custom_objects"]}
    assert set(re.findall(r"`(\w+):read`", manual)) == scopes
    said = {
        "wf disable": answers["schedule"] != "none",
        "wf enable": answers["schedule"] != "none",
        "it has no schedule": answers["schedule"] == "none",
        "-d schedule=none": answers["schedule"] != "none",
        "TD jobs a day": answers["schedule"] != "none",
        "last 7 days of events": "events" in loaded,
        "in full](#change-it)": "metrics" in loaded and answers["metrics_load"] == "incremental",
        "Query `klaviyo_<object>_latest`": answers["latest_tables"],
        "prints, for each object, a query": not answers["latest_tables"],
        "`DELETE` that is denied": answers["remove_copies"],
        "each version of a record has one row": answers["remove_copies"],
        "one row for each load that brought it": not answers["remove_copies"],
        "data-team@example.com": bool(answers["alert_email"]),
        "klaviyo_slack_webhook": answers["alert_slack"],
        "klaviyo_freshness`": answers["freshness_hours"] > 0,
        "check.yml": answers["ci"] == "github",
        "have `updated_at` and `created_at` in the table": "campaigns" in scopes,
        answers["default_start_date"][:10]: True,
        f"`{answers['target_database']}`": True,
    }
    assert [words for words in said if (words in manual) != said[words]] == []


def test_it_tells_how_many_jobs_and_tasks_a_run_and_a_window_have(repo, manual, answers):
    """What they are on the engine: tests/engine/test_task_limit.py; without removals: test_kept_copies.py."""
    datasources = yaml.safe_load(
        (repo / "ingestion/config/klaviyo_datasources.yml").read_text(encoding="utf-8")
    )
    objects = len(datasources["inc_datasources"])
    told = re.search(
        r"takes (\d+) TD jobs and (\d+) tasks.*; each further window takes (\d+) and (\d+) more", manual
    )
    run = {"objects": objects, "windows": objects, "removals": 0 if answers["remove_copies"] else None}
    a_window = [count(0, 1) - count(0, 0) for count in (jobs_of, tasks_of)]
    assert [*map(int, told.groups())] == [jobs_of(**run), tasks_of(**run), *a_window]
    # As tests/engine/test_preflight.py counts them.
    assert f"takes {(4 if answers['remove_copies'] else 3) * objects + 3} jobs" in manual


def test_the_jobs_of_a_day_are_those_of_each_run(copie, example_answers):
    repo = copie.copy(extra_answers={**example_answers, "schedule": "30 */6 * * mon-fri"}).project_dir
    manual = (repo / MANUAL).read_text(encoding="utf-8")
    jobs = int(re.search(r"takes (\d+) TD jobs", manual)[1])
    a_day = int(re.search(r"about (\d+) TD jobs a day", manual)[1])
    assert a_day == pytest.approx(4 * 5 / 7 * jobs, rel=0.02)


def test_no_example_of_a_change_gives_what_is_set(manual, answers):
    rows = re.findall(r"`-d '?(\w+)=([^`']*)'?(?: -d (\w+)=(\w+))?`", manual.partition("## Change it")[2])
    changes = [pair for row in rows for pair in (row[:2], row[2:]) if pair[0]]
    assert len(changes) > 8
    in_words = {"True": "yes", "False": "no"}
    for name, value in changes:
        answer = str(answers[name])
        assert in_words.get(answer, answer) != value, name


def test_its_ci_example_is_yaml(manual):
    (example,) = [block for block in blocks(manual, "yaml") if "- run:" in block]
    assert all("run" in step or "uses" in step for step in yaml.safe_load(example))


def test_it_is_there_where_the_readme_is_another_source_s(pristine_template, tmp_path):
    repo = zendesk_repo.make(tmp_path / "acme")
    ended = add_klaviyo(pristine_template, repo)
    assert ended.exit_code == 0, ended.output
    assert (repo / "README.md").read_text(encoding="utf-8") == "# Ingestion of Acme\n"
    assert "in the database `acme_raw`" in (repo / MANUAL).read_text(encoding="utf-8").replace("into", "in")
