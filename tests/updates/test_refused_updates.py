"""An update that would lose a client's edits is refused before anything is touched."""

import os
import re
import shutil
import subprocess

import pytest
from commands import (
    COPIER,
    DEFAULTS,
    DOCUMENTED,
    KEY,
    append,
    commit,
    contents,
    copier,
    edit,
    git,
    release,
    update,
)
from second_account import UK_ANSWERS, add_uk

INCREMENTAL = "ingestion/klaviyo_ingest_inc.dig"
BACKFILL = "ingestion/klaviyo_ingest_hist.dig"
VALUES = {
    "apply.whitespace": ["error", "error-all", "fix", "strip", "eror", ""],
    "apply.ignoreWhitespace": ["chang", ""],
}


@pytest.fixture
def edited(released, acme):
    """A client's repo with edits, and a newer version of the template."""
    edit(acme / INCREMENTAL, "limit: 3", "limit: 1")
    append(acme / "README.md", "by the client   \n")
    commit(acme)
    edit(released / "includes/ingest.dig.jinja", "timezone: UTC\n", "timezone: UTC  # fixed\n")
    release(released, "1.1.0")
    return acme


def check_refusal(repo, start, *arguments, cwd=None):
    """Check that an update is refused in one line, and changes nothing; gives the line."""
    before = contents(repo)
    ended = copier("update", *DEFAULTS, *arguments, cwd=cwd or repo)
    assert ended.exit_code == 1
    (line,) = ended.output.splitlines()
    assert line.startswith(start)
    assert line.endswith(" Nothing was changed.")
    assert contents(repo) == before
    return line


