"""The client's own check finds what a person breaks, lets pass what is right, and never stumbles."""

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import pytest
import yaml
from check_edits import (
    A_KEY,
    ADDITIONS,
    CREDENTIALS,
    DATABASE,
    DATASOURCES,
    EVENTS,
    FAILED,
    HARMLESS,
    INC,
    LOG_ERROR,
    MUTATIONS,
    REMOVALS,
    SECOND_SOURCE,
    WINDOW,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCRIPT = "scripts/check_ingestion.py"


@pytest.fixture(scope="session")
def check(example_repo, tmp_path_factory):
    """What the example repo's own check offers: check(), report() and the gates."""
    scripts = shutil.copytree(example_repo / "scripts", tmp_path_factory.mktemp("check") / "scripts")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(scripts)
        package = import_module("ingestion_check")
        catalogue = import_module("ingestion_check.catalogue").CATALOGUE
    return {**vars(package), "check": lambda root: package.check(package.Folder(root), catalogue)}


@pytest.fixture
def plain_repo(example_repo, tmp_path):
    """A copy of the example repo, outside git, for a test to change."""
    return shutil.copytree(example_repo, tmp_path / "plain")


def failures(check, repo):
    """The report's lines about what failed."""
    lines = check["report"](check["check"](repo)).split("\n")
    return [line for line in lines if not line.startswith("✓")]


def edit(repo, file, old, new):
    text = (repo / file).read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    (repo / file).write_text(text.replace(old, new, 1), encoding="utf-8")


# ---------------------------------------------------------------------------------------------
# What it finds
# ---------------------------------------------------------------------------------------------


def named(mutation, repo):
    """Make the edit, and tell which file and line the check must name."""
    file = repo / mutation.file
    before = file.read_text(encoding="utf-8")
    assert mutation.old in before, "this mutation changes nothing"
    after = before.replace(mutation.old, mutation.new, 1)
    file.write_text(after, encoding="utf-8", errors="surrogateescape")
    where = mutation.at or mutation.file
    text = (repo / where).read_text(encoding="utf-8") if mutation.at else after
    if mutation.found:
        start = text.index(mutation.found)
    else:
        start = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))))
    return where, text.count("\n", 0, start) + 1


def problems_of(check, repo, gate):
    """What one gate finds."""
    name = check[gate].title
    return [problem for found in check["check"](repo) if found.name == name for problem in found.problems]


@pytest.mark.parametrize(
    ("gate", "mutation"),
    [
        pytest.param(gate, mutation, id=f"{gate}-{n}")
        for gate, ms in MUTATIONS.items()
        for n, mutation in enumerate(ms)
    ],
)
def test_an_edit_that_breaks_something_is_found_in_its_line(gate, mutation, check, plain_repo):
    path, line = named(mutation, plain_repo)

    found = problems_of(check, plain_repo, gate)

    assert (path, line) in [problem[:2] for problem in found], failures(check, plain_repo)


@pytest.mark.parametrize(("gate", "file", "at", "line"), REMOVALS)
def test_a_file_that_is_missing_is_found_where_it_is_named(gate, file, at, line, check, plain_repo):
    (plain_repo / file).unlink()
    number = (plain_repo / at).read_text(encoding="utf-8").split("\n").index(line) + 1 if line else 1

    assert (at, number) in [problem[:2] for problem in problems_of(check, plain_repo, gate)]


@pytest.mark.parametrize(("gate", "file", "text", "line"), ADDITIONS)
def test_a_file_that_should_not_be_there_is_found(gate, file, text, line, check, plain_repo):
    (plain_repo / file).write_text(text, encoding="utf-8")

    assert [problem[:2] for problem in problems_of(check, plain_repo, gate)] == [(file, line)]


def test_credentials_that_are_in_git_are_found(check, client_repo):
    subprocess.run(["git", "add", "--force", CREDENTIALS], cwd=client_repo, check=True)

    assert [problem[:2] for problem in problems_of(check, client_repo, "credentials_stay_here")] == [
        (".gitignore", 1)
    ]


def test_a_key_in_a_file_that_git_ignores_is_found_where_it_would_be_pushed(check, client_repo):
    (client_repo / ".gitignore").open("a").write("/ingestion/*.bak\n*.txt\n")
    for file in ("ingestion/credentials.bak", "mine.txt"):
        (client_repo / file).write_text(A_KEY)

    assert [problem[:2] for problem in problems_of(check, client_repo, "no_key_is_shared")] == [
        ("ingestion/credentials.bak", 1)
    ]


