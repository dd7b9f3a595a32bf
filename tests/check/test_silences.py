"""A gate that the client silences in .check_ingestion.yml fails nothing, and is counted."""

import json
import re

import pytest
from client_check import SCRIPT, run
from client_edits import HIST, INC, WINDOWS, Edit
from commands import KEY, add_klaviyo, commit, edit, update

SILENCES = ".check_ingestion.yml"
FOUR = Edit(INC, "limit: 3", "limit: 4")


def silence(repo, text):
    (repo / SILENCES).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "ignore:\n  - parallel-loads\n",
        "ignore: parallel-loads\n",
        "ignore: {parallel-loads: }\n",
        f"ignore:\n  - parallel-loads: [{HIST}, {INC}]\n",
        f"ignore:\n  - parallel-loads: {INC}\n",
        "ignore:\n  - utc-timezone\n  - parallel-loads: '*_ingest_*.dig'\n",
    ],
)
def test_a_silenced_gate_fails_nothing_and_is_counted(text, check, plain_repo):
    FOUR.make(plain_repo)
    silence(plain_repo, text)

    done = run(SCRIPT, cwd=plain_repo)

    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if not line.startswith("✓")] == [
        "- At most three loads run at once (_parallel: limit: 3) [parallel-loads]",
        "1 silenced in .check_ingestion.yml: parallel-loads",
    ]
    (silenced,) = [
        each for each in json.loads(run(SCRIPT, "--json", cwd=plain_repo).stdout) if each["silenced"]
    ]
    assert (silenced["id"], silenced["passed"], silenced["problems"]) == ("parallel-loads", True, [])


def test_a_gate_that_is_silenced_in_one_file_is_asked_of_all_others(check, plain_repo):
    FOUR.make(plain_repo)
    place = Edit(HIST, "limit: 3", "limit: 4").make(plain_repo)
    silence(plain_repo, f"ignore:\n  - parallel-loads: {INC}\n")

    assert check.places("parallel-loads", plain_repo) == [place]
    assert check.failures(plain_repo)[-1] == "1 silenced in .check_ingestion.yml: parallel-loads"


def test_a_silenced_gate_that_finds_nothing_holds(check, plain_repo):
    silence(plain_repo, "ignore: [parallel-loads]\n")

    assert check.failures(plain_repo) == []


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        (
            "ignore:\n  - utc-timezone\n  - parallel-load\n",
            3,
            "no gate parallel-load, did you mean parallel-loads?",
        ),
        ("ignore:\n  parallel-load: '*'\n", 2, "no gate parallel-load, did you mean parallel-loads?"),
        ("ignored: [parallel-loads]\n", 1, "must have `ignore:`"),
        ("- parallel-loads\n", 1, "must have `ignore:`"),
        ("", 1, "must have `ignore:`"),
    ],
)
def test_what_silences_no_gate_is_told(text, line, hint, check, plain_repo):
    FOUR.make(plain_repo)
    silence(plain_repo, text)

    lines = check.failures(plain_repo)
    told = lines.index("! The gates that .check_ingestion.yml silences exist [silenced-gates]") + 1
    assert lines[told].startswith(f"    {SILENCES}:{line}: ")
    assert hint in lines[told]
    assert any(line.startswith("✗ At most three") for line in lines)


def test_a_file_of_silences_that_cannot_be_read_is_found(check, plain_repo):
    silence(plain_repo, "ignore: [\n")

    assert check.places("files-readable", plain_repo) == [(SILENCES, 1)]


@pytest.mark.parametrize(
    "given", ["leaked-keys", "leaked-keys: '*'", "leaked-keys: notes/", "leaked-keys: ''"]
)
def test_a_search_for_keys_is_silenced_for_no_file_that_is_not_named(given, check, plain_repo):
    (plain_repo / "notes").mkdir()
    (plain_repo / "notes/keys.md").write_text(KEY)
    silence(plain_repo, f"ignore:\n  - {given}\n")

    assert check.places("leaked-keys", plain_repo) == [("notes/keys.md", 1)]


def test_a_search_for_keys_can_be_silenced_for_a_file_that_only_looks_so(check, plain_repo):
    (plain_repo / "notes.md").write_text(f"Keys look like {KEY}.\n")
    silence(plain_repo, "ignore:\n  - leaked-keys: notes.md\n")

    assert check.failures(plain_repo) == [
        "- No file that git or td wf push takes holds a key [leaked-keys]",
        "1 silenced in .check_ingestion.yml: leaked-keys",
    ]


def test_copier_keeps_to_it_before_and_after_an_update(released, acme):
    edit(acme / INC, "limit: 3", "limit: 4")
    silence(acme, "ignore: [parallel-loads]\n")
    commit(acme)

    assert "1 silenced in .check_ingestion.yml: parallel-loads" in update(acme)
    assert (acme / SILENCES).read_text(encoding="utf-8") == "ignore: [parallel-loads]\n"


def test_a_template_that_breaks_a_silenced_gate_is_rendered(template, tmp_path):
    edit(template / "includes/ingest.dig.jinja", "limit: 3", "limit: 4")
    (tmp_path / "acme").mkdir()
    silence(tmp_path / "acme", "ignore: [parallel-loads]\n")

    ended = add_klaviyo(template, tmp_path / "acme")

    assert ended.exit_code == 0, ended.output
    assert "1 silenced in .check_ingestion.yml: parallel-loads" in ended.output


def test_the_manual_silences_gates_that_there_are(check, plain_repo):
    manual = (plain_repo / "docs/klaviyo.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(ignore:\n.*?)```", manual, re.DOTALL)
    silence(plain_repo, block)

    (plain_repo / WINDOWS).write_text("SELECT '[]' AS windows FROM klaviyo_profile", encoding="utf-8")
    assert check.failures(plain_repo)[-1].endswith(": table-names, window-start")
