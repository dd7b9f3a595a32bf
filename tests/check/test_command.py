"""The command says what it found, with a place and an exit code, wherever and however it is run."""

import json
import shutil

from client_check import SCRIPT, run
from client_edits import INC, Edit
from commands import KEY, git

AT_MOST_THREE = "At most three loads run at once (_parallel: limit: 3)"
# Clients silence gates by these names: one may go, but none gets another name.
IDS = """
    update-finished files-readable datasources timestamps field-names field-places event-loads load-files
    account-files account-names one-authentication own-authentication account-versions files-exist files-used
    silenced-gates archive-size log-steps log-table run-log latest-log log-rows error-log plain-names queried-tables answered-database table-names
    credentials-file leaked-keys keys-in-history leaked-token git-takes-files github-workflow digdag-keys
    control-values variables-defined utc-timezone schedules parallel-loads contained-failures window-start
"""


def test_it_prints_a_line_a_gate_and_exits_with_0(plain_repo, check):
    done = run(plain_repo / SCRIPT, cwd="/")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[:-1] == [f"✓ {gate.title} [{gate.id}]" for gate in check.package.GATES]


def test_below_a_failed_gate_it_says_where_and_what_and_exits_with_1(plain_repo):
    _, line = Edit(INC, "limit: 3", "limit: 4").make(plain_repo)

    done = run(SCRIPT, cwd=plain_repo)
    failed = [line for line in done.stdout.split("\n") if line and not line.startswith("✓")]

    assert (done.returncode, done.stderr) == (1, "")
    assert failed == [
        f"✗ {AT_MOST_THREE} [parallel-loads]",
        f"    {INC}:{line}: limit must be 3 or less, and lower where one _parallel is in another",
    ]


def test_as_json_it_gives_the_same(plain_repo):
    place = Edit(INC, "limit: 3", "limit: 4").make(plain_repo)

    done = run(SCRIPT, "--json", cwd=plain_repo)
    (failed,) = (gate for gate in json.loads(done.stdout) if not gate["passed"])

    assert done.returncode == 1
    assert (failed["id"], failed["name"], failed["silenced"]) == ("parallel-loads", AT_MOST_THREE, 0)
    assert [(problem["path"], problem["line"]) for problem in failed["problems"]] == [place]


def test_it_checks_the_repo_that_is_named_or_else_the_current_folder(plain_repo, tmp_path):
    shutil.copytree(plain_repo / "scripts", tmp_path, dirs_exist_ok=True)
    script = tmp_path / "check_ingestion.py"

    assert run(script, plain_repo, cwd="/").returncode == 0
    assert run(script, cwd=plain_repo).returncode == 0
    assert run(script, cwd=tmp_path).returncode == 1


def test_what_python_compiles_is_not_in_git(client_repo):
    assert run(SCRIPT, cwd=client_repo, PYTHONDONTWRITEBYTECODE="").returncode == 0

    assert (client_repo / "scripts/ingestion_check/__pycache__").is_dir()
    assert git("status", "--porcelain", cwd=client_repo) == ""


def test_without_git_it_reads_the_ignore_files_itself(plain_repo):
    assert run(SCRIPT, cwd=plain_repo, PATH="").returncode == 0


def test_without_its_libraries_it_says_how_to_get_them(plain_repo):
    done = run("-E", "-S", SCRIPT, cwd=plain_repo)

    assert done.returncode == 1
    assert "uv run scripts/check_ingestion.py" in done.stderr
    assert "pip install pathspec pyyaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_unicode_gets_its_report(plain_repo):
    assert run(SCRIPT, cwd=plain_repo, PYTHONIOENCODING="ascii").returncode == 0


def test_it_names_no_key_that_it_finds(plain_repo):
    (plain_repo / "notes.txt").write_text(KEY)

    done = run(SCRIPT, "--json", cwd=plain_repo)

    assert done.returncode == 1
    assert KEY not in done.stdout


def test_its_help_lists_each_gate(plain_repo, check):
    listed = run(SCRIPT, "--help", cwd=plain_repo).stdout.partition("gates:\n")[2]

    assert [tuple(line.split(maxsplit=1)) for line in listed.splitlines()] == [
        (gate.id, gate.title) for gate in check.package.GATES
    ]


def test_a_gate_keeps_its_name(check):
    assert [gate.id for gate in check.package.GATES] == IDS.split()


def test_each_gate_says_why_it_is_there(check):
    for gate in check.package.GATES:
        assert len(gate.find.__doc__.split()) > 5, gate.title