# ---------------------------------------------------------------------------------------------
# What it lets pass
# ---------------------------------------------------------------------------------------------


def test_a_new_repo_passes_with_git_and_without(check, plain_repo, client_repo):
    assert failures(check, plain_repo) == failures(check, client_repo) == []


CUSTOM = {
    "name": "flows",
    "inc_field": "updated_at",
    "inc_field_connector": "updated",
    "hist_field": "created_at",
    "hist_field_connector": "created",
}


@pytest.mark.parametrize(
    "answers",
    [
        {
            "custom_objects": [CUSTOM, {"name": "coupons"}],
            "schedule": "30 4 * * 1-5",
            "alert_email": "data@example.com",
        },
        {
            "metrics_load": "full",
            "schedule": "hourly",
            "ci": "none",
            "events_lookback_hours": 0,
            "target_database": "",
        },
        {"objects": ["events"], "schedule": "daily", "td_authentication_id": "klaviyo_acme"},
    ],
)
def test_whatever_is_answered_a_new_repo_passes(answers, check, copie_session, example_answers):
    repo = copie_session.copy(extra_answers={**example_answers, **answers}).project_dir

    assert failures(check, repo) == []
    assert run(SCRIPT, cwd=repo).returncode == 0


@pytest.mark.parametrize("edits", HARMLESS.values(), ids=HARMLESS)
def test_an_edit_that_breaks_nothing_passes(edits, check, plain_repo):
    for file, old, new in edits:
        edit(plain_repo, file, old, new)

    assert failures(check, plain_repo) == []


def test_another_source_beside_ours_passes(check, client_repo):
    for file, text in SECOND_SOURCE.items():
        (client_repo / file).parent.mkdir(exist_ok=True)
        (client_repo / file).write_text(text, encoding="utf-8")

    assert failures(check, client_repo) == []


def test_a_clone_without_credentials_passes(check, client_repo):
    (client_repo / CREDENTIALS).unlink()

    assert failures(check, client_repo) == []


def test_an_object_that_is_dropped_passes(check, plain_repo):
    datasources = plain_repo / DATASOURCES
    blocks = datasources.read_text(encoding="utf-8").split("\n\n")
    datasources.write_text(
        "\n\n".join(block for block in blocks if "name: lists" not in block), encoding="utf-8"
    )
    (plain_repo / "ingestion/config/klaviyo_lists_load.yml").unlink()

    assert failures(check, plain_repo) == []


def test_windows_line_ends_and_a_byte_order_mark_pass(check, plain_repo):
    for file in (plain_repo / "ingestion").rglob("*.*"):
        file.write_bytes(
            b"\xef\xbb\xbf" * (file.suffix == ".sql") + file.read_bytes().replace(b"\n", b"\r\n")
        )

    assert failures(check, plain_repo) == []


# ---------------------------------------------------------------------------------------------
# What it says
# ---------------------------------------------------------------------------------------------


