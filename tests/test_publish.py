"""What main's changelog begins with is tagged and released once, with its heading's text: `make publish`."""

import os
import shutil

import pytest
from commands import TEMPLATE, commit, copy, git
from run_make import make

# Takes the place of GitHub's command: releases are files beside the clone, whose tags it makes and pushes.
GH = """#!/bin/sh
echo "$@" >> "$GH_LOG"
case "$2" in
  view) if [ -n "$GH_FAILS" ]; then echo "$GH_FAILS" >&2; exit 1; fi
        [ -e "$RELEASES/$3" ] || { echo "release not found" >&2; exit 1; } ;;
  create) cat > "$RELEASES/$3"; git rev-parse --quiet --verify "refs/tags/$3" || git tag "$3" "$5"; git push --quiet origin "$3" ;;
esac
"""
CHANGELOG = """# Changelog

Versions follow PEP 440.

{heading}

To update: `copier update`.

### Added

- A thing.

## 0.1.0 - 2026-11-24

- Another.
"""


@pytest.fixture
def clone(tmp_path):
    """A clone of a repository that has been released as 0.1.0, without a tag, and what publishes it."""
    origin = tmp_path / "origin"
    (origin / ".ci").mkdir(parents=True)
    for file in ("Makefile", ".ci/release.py"):
        shutil.copy(TEMPLATE / file, origin / file)
    commit(origin)
    git("clone", "--quiet", origin, tmp_path / "clone", cwd=tmp_path)
    (tmp_path / "releases").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text(GH)
    (tmp_path / "bin/gh").chmod(0o755)
    return tmp_path / "clone"


def publish(clone, heading, **environment):
    folder = clone.parent
    (clone / "CHANGELOG.md").write_text(CHANGELOG.format(heading=heading), encoding="utf-8")
    if git("status", "--porcelain", cwd=clone):
        commit(clone)
    environment |= {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "RELEASES": str(folder / "releases")}
    return make(clone, "publish", GH_LOG=str(folder / "log"), **environment)


def released(clone):
    return {file.name: file.read_text(encoding="utf-8") for file in (clone.parent / "releases").iterdir()}


def test_a_version_is_tagged_at_this_commit_and_released_with_the_text_of_its_heading_alone(clone):
    ended = publish(clone, "## 1.0.0 - 2026-12-01")
    assert ended.returncode == 0, ended.stderr
    assert released(clone) == {"1.0.0": "To update: `copier update`.\n\n### Added\n\n- A thing."}
    tagged = git("ls-remote", "--tags", "origin", "1.0.0", cwd=clone)
    assert tagged.split()[0] == git("rev-parse", "HEAD", cwd=clone).strip()


def test_a_client_s_repo_says_the_version_that_was_released(clone, pristine_template, tmp_path):
    shutil.copytree(pristine_template, clone, dirs_exist_ok=True)
    publish(clone, "## 1.0.0 - 2026-12-01")
    repo = copy(tmp_path / "origin", tmp_path / "acme")
    assert "\n_commit: 1.0.0\n" in (repo / ".copier-answers.yml").read_text(encoding="utf-8")


def test_a_version_is_released_once_and_its_tag_stays(clone):
    publish(clone, "## 1.0.0 - 2026-12-01")
    first = git("rev-parse", "1.0.0", cwd=clone)
    (clone / "more").write_text("later")
    ended = publish(clone, "## 1.0.0 - 2026-12-01")
    assert ended.returncode == 0
    assert "1.0.0 is released already.\n" in ended.stdout
    assert git("rev-parse", "1.0.0", cwd=clone) == first


@pytest.mark.parametrize("heading", ["## Unreleased", "## 1.0.0", "## 1.0.0rc1 - 2026-12-01"])
def test_where_the_changelog_begins_with_no_version_nothing_is_released(clone, heading):
    ended = publish(clone, heading)
    assert ended.returncode == 0, ended.stderr
    assert released(clone) == {}
    assert not (clone.parent / "log").exists()


def test_where_github_does_not_answer_nothing_is_released_and_it_says_so(clone):
    ended = publish(clone, "## 1.0.0 - 2026-12-01", GH_FAILS="HTTP 502")
    assert ended.returncode != 0
    assert "cannot tell whether 1.0.0 is released: HTTP 502" in ended.stderr
    assert released(clone) == {}
