"""After a copy the terminal shows what was checked and what to do next, and never the key."""

import json
import re
import subprocess
import sys

import pytest
import zendesk_repo
from commands import ANSWERS, GIVE_KEY, KEY, commit, copier, edit, update
from klaviyo.ingestion_check import GATES

NEXT_STEPS = [
    "git init && git add --all . && git commit",
    "uv run ../scripts/check_ingestion.py && td wf check",
    "td wf push ingestion",
    "td wf secrets --project ingestion --set @credentials_ingestion.json",
    "td wf start ingestion klaviyo_preflight --session now",
    "td wf start ingestion klaviyo_ingest_hist --session now",
    "uv run ../scripts/klaviyo_status.py",
    "td wf start ingestion klaviyo_ingest_inc --session now",
]
# A word of each gate that is promised.
PROMISED_GATES = [
    "Files",
    "Timestamps",
    "Campaigns",
    "Events",
    "log step",
    "_error",
    "three loads",
    "COALESCE",
]


def notes(shown):
    """What is said last, each thing in one line."""
    return [" ".join(note.replace("\\\n", "").split()) for note in shown.split("\nNote: ")[1:]]


@pytest.fixture(scope="module")
def first_copy(pristine_template, tmp_path_factory):
    """What the terminal showed, and the repo, whose path has a blank in it."""
    repo = tmp_path_factory.mktemp("first") / "acme klaviyo"
    ended = copier("copy", *ANSWERS, *GIVE_KEY, pristine_template, repo, cwd=repo.parent)
    assert ended.exit_code == 0, ended.output
    return ended.output, repo


def test_the_next_steps_come_in_the_order_that_works(first_copy):
    shown, _ = first_copy
    places = [shown.index(step) for step in NEXT_STEPS]
    assert places == sorted(places)


def test_the_first_step_goes_to_the_repo_whatever_its_path(first_copy):
    shown, repo = first_copy
    assert f"cd '{repo}'\n" in shown


def test_in_a_repo_that_is_in_git_the_first_step_only_commits(pristine_template, tmp_path):
    commit(tmp_path)
    (tmp_path / "clients").mkdir()
    for folder, destination, commands in [
        (tmp_path, ".", ["git add --all ."]),
        (tmp_path / "clients", "acme", ["cd acme", "git add --all ."]),
    ]:
        shown = copier("copy", *ANSWERS, pristine_template, destination, cwd=folder).output
        step = shown[shown.index("2. Git") : shown.index("3. Check")].splitlines()[1:]
        assert [line.strip() for line in step] == [
            *commands[:-1],
            f'{commands[-1]} && git commit -m "Klaviyo ingestion"',
        ]


def test_the_schedule_is_off_from_the_push_to_the_end_of_the_backfill(pristine_template, tmp_path):
    shown = copier("copy", *ANSWERS, "-d", "schedule=hourly", pristine_template, "acme", cwd=tmp_path).output
    shown = shown[shown.index("2. Git") :]
    steps = ["push ingestion", "disable ingestion klaviyo_ingest_inc"]
    steps += ["klaviyo_ingest_hist", "klaviyo_ingest_inc --session", "enable ingestion klaviyo_ingest_inc"]
    places = [shown.index(step) for step in steps]
    assert places == sorted(places)


def test_each_command_goes_to_the_region_and_the_project(pristine_template, tmp_path):
    given = ("-d", "td_region=ap01", "-d", "td_project=acme", "-d", "schedule=hourly")
    shown = copier("copy", *ANSWERS, *given, pristine_template, "acme", cwd=tmp_path).output
    shown = re.sub(r" \\\n *", " ", shown[shown.index("2. Git") :])  # as a shell reads it
    commands = re.findall(r"td \S*[^`\n]*wf .+", shown)
    assert len(commands) == 8
    for command in commands:
        assert command.startswith("td -e https://api.treasuredata.co.jp wf ")
        assert " acme" in command or command.endswith(" check")


def test_a_data_source_that_the_connector_is_not_known_to_have_is_noted(pristine_template, tmp_path):
    given = ("-d", "custom_objects=[{name: flows}, {name: snapshot, data_source: campaigns}]")
    shown = copier("copy", *ANSWERS, *GIVE_KEY, *given, pristine_template, "acme", cwd=tmp_path).output
    (note,) = notes(shown)
    assert "not for flows. Preflight shows whether it can load that: td wf start ingestion" in note


