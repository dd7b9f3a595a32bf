"""Klaviyo is added to the repo of another source, which stays as it is."""

import json
import stat

import pytest
import yaml
import zendesk_repo
from commands import DEFAULTS, KEY, add_klaviyo, commit, copier, edit, git, ignored, release, update
from zendesk_repo import CREDENTIALS, FILES, TOKENS

IGNORE_FILES = (".gitignore", "ingestion/.digdagignore")
INCREMENTAL = "ingestion/klaviyo_ingest_inc.dig"
CREATE_LOG = "ingestion/sql/create_ingestion_log_table.sql"


@pytest.fixture
def joined(released, tmp_path):
    """The repo after Klaviyo was added to it, committed."""
    repo = zendesk_repo.make(tmp_path / "acme")
    ended = add_klaviyo(released, repo)
    assert ended.exit_code == 0, ended.output
    commit(repo)
    return repo


def changed_files_of_theirs(repo):
    """Their files that are not as they were; an ignore file may have more below."""
    now = {path: (repo / path).read_text(encoding="utf-8") for path in FILES}
    return [path for path in FILES if now[path] != FILES[path] and path not in IGNORE_FILES] + [
        path for path in IGNORE_FILES if not now[path].startswith(FILES[path])
    ]


def test_their_files_stay_and_the_credentials_have_one_entry_more(joined):
    assert changed_files_of_theirs(joined) == []
    entries = json.loads((joined / CREDENTIALS).read_text(encoding="utf-8"))
    assert list(entries.items()) == [*TOKENS.items(), ("klaviyo_api_token", KEY)]
    assert stat.S_IMODE((joined / CREDENTIALS).stat().st_mode) == 0o640
    assert CREDENTIALS not in git("ls-files", cwd=joined)
    ignored_by_push = (joined / "ingestion/.digdagignore").read_text(encoding="utf-8").splitlines()
    assert {"notes", "*credentials_ingestion*"} <= set(ignored_by_push)


def test_files_of_our_names_that_were_written_by_hand_are_replaced(released, tmp_path, joined):
    repo = zendesk_repo.make(tmp_path / "by-hand")
    (repo / INCREMENTAL).write_text("+mine:\n  echo>: by hand\n", encoding="utf-8")
    ended = add_klaviyo(released, repo)
    assert ended.exit_code == 0, ended.output
    assert (repo / INCREMENTAL).read_bytes() == (joined / INCREMENTAL).read_bytes()


def test_the_tables_go_to_the_database_that_is_there(joined):
    assert "target_database: acme_raw\n" in (joined / ".copier-answers.yml").read_text(encoding="utf-8")
    assert "FROM acme_raw." in (joined / "ingestion/query_samples/klaviyo_monitoring.sql").read_text(
        encoding="utf-8"
    )


def test_later_fixes_reach_our_files_and_leave_theirs(released, joined):
    template = released / "template"
    edit(released / "includes/ingest.dig.jinja", "timezone: UTC\n", "timezone: UTC  # fixed\n")
    edit(template / ".gitignore.jinja", ".digdag/\n", ".digdag/\n*.fixed\n")
    for path in FILES:
        for shared in (template / path, template / f"{path}.jinja"):
            if shared.exists() and path not in IGNORE_FILES:
                shared.write_text("# fixed; from the Klaviyo ingestion template\n", encoding="utf-8")
    release(released, "1.1.0")
    update(joined)
    assert "timezone: UTC  # fixed\n" in (joined / INCREMENTAL).read_text(encoding="utf-8")
    assert (joined / ".gitignore").read_text(encoding="utf-8").endswith(".digdag/\n*.fixed\n")
    assert changed_files_of_theirs(joined) == []
    assert CREDENTIALS in ignored(joined)


def test_an_answer_that_would_delete_a_file_of_theirs_is_refused(joined):
    ended = copier("update", *DEFAULTS, "-d", "ci=none", cwd=joined)
    assert ended.exit_code == 1
    assert "ci: 'none' is invalid, .github/workflows/check.yml of another source" in ended.output
    assert git("status", "--porcelain", cwd=joined) == ""


def test_a_recopy_leaves_theirs_too(joined):
    ended = copier("recopy", *DEFAULTS, "--overwrite", cwd=joined)
    assert ended.exit_code == 0, ended.output
    assert git("status", "--porcelain", cwd=joined) == ""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".gitignore", None),
        (".gitignore", "*.log"),
        (".gitignore", "*\n!*/\n!*.json\n!.copier-answers.yml\n"),
        (".gitignore", "credentials*.json\r\n!/ingestion/credentials_ingestion.json\r\n"),
        ("ingestion/.gitignore", "!credentials_ingestion.json\n"),
    ],
)
def test_git_ignores_the_credentials_whatever_it_was_told(released, tmp_path, file, text):
    repo = zendesk_repo.make(tmp_path / "acme", {file: text})
    ended = add_klaviyo(released, repo)
    assert ended.exit_code == 0, ended.output
    assert CREDENTIALS in ignored(repo)
    assert (repo / file).read_bytes().startswith((text or "").encode())


