"""What git leaves out, or an update left in it, is found."""

import shutil

import pytest
from client_edits import CREDENTIALS, INC, PROFILES
from commands import commit, git

MONITORING = "ingestion/query_samples/klaviyo_monitoring.sql"

BOTH = "<<<<<<< before updating\nmine\n=======\ntheirs\n>>>>>>> after updating\n"


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("README.md", f"# Acme\n{BOTH}", 2),
        (INC, f"timezone: UTC\n{BOTH}", 2),
        (MONITORING, BOTH.replace("\n", "\r\n"), 1),
        ("notes/by the client.txt", ">>>>>>> after updating\n", 1),
        ("README.md.rej", "--- README.md\n", 1),
    ],
    ids=["in the README", "in a workflow that cannot be read", "with CRLF", "half of it", "a rejected patch"],
)
def test_a_conflict_that_an_update_left_is_found_first(file, text, line, check, client_repo):
    (client_repo / file).parent.mkdir(exist_ok=True)
    (client_repo / file).write_bytes(text.encode())

    assert check.places("update-finished", client_repo) == [(file, line)]
    assert check.failures(client_repo)[0] == "✗ No update was left half done [update-finished]"


def test_words_about_conflicts_are_none(check, client_repo):
    (client_repo / "notes.md").write_text("Title\n=======\n\nGit writes `<<<<<<< HEAD`\n<<<<<<<<<<\n")

    assert check.places("update-finished", client_repo) == []


@pytest.fixture
def everywhere(tmp_path, monkeypatch):
    """The user's own ignore file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config/git/ignore"
    file.parent.mkdir(parents=True)
    return file


@pytest.mark.parametrize("in_git", [True, False])
def test_a_file_that_the_user_s_own_ignore_file_keeps_out_is_noted(in_git, everywhere, check, plain_repo):
    everywhere.write_text("*.sql\n/.copier*\n*.json\n*~\n")
    (plain_repo / f"{INC}~").write_text("")
    (plain_repo / "scripts/ingestion_check/__pycache__").mkdir()
    (plain_repo / "scripts/ingestion_check/__pycache__/git.pyc").write_text("")
    if in_git:
        commit(plain_repo)

    found = [path for path, _ in check.places("git-takes-files", plain_repo)]

    sql = {path.relative_to(plain_repo).as_posix() for path in plain_repo.glob("ingestion/*/*.sql")}
    assert set(found) == {*sql, ".copier-answers.yml"}
    assert check.failures(plain_repo)[0] == "! Git ignores no file that the ingestion needs [git-takes-files]"
    git("init", "--quiet", cwd=plain_repo)
    git("add", "--force", *found, cwd=plain_repo)  # as it says
    assert check.failures(plain_repo) == []


def test_the_user_s_own_ignore_file_may_be_named_in_git_s_settings(tmp_path, monkeypatch, check, plain_repo):
    (tmp_path / "mine").write_text("klaviyo_monitoring.sql\n")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(tmp_path / "mine"))

    assert check.places("git-takes-files", plain_repo) == [(MONITORING, 1)]


def test_a_workflow_below_the_root_of_a_repository_is_noted(check, client_repo, tmp_path):
    monorepo = tmp_path / "monorepo"
    shutil.copytree(client_repo, monorepo / "clients/acme", ignore=shutil.ignore_patterns(".git"))
    commit(monorepo)

    acme = monorepo / "clients/acme"
    assert check.places("github-workflow", acme) == [(".github/workflows/check.yml", 1)]
    title, what_to_do = check.failures(acme)
    assert title == "! GitHub finds the workflow that runs the check [github-workflow]"
    assert "working-directory: clients/acme" in what_to_do
    git("mv", "clients/acme/.github", ".github", cwd=monorepo)
    assert check.failures(acme) == []


def test_copies_and_a_moved_folder_keep_the_credentials_out_of_git(client_repo):
    name = CREDENTIALS.rpartition("/")[2]
    for copy in (f"{name}~", f"{name}.bak", f".{name}.swp", f"#{name}#", f"old_{name}"):
        shutil.copy(client_repo / CREDENTIALS, client_repo / "ingestion" / copy)
    git("mv", "ingestion", "pipelines", cwd=client_repo)

    assert (client_repo / "pipelines" / f"{name}~").exists()
    git("add", "--all", cwd=client_repo)
    assert [file for file in git("ls-files", cwd=client_repo).split("\n") if "credentials_ing" in file] == []


def test_copies_of_the_credentials_and_what_people_run_are_not_pushed(check, client_repo):
    for copy in ("~", ".bak", ".swp"):
        shutil.copy(client_repo / CREDENTIALS, client_repo / f"{CREDENTIALS}{copy}")
    folder = check.package.Folder(client_repo)

    pushed = check.module("documents").Documents(folder).pushed
    assert PROFILES in pushed
    assert [file for file in pushed if "credentials" in file or "query_samples" in file] == []


@pytest.mark.parametrize("setting", ["LITERAL", "GLOB", "NOGLOB", "ICASE"])
def test_settings_of_how_git_reads_paths_change_nothing(setting, check, client_repo, monkeypatch):
    monkeypatch.setenv(f"GIT_{setting}_PATHSPECS", "1")

    assert check.failures(client_repo) == []


@pytest.mark.parametrize("ignored", [True, False])
def test_credentials_in_a_submodule_are_judged_by_its_ignore_file(ignored, check, client_repo):
    folder = client_repo / "ingestion"
    if not ignored:
        (folder / ".gitignore").write_text("")
    git("rm", "-rq", "--cached", "ingestion", cwd=client_repo)
    commit(folder)
    git("add", "--all", cwd=client_repo)

    found = check.places("credentials-file", client_repo)

    assert found == ([] if ignored else [(".gitignore", 1)])


def test_credentials_behind_a_link_out_of_git_are_judged_by_the_repo_s_ignore_file(check, client_repo):
    (client_repo / "ingestion").rename(client_repo.parent / "elsewhere")
    (client_repo / "ingestion").symlink_to("../elsewhere")

    assert check.places("credentials-file", client_repo) == []