@pytest.mark.parametrize(("authentication", "noted"), [("acme_klaviyo", True), ("360030", False)])
def test_an_authentication_that_is_given_by_its_name_is_noted(
    pristine_template, tmp_path, authentication, noted
):
    given = ("-d", f"td_authentication_id={authentication}")
    shown = copier("copy", *ANSWERS, *GIVE_KEY, *given, pristine_template, "acme", cwd=tmp_path).output
    assert [" is a name" in note for note in notes(shown)] == [True] * noted


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["metrics_load=full", "objects=[profiles]"], "metrics_load is full, but objects has no metrics"),
        (["default_start_date=1202-01-01"], "Klaviyo began in 2012"),
        (["metrics_load=full"], ""),
        (["default_start_date=2012-01-01"], ""),
    ],
)
def test_an_answer_that_changes_nothing_or_may_be_mistyped_is_noted(
    pristine_template, tmp_path, answers, said
):
    given = [part for answer in answers for part in ("-d", answer)]
    shown = copier("copy", *ANSWERS, *given, pristine_template, tmp_path / "acme", cwd=tmp_path)
    assert shown.exit_code == 0, shown.output
    found = [text for text in ("metrics_load is full", "Klaviyo began in") if text in shown.output]
    assert found == ([said[: len(found[0])]] if said else [])


def test_the_step_that_sets_the_secrets_sets_no_placeholder(pristine_template, tmp_path):
    """As it is pasted, by a shell in which td says what it was told."""
    copier("copy", *ANSWERS, "-d", "alert_slack=yes", pristine_template, "acme", cwd=tmp_path)
    ingestion = tmp_path / "acme/ingestion"
    credentials = ingestion / "credentials_ingestion.json"
    (tmp_path / "td").write_text('#!/bin/sh\necho "td $*"\n', encoding="utf-8")
    (tmp_path / "td").chmod(0o755)
    manual = (tmp_path / "acme/docs/klaviyo.md").read_text(encoding="utf-8")
    shown = copier("copy", *ANSWERS, "-d", "alert_slack=yes", pristine_template, "again", cwd=tmp_path).output
    for text in (manual, shown):
        (step,) = re.findall(
            r"^ *(?:grep|td)\b(?:.*\\\n)*.*wf secrets.*\n(?: .*--set.*\n)?", text, re.MULTILINE
        )
        told = {}
        for placeholders in ("klaviyo_api_token", "klaviyo_slack_webhook", ""):
            secrets = dict.fromkeys(("klaviyo_api_token", "klaviyo_slack_webhook"), "set")
            copied = json.loads(credentials.read_text(encoding="utf-8"))
            entries = {
                name: copied[name] if name == placeholders else value for name, value in secrets.items()
            }
            file = tmp_path / "here/credentials_ingestion.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(entries, indent=2), encoding="utf-8")
            run = subprocess.run(
                ["bash", "-c", step],
                cwd=file.parent,
                env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=True,
            )
            told[placeholders] = run.stdout
        assert told[""].startswith("td wf secrets --project ingestion --set @")
        assert all(told[name].strip().startswith(f'"{name}": "put the ') for name in told if name)
        assert "td" not in told["klaviyo_api_token"].split()


def test_a_push_that_takes_other_workflows_along_is_noted_once(pristine_template, tmp_path):
    (tmp_path / "acme/ingestion").mkdir(parents=True)
    (tmp_path / "acme/ingestion/zendesk_ingest_inc.dig").write_text(
        "+a:\n  echo>: theirs\n", encoding="utf-8"
    )
    shown = copier("copy", *ANSWERS, *GIVE_KEY, pristine_template, "acme", cwd=tmp_path).output
    (note,) = notes(shown)
    assert "zendesk_ingest_inc.dig" in note
    assert note.endswith("copier update --trust --defaults -d td_project=NAME")
    assert "td_project is 'ingestion' now" in note


