"""The client's CI runs the check, and sees what an update left undone and that there is a newer template."""

import os
import re
import sys

import pytest
import yaml
from client_check import run
from client_edits import RUN_RESULT
from commands import TEMPLATE, git

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
    ((_, _, day, month, weekday),) = (each["cron"].split() for each in workflow["on"]["schedule"])
    assert (day, month, weekday) == ("*", "*", "1")  # each Monday, as the manual says
    assert in_ci(client_repo, "ingestion", "The check passes").returncode == 0
    (client_repo / RUN_RESULT).unlink()
    assert in_ci(client_repo, "ingestion", "The check passes").returncode == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (RUN_RESULT, "<<<<<<< before updating\na\n=======\nb\n>>>>>>> after updating\n"),
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
    assert f"✗ No update was left half done [update-finished]\n    {file}:" in done.stdout


def answers_of(repo, source, text="events_lookback_hours: 2\n"):
    """Write the answers file of one more account, or of another template."""
    (repo / f".copier-answers.{source}.yml").write_text(f"_src_path: ../template\n{text}")


@pytest.mark.parametrize(
    ("status", "says", "result"),
    [("0", "newest", 0), ("2", "::error::", 1), ("1", "::notice::", 0)],
    ids=["the newest", "a newer one", "out of reach"],
)
def test_ci_looks_for_a_newer_template_where_it_can_be_reached(status, says, result, client_repo):
    done = in_ci(client_repo, "template", "The template is the newest", copier=status)

    assert says in done.stdout
    assert ".copier-answers.yml" in done.stdout
    assert done.returncode == result


def test_the_command_that_ci_prints_is_whole_and_updates(client_repo):
    done = in_ci(client_repo, "template", "The template is the newest", copier="2")
    (command,) = re.findall(r"Run (uvx .* copier update .*) \(docs/klaviyo.md, Updates\)", done.stdout)
    assert command == (
        "uvx --with copier-template-extensions copier update --trust --answers-file .copier-answers.yml"
    )
    manual = (client_repo / "docs/klaviyo.md").read_text(encoding="utf-8")
    assert (
        "uvx --with copier-template-extensions copier update --trust\n"
        in manual[manual.index("## Updates") :]
    )


def test_ci_checks_a_pull_request_once_and_one_from_elsewhere_too(client_repo):
    job = yaml.safe_load((client_repo / WORKFLOW).read_text(encoding="utf-8"))["jobs"]["ingestion"]
    pull_request, from_elsewhere = job["if"].split(" || ")
    assert pull_request == "github.event_name != 'pull_request'"
    assert from_elsewhere == "github.event.pull_request.head.repo.full_name != github.repository"


def test_what_ci_installs_and_runs_is_pinned_to_what_the_tests_have(client_repo):
    text = (client_repo / WORKFLOW).read_text(encoding="utf-8")
    actions = re.findall(r"uses: (\S+)(.*)", text)
    assert len(actions) == 4
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action, _ in actions)
    assert all(re.fullmatch(r"  # v[0-9.]+", version) for _, version in actions)
    packages = " ".join(re.findall("pip install --quiet (.*)", text)).split()
    assert len(packages) == 4
    locked = (TEMPLATE / "requirements.txt").read_text(encoding="utf-8")
    assert [each for each in packages if not re.search(rf"^{re.escape(each)}\b", locked, re.MULTILINE)] == []


@pytest.mark.parametrize("newer", ["", "klaviyo_uk", "klaviyo_zz"])
def test_ci_looks_at_each_account_and_at_no_other_template(newer, client_repo):
    for source in ("klaviyo_uk", "klaviyo_zz"):
        answers_of(client_repo, source)
    answers_of(client_repo, "other", text="project: acme\n")
    (client_repo / ".copier-answers.yml").rename(client_repo / ".copier-answers.klaviyo.yml")

    # The stand-in gets: check-update --quiet --answers-file FILE
    status = f'$(case "$4" in *{newer}.yml) echo 2 ;; *other*) echo 2 ;; *) echo 0 ;; esac)' if newer else "0"
    done = in_ci(client_repo, "template", "The template is the newest", copier=status)

    told = [line for line in done.stdout.splitlines() if ".copier-answers" in line]
    assert [re.search(r"\.copier-answers\S*yml", line)[0] for line in told] == [
        f".copier-answers.{source}.yml" for source in ("klaviyo", "klaviyo_uk", "klaviyo_zz")
    ]
    assert [line for line in told if "::error::" in line] == [
        line for line in told if newer and newer in line
    ]
    assert done.returncode == (1 if newer else 0)


def test_ci_says_so_where_there_is_nothing_to_look_at(client_repo):
    (client_repo / ".copier-answers.yml").unlink()
    done = in_ci(client_repo, "template", "The template is the newest", copier="2")

    assert "::notice::" in done.stdout
    assert done.returncode == 0


def test_without_ci_there_is_no_folder_for_it(copie_session, example_answers):
    result = copie_session.copy(extra_answers={**example_answers, "ci": "none"})

    assert not (result.project_dir / ".github").exists()
