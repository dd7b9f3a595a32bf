"""The client's CI runs the check, and sees what an update left undone and that there is a newer template."""

import os
import sys

import pytest
import yaml
from by_hand import git
from client_check import run
from client_edits import RESULT

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
    assert in_ci(client_repo, "ingestion", "The check passes").returncode == 0
    (client_repo / RESULT).unlink()
    assert in_ci(client_repo, "ingestion", "The check passes").returncode == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (RESULT, "<<<<<<< before updating\na\n=======\nb\n>>>>>>> after updating\n"),
        ("README.md", "one line\n>>>>>>> after updating\n"),
        ("README.md.rej", "--- README.md\n"),
    ],
    ids=["markers", "half of them", "a rejected patch"],
)
def test_ci_finds_what_an_update_left_undone(file, text, client_repo):
    (client_repo / file).write_text(text)
    git("add", "--force", file, cwd=client_repo)

    done = in_ci(client_repo, "ingestion", "The check passes")

    assert done.returncode == 1
    assert f"✗ No update was left half done\n    {file}:" in done.stdout


@pytest.mark.parametrize(
    ("status", "says", "result"),
    [(0, "newest", 0), (2, "::error::", 1), (1, "::notice::", 0)],
    ids=["the newest", "a newer one", "out of reach"],
)
def test_ci_looks_for_a_newer_template_where_it_can_be_reached(status, says, result, client_repo):
    done = in_ci(client_repo, "template", "The template is the newest", copier=status)

    assert says in done.stdout
    assert done.returncode == result


def test_without_ci_there_is_no_folder_for_it(copie_session, example_answers):
    result = copie_session.copy(extra_answers={**example_answers, "ci": "none"})

    assert not (result.project_dir / ".github").exists()