def test_credentials_that_were_committed_leave_git_and_stay_on_disk(released, tmp_path):
    repo = zendesk_repo.make(tmp_path / "acme")
    git("add", "--force", CREDENTIALS, cwd=repo)
    commit(repo)
    git("rm", "--cached", "--ignore-unmatch", CREDENTIALS, cwd=repo)  # as README.md says
    ended = add_klaviyo(released, repo)
    assert ended.exit_code == 0, ended.output
    commit(repo)
    assert CREDENTIALS not in git("ls-files", cwd=repo)
    assert KEY in (repo / CREDENTIALS).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "text", "arguments", "line"),
    [
        ("README.md", "", ["-d", "target_database=acme_src"], "target_database: 'acme_src' is invalid"),
        ("ingestion/config/database.yml", "databases:\n", [], "ingestion/config/database.yml: must name"),
        (
            "ingestion/config/database.yml",
            "databases:\n  src: 0123\n",
            [],
            "ingestion/config/database.yml: Digdag reads src: 0123 as 83. Quote the database that is meant,",
        ),
        (
            "ingestion/config/database.yml",
            "databases: {src: 1e5}\n",
            ["-d", "target_database=1e5"],
            'ingestion/config/database.yml: Digdag reads src: 1e5 as 100000. Quote the database that is meant, src: "100000" or src: "1e5".',
        ),
        ("scripts/check_ingestion.py", "", [], "scripts/check_ingestion.py: is not from this template"),
        (
            ".copier-answers.yml",
            "_src_path: elsewhere\n",
            [],
            ".copier-answers.yml: belongs to another template",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused_in_one_line(released, tmp_path, file, text, arguments, line):
    repo = zendesk_repo.make(tmp_path / "acme", {file: text})
    before = git("status", "--porcelain", cwd=repo)
    ended = add_klaviyo(released, repo, *arguments)
    assert ended.exit_code == 1
    assert ended.output.startswith(line)
    assert len(ended.output.splitlines()) == 1
    assert git("status", "--porcelain", cwd=repo) == before


@pytest.mark.parametrize(
    ("src", "database"), [('"0123"', "0123"), ("2024", "2024"), ("2024_src", "2024_src"), ("off", "off")]
)
def test_a_database_that_needs_quotes_is_taken_over_where_their_sql_has_them(
    released, tmp_path, src, database
):
    create = FILES[CREATE_LOG].replace("${databases.src}.", '"${databases.src}".')
    theirs = {"ingestion/config/database.yml": f"databases: {{src: {src}}}\n", CREATE_LOG: create}
    repo = zendesk_repo.make(tmp_path / "acme", theirs)
    ended = add_klaviyo(released, repo)
    assert ended.exit_code == 0, ended.output
    answers = yaml.safe_load((repo / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["target_database"] == database
    assert all((repo / path).read_text(encoding="utf-8") == text for path, text in theirs.items())


def test_a_database_that_needs_quotes_is_refused_where_their_sql_has_none(released, tmp_path):
    repo = zendesk_repo.make(
        tmp_path / "acme", {"ingestion/config/database.yml": "databases: {src: 2024_src}\n"}
    )
    before = git("status", "--porcelain", cwd=repo)
    ended = add_klaviyo(released, repo)
    assert ended.exit_code == 1
    assert (
        f'{CREATE_LOG}:1: must be "${{databases.src}}", as SQL takes 2024_src only in quotes' in ended.output
    )
    assert git("status", "--porcelain", cwd=repo) == before


def test_the_repo_of_another_template_keeps_its_answers(released, tmp_path):
    others, ours = ".copier-answers.yml", ["--answers-file", ".copier-answers.klaviyo.yml"]
    repo = zendesk_repo.make(tmp_path / "acme", {others: "_src_path: elsewhere\n"})
    ended = add_klaviyo(released, repo, *ours, "-d", "klaviyo_api_key=")
    assert ended.exit_code == 0, ended.output
    assert "klaviyo_api_token" in (repo / CREDENTIALS).read_text(encoding="utf-8"), "taken for an old repo"
    commit(repo)
    update(repo, *ours)
    assert (repo / others).read_text(encoding="utf-8") == "_src_path: elsewhere\n"
    assert git("status", "--porcelain", cwd=repo) == ""


def test_a_recopy_adds_no_line_to_an_ignore_file_with_crlf(released, tmp_path):
    theirs = {file: FILES[file].replace("\n", "\r\n") for file in IGNORE_FILES}
    repo = zendesk_repo.make(tmp_path / "acme", {**theirs, "ingestion/.gitignore": "*.bak\r\n\r\n"})
    assert add_klaviyo(released, repo).exit_code == 0
    files = [repo / file for file in (*IGNORE_FILES, "ingestion/.gitignore")]
    before = [file.read_bytes() for file in files]
    assert all((repo / file).read_bytes().startswith(text.encode()) for file, text in theirs.items())
    for _ in range(2):
        for file in files:  # as git checks them out where core.autocrlf is true
            file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        commit(repo)
        ended = copier("recopy", *DEFAULTS, "--overwrite", cwd=repo)
        assert ended.exit_code == 0, ended.output
        assert [file.read_bytes() for file in files] == before


def test_an_ignore_file_that_is_not_utf_8_is_refused_in_one_line(released, tmp_path):
    repo = zendesk_repo.make(tmp_path / "acme")
    (repo / ".gitignore").write_bytes("*.log # für Ä\n".encode("latin-1"))
    commit(repo)
    ended = add_klaviyo(released, repo)
    assert (ended.exit_code, ended.output) == (
        1,
        ".gitignore: is not UTF-8, save it as UTF-8. Nothing was changed.\n",
    )
    assert git("status", "--porcelain", cwd=repo) == ""