def run(*arguments, python=(sys.executable,), cwd=None, **environment):
    """Run the check as a person does."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [*python, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_it_prints_a_line_a_gate_and_exits_with_0(plain_repo, check):
    done = run(plain_repo / SCRIPT, cwd="/")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[:-1] == [f"✓ {gate.title}" for gate in check["GATES"]]


def test_below_a_failed_gate_it_says_where_and_what_and_exits_with_1(plain_repo):
    edit(plain_repo, INC, "limit: 3", "limit: 6")

    done = run(SCRIPT, cwd=plain_repo)
    failed = [line for line in done.stdout.split("\n") if line and not line.startswith("✓")]

    assert (done.returncode, done.stderr) == (1, "")
    assert failed == [
        "✗ At most three loads run at once (_parallel: limit: 3)",
        f"    {INC}:36: limit must be 3 or less, or less still for one _parallel in another",
    ]


def test_as_json_it_gives_the_same(plain_repo):
    edit(plain_repo, INC, "limit: 3", "limit: 6")

    done = run(SCRIPT, "--json", cwd=plain_repo)
    (failed,) = (gate for gate in json.loads(done.stdout) if not gate["passed"])

    assert done.returncode == 1
    assert failed["name"] == "At most three loads run at once (_parallel: limit: 3)"
    assert [(problem["path"], problem["line"]) for problem in failed["problems"]] == [(INC, 36)]


def test_it_checks_the_repo_that_is_named_or_else_the_current_folder(plain_repo, tmp_path):
    shutil.copytree(plain_repo / "scripts", tmp_path, dirs_exist_ok=True)
    script = tmp_path / "check_ingestion.py"

    assert run(script, plain_repo, cwd="/").returncode == 0
    assert run(script, cwd=plain_repo).returncode == 0
    assert run(script, cwd=tmp_path).returncode == 1


def test_it_takes_less_than_three_tenths_of_a_second(client_repo):
    def seconds():
        before = os.times()
        assert run(SCRIPT, cwd=client_repo).returncode == 0
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(seconds() for _ in range(3)) < 0.3


def test_without_git_it_reads_the_ignore_files_itself(plain_repo):
    assert run(SCRIPT, cwd=plain_repo, PATH="").returncode == 0


def test_without_pyyaml_it_says_how_to_get_it(plain_repo):
    done = run("-E", "-S", SCRIPT, cwd=plain_repo)

    assert done.returncode == 1
    assert "uv run scripts/check_ingestion.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_unicode_gets_its_report(plain_repo):
    assert run(SCRIPT, cwd=plain_repo, PYTHONIOENCODING="ascii").returncode == 0


def test_it_names_no_key_that_it_finds(plain_repo):
    (plain_repo / "notes.txt").write_text(A_KEY)

    done = run(SCRIPT, "--json", cwd=plain_repo)

    assert done.returncode == 1
    assert A_KEY not in done.stdout


# ---------------------------------------------------------------------------------------------
# In CI
# ---------------------------------------------------------------------------------------------

WORKFLOW = ".github/workflows/check.yml"


def in_ci(repo, job, step, **commands):
    """Run a step of the workflow as a runner does, with commands that only exit with a status."""
    bin = repo.parent / "bin"
    bin.mkdir(exist_ok=True)
    exits = {name: f"exit {status}" for name, status in {"pip": 0, **commands}.items()}
    for name, line in {**exits, "python": f'exec {sys.executable} "$@"'}.items():
        (bin / name).write_text(f"#!/bin/sh\n{line}\n")
        (bin / name).chmod(0o755)
    steps = yaml.safe_load((repo / WORKFLOW).read_text(encoding="utf-8"))["jobs"][job]["steps"]
    script = next(found["run"] for found in steps if found.get("name") == step)
    return run("-e", "-c", script, python=["bash"], cwd=repo, PATH=f"{bin}:{os.environ['PATH']}")


def test_ci_runs_the_check_with_least_privileges(client_repo):
    workflow = yaml.load((client_repo / WORKFLOW).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)

    assert workflow["permissions"] == {"contents": "read"}
    assert {"push", "pull_request", "schedule"} <= set(workflow["on"])
    assert in_ci(client_repo, "ingestion", "The quality gates hold").returncode == 0
    (client_repo / FAILED).unlink()
    assert in_ci(client_repo, "ingestion", "The quality gates hold").returncode == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            FAILED,
            "<<<<<<< before updating\na\n=======\nb\n>>>>>>> after updating\n",
        ),
        ("README.md", "one line\n>>>>>>> after updating\n"),
        ("README.md.rej", "--- README.md\n"),
    ],
)
def test_ci_finds_what_an_update_left_undone(file, text, client_repo):
    assert in_ci(client_repo, "ingestion", "No update was left half done").returncode == 0
    (client_repo / file).write_text(text)
    subprocess.run(["git", "add", "--force", file], cwd=client_repo, check=True)

    done = in_ci(client_repo, "ingestion", "No update was left half done")

    assert done.returncode == 1
    assert file in done.stdout


@pytest.mark.parametrize(
    ("status", "says", "result"), [(0, "newest", 0), (2, "::error::", 1), (1, "::notice::", 0)]
)
def test_ci_looks_for_a_newer_template_where_it_can_be_reached(status, says, result, client_repo):
    done = in_ci(client_repo, "template", "The template is the newest", copier=status)

    assert says in done.stdout
    assert done.returncode == result


def test_without_ci_there_is_no_folder_for_it(copie_session, example_answers):
    result = copie_session.copy(extra_answers={**example_answers, "ci": "none"})

    assert not (result.project_dir / ".github").exists()


# ---------------------------------------------------------------------------------------------
# What it stumbles over: nothing
# ---------------------------------------------------------------------------------------------

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
BROKEN = {
    "empty": b"",
    "a comment": b"# nothing\n",
    "a list": b"- a\n- b: c\n",
    "a number": b"42\n",
    "not UTF-8": b"a: \xff\xfe\n",
    "control characters": b"a: \x00\x07\n",
    "unclosed": b"a: [b, {c: 'd\n",
    "deep flow": b"[" * 2_000,
    "deep blocks": b"".join(b" " * n + b"a:\n" for n in range(600)),
    "deep braces": b"a: ${" + b"{" * 20_000 + b"\n",
    "unclosed variables": b"${" * 20_000,
    "open parentheses": b"SELECT COALESCE(" * 2_000,
    "an anchor in itself": b"a: &a [*a]\nb: &b {c: *b}\n",
    "anchors that multiply": BOMB.encode(),
    "includes itself": b"!include : database.yml\n!include : klaviyo_ingest_inc.dig\n!include : ../x.yml\n",
    "odd keys": b"? [a]\n: b\n? {c: d}\n: e\n1: f\nnull: g\n<<: h\n<<: [i, j]\n!include : [k]\n",
    "odd tags": b"a: !!binary x\nb: !!timestamp 2\nc: !include d\ne: !<x> f\n",
    "two documents": b"a: b\n---\nc: d\n",
    "huge": b"a: b\n" * 400_000,
}
FILES = (
    *(INC, DATABASE, DATASOURCES, EVENTS, WINDOW, LOG_ERROR, CREDENTIALS),
    "ingestion/.digdagignore",
    ".gitignore",
)


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_reported_whichever_it_is(content, check, plain_repo):
    for file in FILES:
        whole = (plain_repo / file).read_bytes()
        (plain_repo / file).write_bytes(content)
        check["report"](check["check"](plain_repo))
        (plain_repo / file).write_bytes(whole)


@pytest.mark.parametrize("file", FILES)
def test_what_is_no_file_is_reported(file, check, plain_repo):
    path = plain_repo / file
    path.unlink()
    for make in (
        path.mkdir,
        lambda: path.symlink_to(path),
        lambda: path.symlink_to("nowhere"),
        lambda: os.mkfifo(path),
    ):
        make()
        assert failures(check, plain_repo) or file == CREDENTIALS
        path.rmdir() if path.is_dir() else path.unlink()


def test_folders_that_contain_themselves_end(check, plain_repo):
    (plain_repo / "ingestion/loop").symlink_to("..")
    (plain_repo / "loop").symlink_to(".")

    assert failures(check, plain_repo) == []


@pytest.mark.parametrize("make", [None, Path.touch, Path.mkdir])
def test_a_repo_without_workflows_is_reported(make, check, tmp_path):
    if make:
        make(tmp_path / "ingestion")

    assert failures(check, tmp_path)
    assert failures(check, tmp_path / "missing")


JUNK = [
    *(
        "",
        "x",
        "[]",
        "{}",
        "[a, {b: c}]",
        "{a: {b: [c]}}",
        "|",
        ">-",
        "&a [*a]",
        "*a",
        "!include : x",
        "!include x",
    ),
    *(
        "${",
        "${}",
        "${a.b.c}",
        "${'",
        "null",
        "~",
        "0x1F",
        "true",
        "-1",
        "'",
        '"',
        "\t",
        "#",
        "<<: {a: b}",
        "? x",
        "- y",
    ),
]
DAMAGE = {
    "its value": lambda line, junk: [line.partition(":")[0] + ": " + junk],
    "its key": lambda line, junk: [indent_of(line) + junk + ":" + line.partition(":")[2]],
    "all of it": lambda line, junk: [indent_of(line) + junk],
    "nothing, but it stands twice": lambda line, junk: [line, line],
    "gone": lambda line, junk: [],
    "deeper": lambda line, junk: ["  " + line],
}


def indent_of(line):
    return line[: len(line) - len(line.lstrip())]


@settings(
    derandomize=True,
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    file=st.sampled_from(FILES),
    edits=st.lists(
        st.tuples(
            st.integers(0, 200), st.sampled_from(list(DAMAGE)), st.sampled_from(JUNK) | st.text(max_size=8)
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_random_damage_never_ends_in_a_traceback(file, edits, check, plain_repo):
    path = plain_repo / file
    whole = path.read_text(encoding="utf-8")
    lines = whole.split("\n")
    for number, damage, junk in edits:
        at = number % len(lines)
        lines[at : at + 1] = DAMAGE[damage](lines[at], junk) or [""]
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        json.dumps(check["check"](plain_repo))
    finally:
        path.write_text(whole, encoding="utf-8")