@pytest.mark.parametrize(
    ("name", "value", "quiet"),
    [
        *((name, value, []) for name, values in VALUES.items() for value in values),
        ("apply.whitespace", "error", ["--quiet"]),
    ],
)
def test_a_setting_of_git_s_that_drops_or_changes_edits_is_refused(edited, name, value, quiet):
    git("config", name, value, cwd=edited)
    line = check_refusal(edited, f"git's setting {name}={value} ", *quiet)
    # It helps without changing a setting, as it stands.
    settings = re.search(r"GIT_CONFIG_COUNT=.*(?= copier update --trust)", line)[0]
    command = f"{settings} {COPIER} update --trust --defaults"
    done = subprocess.run(["sh", "-c", command], cwd=edited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check_edits(edited)


def test_the_command_that_helps_does_so_for_two_settings_and_for_a_named_account(released, acme):
    add_uk(released, acme)
    git("config", "apply.whitespace", "fix", cwd=acme)
    git("config", "apply.ignoreWhitespace", "chang", cwd=acme)
    release(released, "1.1.0")
    line = check_refusal(acme, "git's settings ", "--answers-file", UK_ANSWERS)
    command = line[line.index("GIT_CONFIG_COUNT") :].removesuffix(" Nothing was changed.")
    command = command.replace("copier update", f"{COPIER} update --defaults")
    subprocess.run(["sh", "-c", command], cwd=acme, capture_output=True, check=True)
    assert "_commit: 1.1.0" in (acme / UK_ANSWERS).read_text(encoding="utf-8")
    assert "_commit: 1.0.0" in (acme / ".copier-answers.yml").read_text(encoding="utf-8")


def ignore_everywhere(monkeypatch, folder, how, pattern):
    """Have git ignore a pattern in every repo, new ones too."""
    (folder / "info").mkdir(parents=True)
    (folder / "info/exclude").write_text(pattern + "\n", encoding="utf-8")
    if how == "GIT_TEMPLATE_DIR":
        monkeypatch.setenv(how, str(folder))
        return
    value = folder if how == "init.templateDir" else folder / "info/exclude"
    (folder / "config").write_text(f"[{how.replace('.', ']' + chr(10))} = {value}\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "config"))


@pytest.mark.parametrize("how", ["core.excludesFile", "init.templateDir", "GIT_TEMPLATE_DIR"])
@pytest.mark.parametrize("pattern", ["*.dig", "ingestion/"])
def test_files_that_every_new_repo_ignores_keep_their_edits(
    edited, monkeypatch, tmp_path_factory, how, pattern
):
    ignore_everywhere(monkeypatch, tmp_path_factory.mktemp("git") / "all", how, pattern)
    line = check_refusal(edited, "ingestion/")
    settings = re.search(r"(GIT_TEMPLATE_DIR= )?GIT_CONFIG_COUNT=.*(?= copier update --trust)", line)[0]
    command = f"{settings} {COPIER} update --trust --defaults"
    done = subprocess.run(["sh", "-c", command], cwd=edited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check_edits(edited)


def test_a_deleted_file_that_every_new_repo_ignores_does_not_come_back(edited, monkeypatch, tmp_path_factory):
    git("rm", "-q", "docs/klaviyo.md", cwd=edited)
    commit(edited)
    ignore_everywhere(monkeypatch, tmp_path_factory.mktemp("git") / "all", "core.excludesFile", "klaviyo.md")
    check_refusal(edited, "docs/klaviyo.md: ignored ")


def test_a_file_that_a_merge_deleted_does_not_come_back(edited, monkeypatch, tmp_path_factory):
    git("checkout", "-q", "-b", "side", cwd=edited)
    append(edited / "notes.txt", "")
    commit(edited)
    git("checkout", "-q", "-", cwd=edited)
    git("merge", "-q", "--no-ff", "--no-commit", "side", cwd=edited)
    git("rm", "-q", "docs/klaviyo.md", cwd=edited)
    git("commit", "-qm", "merged, without the manual", cwd=edited)
    ignore_everywhere(monkeypatch, tmp_path_factory.mktemp("git") / "all", "core.excludesFile", "klaviyo.md")
    check_refusal(edited, "docs/klaviyo.md: ignored ")


def test_credentials_that_were_committed_once_may_be_ignored_everywhere(
    edited, monkeypatch, tmp_path_factory
):
    credentials = "ingestion/credentials_ingestion.json"
    git("add", "--force", credentials, cwd=edited)
    git("commit", "-qm", "by mistake", cwd=edited)
    git("rm", "-q", "--cached", credentials, cwd=edited)
    git("commit", "-qm", "taken out", cwd=edited)
    ignore_everywhere(
        monkeypatch, tmp_path_factory.mktemp("git") / "all", "core.excludesFile", "*credentials*"
    )
    update(edited)
    check_edits(edited)


def test_a_repo_below_the_root_is_asked_by_its_whole_path(edited, monkeypatch, tmp_path_factory):
    (edited / "clients").mkdir()
    git(
        "mv", *(path for path in os.listdir(edited) if path not in (".git", "clients")), "clients", cwd=edited
    )
    commit(edited)
    ignore_everywhere(
        monkeypatch, tmp_path_factory.mktemp("git") / "all", "core.excludesFile", "/clients/docs/klaviyo.md"
    )
    check_refusal(edited / "clients", "docs/klaviyo.md: ignored ")


@pytest.mark.parametrize(
    "own",
    [
        "notes.txt",
        "ingestion/sql/zendesk_windows.sql",
        "my.github/x.yml",
    ],
)
def test_a_file_of_the_client_s_own_may_be_ignored_everywhere(edited, monkeypatch, tmp_path_factory, own):
    (edited / own).parent.mkdir(exist_ok=True)
    append(edited / own, "mine\n")
    commit(edited)
    ignore_everywhere(monkeypatch, tmp_path_factory.mktemp("git") / "all", "core.excludesFile", own)
    update(edited)
    check_edits(edited)


def test_no_answer_of_git_s_is_not_taken_for_a_no(edited, monkeypatch, tmp_path_factory):
    broken = tmp_path_factory.mktemp("bin") / "git"
    says = 'case "$*" in *check-ignore*) echo "fatal: broken" >&2; exit 128;; esac'
    broken.write_text(f'#!/bin/sh\n{says}\nexec {shutil.which("git")} "$@"\n', encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)
    check_refusal(edited, "git does not say what it ignores in a new repo on this machine (fatal: broken).")


def test_settings_given_in_the_same_way_stay_given(edited, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "apply.whitespace")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "fix")
    line = check_refusal(edited, "git's setting ")
    assert "GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_1=apply.whitespace " in line


@pytest.mark.parametrize("folder", ["docs", "scripts", ".github", "ingestion", "ingestion/sql"])
def test_a_folder_that_is_a_link_is_refused_until_it_is_a_folder_again(edited, folder):
    (edited / folder).rename(edited / "real")
    (edited / folder).symlink_to(edited / "real")
    commit(edited)
    line = check_refusal(edited, f"{folder}: is a link")
    follow(edited, line)


def follow(repo, line):
    """Do what a refusal says."""
    command = re.search("(?<=repo: ).*(?=, and commit it)", line)[0]
    subprocess.run(["sh", "-c", command], cwd=repo, check=True, capture_output=True)
    commit(repo)
    update(repo)
    check_edits(repo)


def test_what_a_link_leads_to_outside_the_repo_stays_there(edited):
    shared = edited.parent / "for several repos"
    (edited / "docs").rename(shared)
    (edited / "docs").symlink_to(shared)
    commit(edited)
    before = contents(shared)
    follow(edited, check_refusal(edited, "docs: is a link"))
    assert contents(shared) == before


def test_a_link_to_nothing_is_refused(edited):
    git("rm", "-rq", "docs", cwd=edited)
    (edited / "docs").symlink_to("nowhere")
    commit(edited)
    follow(edited, check_refusal(edited, "docs: is a link"))


@pytest.mark.parametrize("kind", ["a repo within", "a submodule", "a submodule not fetched"])
def test_a_folder_that_is_a_repo_of_its_own_is_refused(edited, monkeypatch, kind):
    folder = edited / "ingestion"
    git("init", "-q", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "-qm", "apart", cwd=folder)
    git("rm", "-rq", "--cached", "ingestion", cwd=edited)
    if kind != "a repo within":
        monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
        folder.rename(edited.parent / "apart")
        commit(edited)
        git("submodule", "--quiet", "add", str(edited.parent / "apart"), "ingestion", cwd=edited)
    commit(edited)
    if kind == "a submodule not fetched":
        git("submodule", "--quiet", "deinit", "--force", "ingestion", cwd=edited)
    follow(edited, check_refusal(edited, "ingestion: is a git repo of its own"))


def check_edits(repo):
    workflow = (repo / INCREMENTAL).read_text(encoding="utf-8")
    assert "limit: 1\n" in workflow
    assert "timezone: UTC  # fixed\n" in workflow
    assert (repo / "README.md").read_text(encoding="utf-8").endswith("by the client   \n")


@pytest.mark.parametrize(
    ("name", "value"), [("apply.whitespace", "warn"), ("apply.ignoreWhitespace", "change")]
)
def test_a_setting_that_does_no_harm_is_let_pass(edited, name, value):
    git("config", name, value, cwd=edited)
    update(edited)
    check_edits(edited)


@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["", "quiet"])
@pytest.mark.parametrize("given", ["schedule=sometimes", "shedule=daily", f"client_name={KEY}"])
def test_a_bad_answer_is_refused_before_a_migration_changes_anything(released, edited, given, quiet):
    first = '    command: "false"\n'
    migration = "  - {version: 1.2.0, when: true, command: touch migrated}\n"
    edit(released / "copier.yml", first, first + migration)
    release(released, "1.2.0")
    check_refusal(edited, given.partition("=")[0], "-d", given, *quiet)


@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["", "quiet"])
def test_the_folder_above_cannot_be_updated(edited, quiet):
    line = check_refusal(edited, "..: ", *quiet, "..", cwd=edited / "ingestion")
    assert f"cd {edited} " in line


