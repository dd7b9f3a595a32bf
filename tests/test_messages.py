"""After a copy the terminal shows what was verified and what to do next, and never the key."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

COPIER = Path(sys.executable).with_name("copier")
KEY = "pk_given_on_the_command_line_0123456789"

NEXT_STEPS = [
    "td wf push ingestion",
    "td wf secrets --project ingestion --set @credentials_ingestion.json",
    "uv run ../scripts/check_ingestion.py",
    "td wf check",
    "td wf start ingestion klaviyo_ingest_hist --session now",
    "td wf start ingestion klaviyo_ingest_inc --session now",
    "SELECT * FROM client_src.ingestion_log",
    "WHERE source_name LIKE 'klaviyo%'",
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


def copy(template, destination, *arguments):
    """Run `copier copy` with the example answers, as a person does."""
    command = [COPIER, "copy", "--trust", "--defaults", "--data-file", template / "example-answers.yml"]
    return subprocess.run(
        [*command, *arguments, template, destination], check=False, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def first_copy(pristine_template, tmp_path_factory):
    """What the terminal showed, and the repo, whose path has a blank in it."""
    repo = tmp_path_factory.mktemp("first") / "acme klaviyo"
    run = copy(pristine_template, repo, "-d", f"klaviyo_api_key={KEY}")
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr, repo


def test_the_next_steps_come_in_the_order_that_works(first_copy):
    shown, _ = first_copy
    places = [shown.index(step) for step in NEXT_STEPS]
    assert places == sorted(places)


def test_the_first_step_goes_to_the_repo_whatever_its_path(first_copy):
    shown, repo = first_copy
    assert f"cd '{repo}'\n" in shown


def test_each_quality_gate_is_named_before_the_next_steps(first_copy):
    shown, repo = first_copy
    lines = shown[: shown.index(NEXT_STEPS[0])].splitlines()
    command = [sys.executable, "-B", repo / "scripts/check_ingestion.py", "--json"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    gates = [gate["name"] for gate in json.loads(run.stdout)]
    assert [line for line in lines if line.startswith(("✓", "✗"))] == [f"✓ {gate}" for gate in gates]
    for promised in PROMISED_GATES:
        assert any(promised in gate for gate in gates), promised


def test_a_key_is_in_the_credentials_and_not_on_the_terminal(first_copy):
    shown, repo = first_copy
    credentials = repo / "ingestion/credentials_ingestion.json"
    assert json.loads(credentials.read_text(encoding="utf-8"))["klaviyo_api_token"] == KEY
    assert [path for path in repo.rglob("*") if path.is_file() and KEY in path.read_text("utf-8")] == [
        credentials
    ]
    assert KEY not in shown


# What only the tree just written can show: the file, the edit of its template, a word of the gate that fails.
BREAKS = [
    ("ingestion/klaviyo_ingest_inc.dig", "limit: 3", "limit: 4", "three loads"),
    (
        "ingestion/klaviyo_ingest_hist.dig",
        "timezone: UTC",
        "timezone: Asia/Tokyo",
        "UTC",
    ),
]


@pytest.mark.parametrize(("path", "old", "new", "gate"), BREAKS)
def test_a_gate_that_fails_is_named_with_its_place_and_exit_code_1(template, tmp_path, path, old, new, gate):
    source = template / "template" / f"{path}.jinja"
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")
    run = copy(template, tmp_path / "acme")
    assert run.returncode == 1
    assert re.search(rf"^✗ .*{gate}.*\n    {path}:[0-9]+: ", run.stderr, re.MULTILINE)
    assert "Traceback" not in run.stderr
    assert NEXT_STEPS[0] not in run.stderr


def test_pretend_writes_nothing_and_claims_nothing(pristine_template, tmp_path):
    run = copy(pristine_template, tmp_path / "acme", "--pretend", "-d", f"klaviyo_api_key={KEY}")
    assert run.returncode == 0
    assert "Nothing was written (--pretend), so nothing was verified." in run.stderr
    assert "✓" not in run.stderr
    assert KEY not in run.stdout + run.stderr
    assert list(tmp_path.iterdir()) == []
