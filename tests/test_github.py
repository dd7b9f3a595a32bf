"""GitHub runs what the Makefile has, on all that is promised, with pinned actions and no more rights than needed."""

import re
import shutil

import pytest
import yaml
from commands import TEMPLATE
from run_make import AS_SET_UP, make

WORKFLOWS = sorted((TEMPLATE / ".github/workflows").glob("*.yml"))
ALL = "".join(file.read_text(encoding="utf-8") for file in WORKFLOWS)
TARGETS = re.findall(r"^([\w-]+):", (TEMPLATE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def jobs():
    return {
        name: job
        for file in WORKFLOWS
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items()
    }


def steps():
    return [step for job in jobs().values() for step in job.get("steps", [])]


def test_each_step_runs_a_target_of_the_makefile_and_nothing_else():
    commands = [step["run"] for step in steps() if "run" in step]
    assert {command.removeprefix("make ") for command in commands} <= set(TARGETS)
    assert {"make lint", "make test", "make test-updates", "make test-engine", "make publish"} <= set(
        commands
    )


def test_each_action_is_pinned_to_a_commit_and_says_which_version_it_is():
    used = re.findall(r"uses: (?!\./)(.*)", ALL)
    assert len(used) > 6
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action), action
    assert len(set(used)) == len({action.partition("@")[0] for action in used}), "two versions of one action"


def test_only_the_job_that_releases_may_write_and_none_keeps_the_token_in_the_clone():
    for name, job in jobs().items():
        assert job["permissions"] == {"contents": "write" if name == "release" else "read"}, name
    client = TEMPLATE / "example/.github/workflows/check.yml"
    for file in (*WORKFLOWS, client):
        text = file.read_text(encoding="utf-8")
        assert text.count("persist-credentials: false") == text.count("actions/checkout@"), file


def test_what_releases_waits_for_all_tests():
    called = jobs()
    assert called["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert called["release"]["needs"] == "ci"


def test_the_oldest_and_the_newest_python_and_copier_are_those_that_are_promised():
    matrix = jobs()["tests"]["strategy"]["matrix"]
    settings = yaml.safe_load((TEMPLATE / "copier.yml").read_text(encoding="utf-8"))
    assert matrix["copier"] == [settings["_min_copier_version"], ""]
    oldest = re.search(r"Python (3\.\d+) or newer", (TEMPLATE / "README.md").read_text(encoding="utf-8"))[1]
    assert matrix["python"][0] == oldest
    assert all(step["with"]["python-version"] in ("3.14", "${{ matrix.python }}") for step in steps()
               if "setup-python" in step.get("uses", ""))  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout-minutes: 20", "timeout-minute: 20"),
        ("@fbc6f3992d24b796d5a048ff273f7fcc4a7b6c09 # v5.1.0", "@v5"),
        ("- run: make lint", "- run: make lint ${{ github.head_ref }}"),
    ],
    ids=["an unknown key", "an action that is not pinned", "a branch's name in a command"],
)
def test_lint_finds_what_is_wrong_in_a_workflow(tmp_path, old, new):
    shutil.copytree(TEMPLATE / ".github", tmp_path / ".github")
    command = (*AS_SET_UP, "lint-github", f"GITHUB={tmp_path}/.github")
    ended = make(TEMPLATE, *command)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    workflow = tmp_path / ".github/workflows/ci.yml"
    text = workflow.read_text(encoding="utf-8")
    assert old in text
    workflow.write_text(text.replace(old, new), encoding="utf-8")
    assert make(TEMPLATE, *command).returncode != 0