@pytest.fixture
def elsewhere(edited):
    """A folder beside the repo, and a link to the repo."""
    (edited.parent / "LINK").symlink_to(edited)
    (edited.parent / "elsewhere").mkdir()
    return edited.parent / "elsewhere"


@pytest.mark.parametrize(
    ("path", "quiet"),
    [
        *((path, ()) for path in ("../acme", "../LINK")),
        *((path, quiet) for path in ("{acme}/../acme", "{acme}/../LINK") for quiet in ((), ("--quiet",))),
    ],
)
def test_a_way_around_to_the_folder_cannot_be_updated(edited, elsewhere, path, quiet):
    line = check_refusal(edited, "", *quiet, path.format(acme=edited), cwd=elsewhere)
    assert f"cd {edited} " in line


@pytest.mark.parametrize("path", ["../acme", "../LINK"])
def test_under_quiet_a_way_from_outside_ends_in_a_traceback_and_writes_nothing(edited, elsewhere, path):
    before = contents(edited)
    ended = copier("update", *DEFAULTS, "--quiet", path, cwd=elsewhere)
    assert ended.exit_code == 1
    assert ended.output.startswith("Traceback "), ended.output
    assert contents(edited) == before


def test_a_way_around_to_a_named_account_s_folder_names_its_answers_file(released, acme):
    add_uk(released, acme)
    line = check_refusal(acme, "..: ", "--answers-file", UK_ANSWERS, "..", cwd=acme / "ingestion")
    assert f"cd {acme} && copier update --trust --answers-file {UK_ANSWERS} " in line


def test_the_folder_is_updated_by_its_name_or_its_whole_path(edited):
    for path in ("acme", edited):
        ended = copier("update", *DEFAULTS, path, cwd=edited.parent)
        assert ended.exit_code == 0, ended.output
        check_edits(edited)
        commit(edited)


def test_the_printed_steps_can_be_followed_from_where_copier_was_started(edited):
    (edited / "by the client").mkdir()
    ended = copier("update", *DEFAULTS, edited, cwd=edited / "by the client")
    steps = re.findall(r"^     (cd .*|git .*)$", ended.output, re.MULTILINE)
    assert len(steps) == 3
    script = "td() { pwd; }\n" + "\n".join(steps) + "\npwd"
    done = subprocess.run(["sh", "-ec", script], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == [str(edited / "ingestion"), str(edited)]
    assert "timezone: UTC  # fixed" in done.stdout


def test_dubious_ownership_is_told_from_a_folder_that_is_not_in_git(edited, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    ended = copier("update", *DEFAULTS, edited, cwd="/")
    assert "Updating is only supported in git-tracked subprojects" in ended.output
    status = subprocess.run(["git", "status"], cwd=edited, capture_output=True, text=True, check=False)
    assert "detected dubious ownership" in status.stderr
    assert "detected dubious ownership" in DOCUMENTED
    (command,) = re.findall(r"`(git config --global --add safe\.directory) \S+`", DOCUMENTED)
    subprocess.run([*command.split(), str(edited)], env={**os.environ}, check=True)
    ended = copier("update", *DEFAULTS, cwd=edited)
    assert "git-tracked subprojects" not in ended.output


def test_a_folder_in_the_repo_is_told_from_the_repo(edited):
    ended = copier("update", *DEFAULTS, cwd=edited / "ingestion")
    assert ended.exit_code == 1
    assert "cannot obtain old template references" in ended.output
    assert "`cannot obtain old template references` | this is not the repo's folder" in DOCUMENTED
    assert git("status", "--porcelain", cwd=edited) == ""
