"""`make release` tags what was tested, with its heading in the changelog, and nothing else."""

import shutil

import pytest
from commands import TEMPLATE, commit, git
from run_make import AS_SET_UP, make

HEADING = "## 0.2.0 - 2026-12-01"
TESTS = ["lint", "test", "test-updates", "test-many", "test-engine", "test-trino"]
# Takes the place of what tests: each only says that it ran, and fails if $FAILS names it.
RECORDED = f"""{" ".join(TESTS)}:
	@echo $@ >> ../ran
	@test $@ != "$$FAILS"
"""


@pytest.fixture
def checkout(tmp_path):
    """A maintainer's checkout before a release: the Makefile and a changelog, committed."""
    (tmp_path / "checkout").mkdir()
    shutil.copy(TEMPLATE / "Makefile", tmp_path / "checkout")
    (tmp_path / "checkout/CHANGELOG.md").write_text("# Changelog\n\n## 0.1.0 - 2026-11-24\n")
    (tmp_path / "recorded.mk").write_text(RECORDED)
    commit(tmp_path / "checkout")
    git("tag", "0.1.0", cwd=tmp_path / "checkout")
    return tmp_path / "checkout"


def release(checkout, version="0.2.0", **environment):
    files = ("--file=Makefile", "--file=../recorded.mk")
    return make(checkout, *files, *AS_SET_UP, "release", f"VERSION={version}", **environment)


def write_heading(checkout, heading=HEADING):
    (checkout / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n\n## 0.1.0 - 2026-11-24\n")


def state(checkout):
    return git("tag", cwd=checkout), git("log", cwd=checkout), git("status", "--porcelain", cwd=checkout)


def test_a_release_runs_every_test_commits_the_changelog_and_tags_it(checkout):
    write_heading(checkout)
    run = release(checkout)
    assert run.returncode == 0, run.stderr
    assert (checkout.parent / "ran").read_text().split() == TESTS
    assert git("log", "-1", "--format=%D %s", cwd=checkout).endswith("tag: 0.2.0 Release 0.2.0\n")
    assert HEADING in git("show", "0.2.0:CHANGELOG.md", cwd=checkout)
    assert git("status", "--porcelain", cwd=checkout) == ""
    assert "git push origin HEAD 0.2.0" in run.stdout


def test_a_changelog_that_is_committed_is_tagged_as_it_is(checkout):
    write_heading(checkout)
    commit(checkout)
    before = git("rev-parse", "HEAD", cwd=checkout)
    assert release(checkout).returncode == 0
    assert git("rev-parse", "0.2.0", cwd=checkout) == before


def test_a_test_that_fails_leaves_neither_commit_nor_tag(checkout):
    write_heading(checkout)
    before = state(checkout)
    assert release(checkout, FAILS="test-many").returncode != 0
    assert state(checkout) == before


@pytest.mark.parametrize(
    ("heading", "version", "told"),
    [
        (HEADING, "", "Say which version"),
        (HEADING, "v0.2.0", "Say which version"),
        (HEADING, "0.3.0", "the first heading must be ## 0.3.0 - YYYY-MM-DD"),
        ("## 0.2.0 - soon", "0.2.0", "the first heading must be ## 0.2.0 - YYYY-MM-DD"),
        (f"## Unreleased\n\n{HEADING}", "0.2.0", "the first heading must be ## 0.2.0"),
        ("## 0.1.0 - 2026-11-24", "0.1.0", "0.1.0 is a tag already"),
    ],
)
def test_a_version_that_is_not_the_newest_heading_is_refused_before_any_test(
    checkout, heading, version, told
):
    write_heading(checkout, heading)
    before = state(checkout)
    run = release(checkout, version)
    assert run.returncode != 0
    assert told in run.stderr
    assert state(checkout) == before
    assert not (checkout.parent / "ran").exists()


@pytest.mark.parametrize("path", ["Makefile", "new file"])
def test_a_change_outside_the_changelog_is_named_and_not_released(checkout, path):
    write_heading(checkout)
    with (checkout / path).open("a") as file:
        file.write("\n# not committed\n")
    before = state(checkout)
    run = release(checkout)
    assert run.returncode != 0
    assert path in run.stderr
    assert state(checkout) == before
