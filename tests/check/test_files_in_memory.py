"""The gates judge files that are yet to be written as they would judge them in a folder."""

from collections import Counter

import pytest
import yaml
from client_edits import CREDENTIALS, INC, RUN_RESULT, Edit, Entry, edits
from commands import append


def in_memory(repo):
    """The texts of a repo's files, but for the credentials."""
    files = {path.relative_to(repo).as_posix(): path for path in repo.rglob("*") if path.is_file()}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items() if name != CREDENTIALS}


@pytest.fixture
def judge(check):
    """Gives what the gates say of texts."""
    package = check.package
    return lambda texts: package.check(package.Rendered(texts), check.data_sources)


def test_every_gate_but_those_of_git_and_the_credentials_is_asked(check, judge, plain_repo):
    results = judge(in_memory(plain_repo))

    left_out = {gate.id for gate in check.package.GATES} - {result.id for result in results}
    assert left_out == {
        "credentials-file",
        "leaked-keys",
        "update-finished",
        "keys-in-history",
        "leaked-token",
        "git-takes-files",
        "github-workflow",
    }
    assert [result for result in results if result.problems] == []


@edits(
    {
        "in a workflow": Edit(INC, "limit: 3", "limit: 4"),
        "in a datasource": Entry("klaviyo_campaigns", "incremental_field", "updated"),
        "a name of no file": Edit(INC, "td>: sql/klaviyo_run_result.sql", "td>: sql/klaviyo_run_results.sql"),
        "a file that cannot be read": Edit(INC, "  td:\n    database", "\ttd:\n    database"),
    }
)
def test_they_find_the_same_in_the_same_lines(edit, check, judge, plain_repo):
    place = edit.make(plain_repo)

    results = judge(in_memory(plain_repo))

    on_disk = {result.id: result.problems for result in check.results(plain_repo)}
    assert place in [problem[:2] for result in results for problem in result.problems]
    assert [on_disk[result.id] for result in results] == [result.problems for result in results]


def test_a_file_that_is_missing_is_found(judge, plain_repo):
    texts = in_memory(plain_repo)
    del texts[RUN_RESULT]

    failed = [result.id for result in judge(texts) if result.problems]
    assert failed[0] == "files-exist"


def test_texts_without_workflows_are_reported(judge):
    assert [result.title for result in judge({"README.md": ""})] == ["There are workflows"]


def test_files_that_are_checked_twice_are_parsed_once(check, plain_repo, monkeypatch):
    composed, compose = Counter(), yaml.compose

    def counting(text, **how):
        composed[text] += 1
        return compose(text, **how)

    monkeypatch.setattr(yaml, "compose", counting)
    append(plain_repo / "ingestion/klaviyo_ingest_inc.dig", "# read by no other test\n")
    for _ in range(2):
        check.results(plain_repo)
    assert composed.most_common(1)[0][1] == 1