def test_it_says_how_many_checks_passed_and_not_which(first_copy):
    shown, repo = first_copy
    command = [sys.executable, "-B", repo / "scripts/check_ingestion.py", "--json"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    gates = json.loads(run.stdout)
    assert f"\n{len(gates)} checks passed.\n" in shown[: shown.index(NEXT_STEPS[0])]
    assert "✓" not in shown
    for promised in PROMISED_GATES:
        assert any(promised in gate["name"] for gate in gates), promised


def test_a_gate_that_is_silenced_or_to_be_looked_at_is_named_after_the_number(acme):
    edit(acme / "ingestion/klaviyo_ingest_inc.dig", "limit: 3", "limit: 4")
    silences = "ignore: [parallel-loads, no-gate]\n"
    (acme / ".check_ingestion.yml").write_text(silences, encoding="utf-8")
    commit(acme)
    passed, _, rest = update(acme).partition(" checks passed.\n")
    assert int(passed.split()[-1]) == len(GATES) - 2
    assert [line for line in rest.splitlines() if re.match("[✓✗!-] ", line)] == [
        "! The gates that .check_ingestion.yml silences exist [silenced-gates]",
        "- At most three loads run at once (_parallel: limit: 3) [parallel-loads]",
    ]
    assert "1 silenced in .check_ingestion.yml: parallel-loads\n" in rest


# Answers that make the most of the end of a copy.
LONG = {
    "client_name": "A client of " + "a rather long name " * 4 + "indeed",
    "td_region": "ap01",
    "td_project": "the_project_of_a_client_with_a_long_name",
    "td_authentication_id": "the_authentication_of_a_client",
    "schedule": "daily",
    "freshness_hours": "3",
    "alert_slack": "yes",
    "custom_objects": "[{name: flows}]",
}


@pytest.mark.parametrize("answers", [{}, LONG], ids=["default", "long"])
def test_no_line_is_longer_than_a_terminal_and_each_command_is_still_one(released, tmp_path, answers):
    repo = zendesk_repo.make(tmp_path / "acme")
    given = [part for name, value in answers.items() for part in ("-d", f"{name}={value}")]
    given += ["-d", "target_database=acme_raw", "--overwrite"]
    copied = copier("copy", *ANSWERS, *given, released, "acme", cwd=tmp_path).output
    commit(repo)
    updated = update(repo)
    for shown, last in ((copied, "--set @credentials_ingestion.json"), (updated, "wf push")):
        shown = shown[shown.index("checks passed") :]
        assert [line for line in shown.splitlines() if len(line) > 79] == []
        commands = re.findall("^     ([^ ].*)", re.sub(r" \\\n *", " ", shown), re.MULTILINE)
        assert any(last in command for command in commands)
        for command in commands:
            assert re.match(r"(cd|git|uv|uvx|td|grep) ", command), command
            assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0, command


def test_the_steps_are_those_of_the_manual(first_copy):
    shown, repo = first_copy
    manual = (repo / "docs/klaviyo.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\*\*(\d)\. (?:The )?(\w+)", manual, re.MULTILINE)
    assert len(steps) == 9
    told = re.findall(r"^(\d)\. (\w+)", shown, re.MULTILINE)
    assert [(number, name.lower()) for number, name in told] == [
        (number, name.lower()) for number, name in steps
    ]


def test_what_needs_a_person_stands_last(pristine_template, tmp_path):
    shown = copier("copy", *ANSWERS, pristine_template, "acme", cwd=tmp_path).output
    assert re.search(
        r"\n\nNote: the key is not in ingestion/credentials_ingestion.json yet\.[^\n]*\n[^\n]+\n*$", shown
    )


def test_a_key_is_in_the_credentials_and_not_on_the_terminal(first_copy):
    shown, repo = first_copy
    credentials = repo / "ingestion/credentials_ingestion.json"
    assert json.loads(credentials.read_text(encoding="utf-8"))["klaviyo_api_token"] == KEY
    assert [path for path in repo.rglob("*") if path.is_file() and KEY in path.read_text("utf-8")] == [
        credentials
    ]
    assert KEY not in shown


# An edit of the workflows' text, a word of the gate that fails.
BREAKS = [("limit: 3", "limit: 4", "three loads"), ("timezone: UTC", "timezone: Asia/Tokyo", "UTC")]


@pytest.mark.parametrize(("old", "new", "gate"), BREAKS)
def test_a_gate_that_fails_is_named_with_its_place_before_anything_is_written(
    template, tmp_path, old, new, gate
):
    edit(template / "includes/ingest.dig.jinja", old, new)
    ended = copier("copy", *ANSWERS, template, "acme", cwd=tmp_path)
    assert ended.exit_code == 1
    assert re.search(
        rf"^✗ .*{gate}.*\n    ingestion/klaviyo_ingest_hist.dig:[0-9]+: ", ended.output, re.MULTILINE
    )
    assert "Traceback" not in ended.output
    assert NEXT_STEPS[0] not in ended.output
    assert not (tmp_path / "acme").exists()


def test_what_was_there_before_is_judged_together_with_what_was_written(pristine_template, tmp_path):
    (tmp_path / "acme/ingestion/sql").mkdir(parents=True)
    (tmp_path / "acme/ingestion/sql/klaviyo_old.sql").write_text("SELECT ${x}\n", encoding="utf-8")
    ended = copier("copy", *ANSWERS, pristine_template, "acme", cwd=tmp_path)
    assert ended.exit_code == 1
    assert "    ingestion/sql/klaviyo_old.sql:1: no workflow" in ended.output
    assert (tmp_path / "acme/ingestion/klaviyo_ingest_inc.dig").exists()


def test_pretend_writes_nothing_and_claims_nothing(pristine_template, tmp_path):
    ended = copier("copy", *ANSWERS, *GIVE_KEY, "--pretend", pristine_template, "acme", cwd=tmp_path)
    assert ended.exit_code == 0
    assert "Nothing was written (--pretend), so nothing was checked." in ended.output
    assert "✓" not in ended.output
    assert KEY not in ended.output
    assert list(tmp_path.iterdir()) == []
