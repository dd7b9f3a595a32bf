"""Updates work from wherever a template may be, whatever its tags say; if not, Copier says why."""

import re
import shutil

import pytest
from commands import (
    ANSWERS,
    DEFAULTS,
    DOCUMENTED,
    append,
    commit,
    contents,
    copier,
    copy,
    edit,
    git,
    release,
    update,
)
from packaging.version import Version

INCREMENTAL = "ingestion/klaviyo_ingest_inc.dig"


def fix(template):
    edit(template / "includes/ingest.dig.jinja", "timezone: UTC\n", "timezone: UTC  # fixed\n")


def is_fixed(repo):
    return "timezone: UTC  # fixed\n" in (repo / INCREMENTAL).read_text(encoding="utf-8")


def check_refusal(repo, words, arguments=()):
    """Check that an update is refused in these words, that docs/updates.md has them, and that nothing changes."""
    before = contents(repo)
    ended = copier("update", *DEFAULTS, *arguments, cwd=repo)
    assert ended.exit_code == 1
    assert words in ended.output
    assert words in DOCUMENTED
    assert contents(repo) == before


def fix_answers(repo, name, line):
    """Replace the line of a name in the answers file, as docs/updates.md says, and commit it."""
    answers = repo / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    answers.write_text(re.sub(rf"^{name}: .*", line, text, flags=re.MULTILINE), encoding="utf-8")
    commit(repo)


def test_updates_work_without_tags_and_across_the_first_one_from_a_url(released, tmp_path):
    git("tag", "--delete", "1.0.0", cwd=released)
    repo = copy(f"git+file://{released}", tmp_path / "repo")
    fix(released)
    commit(released)
    update(repo)
    assert is_fixed(repo)
    commit(repo)
    release(released, "0.1.0")
    update(repo)
    assert "_commit: 0.1.0\n" in (repo / ".copier-answers.yml").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::copier.errors.ShallowCloneWarning")
def test_updates_work_from_a_shallow_clone_that_has_the_old_version(released, tmp_path):
    git("clone", "--quiet", "--depth", "1", f"file://{released}", "shallow", cwd=tmp_path)
    repo = copy(tmp_path / "shallow", tmp_path / "repo")
    fix(released)
    release(released, "1.1.0")
    git("pull", "--quiet", "--tags", cwd=tmp_path / "shallow")
    update(repo)
    assert is_fixed(repo)


def test_a_relative_path_of_a_template_is_stored_whole(released, tmp_path):
    (tmp_path / "clients").mkdir()
    ended = copier("copy", *ANSWERS, "../released", "acme", cwd=tmp_path / "clients")
    assert ended.exit_code == 0, ended.output
    answers = (tmp_path / "clients/acme/.copier-answers.yml").read_text(encoding="utf-8")
    assert f"_src_path: {released}\n" in answers


def test_a_newer_version_is_seen_by_check_update(released, acme):
    assert copier("check-update", "--quiet", cwd=acme).exit_code == 0
    release(released, "1.1.0")
    assert copier("check-update", "--quiet", cwd=acme).exit_code == 2


def test_an_older_copier_says_which_version_it_must_be(acme, monkeypatch):
    monkeypatch.setattr("copier._template.copier_version", lambda: Version("9.18.2"))
    check_refusal(acme, "This template requires Copier version >= 9.19.0")


def test_a_copy_made_past_a_tag_waits_for_the_next(released, tmp_path):
    fix(released)
    commit(released)
    repo = copy(released, tmp_path / "repo", "--vcs-ref", "HEAD")
    check_refusal(repo, "You are downgrading from")
    git("tag", "1.0.1", cwd=released)
    update(repo)


def test_a_copy_of_a_dirty_template_needs_a_commit_that_exists(released, tmp_path):
    fix(released)
    repo = copy(released, tmp_path / "repo", "--vcs-ref", "HEAD")
    git("checkout", "--quiet", ".", cwd=released)
    check_refusal(repo, "Unknown revision")
    fix_answers(repo, "_commit", "_commit: 1.0.0")
    update(repo)


@pytest.mark.filterwarnings("ignore::copier.errors.ShallowCloneWarning")
def test_a_shallow_clone_without_the_old_version_needs_its_history(released, acme, tmp_path):
    release(released, "1.1.0")
    git("clone", "--quiet", "--depth", "1", f"file://{released}", "shallow", cwd=tmp_path)
    fix_answers(acme, "_src_path", f"_src_path: {tmp_path}/shallow")
    check_refusal(acme, "Unknown revision")
    git("fetch", "--quiet", "--unshallow", "--tags", cwd=tmp_path / "shallow")
    update(acme)


def test_a_template_that_moved_needs_its_new_address(released, acme, tmp_path):
    released.rename(tmp_path / "moved")
    check_refusal(acme, "Updating is only supported in git-tracked templates")
    fix_answers(acme, "_src_path", f"_src_path: git+file://{released}")
    check_refusal(acme, "does not appear to be a git repository")
    fix_answers(acme, "_src_path", f"_src_path: git+file://{tmp_path}/moved")
    update(acme)


def test_a_copy_of_a_folder_without_git_needs_its_version(released, tmp_path):
    shutil.copytree(released, tmp_path / "archive", ignore=shutil.ignore_patterns(".git"))
    repo = copy(tmp_path / "archive", tmp_path / "repo")
    check_refusal(repo, "cannot obtain old template references")
    fix_answers(repo, "_src_path", f"_commit: 1.0.0\n_src_path: {released}")
    update(repo)


def test_a_repo_must_be_in_git_and_clean(acme):
    shutil.rmtree(acme / ".git")
    check_refusal(acme, "Updating is only supported in git-tracked subprojects")
    commit(acme)
    append(acme / "README.md", "by the client\n")
    check_refusal(acme, "Destination repository is dirty")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1: x\n", "Input should be a valid string"),
        ("yes: x\n", "Input should be a valid string"),
        ("default_start_date: 2023-13-01\n", "ValueError: month must be in 1..12"),
        ("", "has no attribute 'items'"),
        ("hello\n", "has no attribute 'items'"),
    ],
)
def test_a_data_file_that_copier_cannot_read_changes_nothing(acme, tmp_path, text, said):
    (tmp_path / "answers.yml").write_text(text)
    check_refusal(acme, said, arguments=["--data-file", tmp_path / "answers.yml"])
