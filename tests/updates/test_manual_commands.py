"""Changing an answer, and dev and prod, work as docs/klaviyo.md says."""

import re
import shlex

import pytest
from commands import DEFAULTS, append, commit, contents, copier, copy, edit, git, made_of, release, update

INCREMENTAL = "ingestion/klaviyo_ingest_inc.dig"
WORKFLOWS = "includes/ingest.dig.jinja"


def manual(repo):
    return (repo / "docs/klaviyo.md").read_text(encoding="utf-8")


def run(command, cwd):
    """Run a line of the manual, each command of which must succeed."""
    for each in command.split(" && "):
        words = shlex.split(each)
        if words[0] == "git":
            git(*words[1:], cwd=cwd)
        else:
            ended = copier(*words[words.index("copier") + 1 :], cwd=cwd)
            assert ended.exit_code == 0, (command, ended.output)


def test_each_command_that_changes_an_answer_changes_it(acme):
    change = manual(acme).partition("## Change it")[2]
    command, example = re.search(r"^(uvx .* copier update .*) (-d \S+)$", change, re.MULTILINE).groups()
    rows = re.findall(r"`(-d [^`]*)`", change)
    assert example in rows and len(rows) > 10
    for command in (f"{command} {row}" for row in rows):
        run(command, acme)
        assert ".copier-answers.yml" in git("status", "--porcelain", cwd=acme), command
        git("add", "--all", cwd=acme)
        git("reset", "--quiet", "--hard", cwd=acme)


@pytest.fixture
def branches(acme):
    """The repo on its branch prod, beside which the manual has made dev."""
    git("branch", "--move", "prod", cwd=acme)
    fenced = re.findall(r"^```\w*\n(.*?)^```$", manual(acme), re.DOTALL | re.MULTILINE)
    (block,) = (text for text in fenced if "checkout" in text)
    for line in block.splitlines():
        run(line, acme)
    return acme


def answers(repo):
    text = (repo / ".copier-answers.yml").read_text(encoding="utf-8")
    return {
        name: re.search(rf"^{name}: (.*)$", text, re.MULTILINE)[1]
        for name in ("td_project", "target_database")
    }


PROD = {"td_project": "ingestion", "target_database": "client_src"}
DEV = {"td_project": "ingestion_dev", "target_database": "client_src_dev"}


def files_with(repo, word):
    return {path for path, text in contents(repo).items() if path.startswith("ingestion/") and word in text}


def test_dev_and_prod_have_answers_of_their_own(branches):
    assert answers(branches) == PROD
    prod = files_with(branches, b"client_src")
    assert files_with(branches, b"client_src_dev") == set()
    git("checkout", "--quiet", "dev", cwd=branches)
    assert answers(branches) == DEV
    assert files_with(branches, b"client_src_dev") == prod


def test_an_edit_and_an_update_of_dev_get_to_prod_without_the_answers(released, branches):
    git("checkout", "--quiet", "dev", cwd=branches)
    append(branches / INCREMENTAL, "# by the client\n")
    commit(branches)
    edit(released / WORKFLOWS, "timezone: UTC\n", "timezone: UTC  # fixed\n")
    append(made_of(released, "ingestion/query_samples/klaviyo_monitoring.sql"), "-- fixed\n")
    release(released, "1.1.0")
    update(branches)
    commit(branches)
    git("checkout", "--quiet", "prod", cwd=branches)
    git("merge", "--quiet", "--no-edit", "dev", cwd=branches)
    assert answers(branches) == PROD
    fresh = contents(copy(released, branches.parent / "fresh"))
    fresh[INCREMENTAL] += b"# by the client\n"
    now = contents(branches)
    assert [path for path in fresh.keys() | now if fresh.get(path) != now.get(path)] == []
    ended = copier("update", *DEFAULTS, cwd=branches)
    assert ended.exit_code == 0, ended.output
    assert git("status", "--porcelain", cwd=branches) == ""
