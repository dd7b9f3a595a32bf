"""A repo made from 0.1.0 takes over the new SQL files, with what the client changed in the old ones."""

import re
from unittest.mock import Mock

import pytest
import zendesk_repo
from commands import (
    DEFAULTS,
    DOCUMENTED,
    TEMPLATE,
    add_klaviyo,
    append,
    commit,
    contents,
    copier,
    copy,
    edit,
    git,
)
from released_versions import history_with, released_versions

SQL = "ingestion/sql"
SAMPLES = "ingestion/query_samples"


@pytest.fixture
def history(released, tmp_path):
    first = {"0.1.0": released_versions(TEMPLATE)["0.1.0"]}
    return history_with(first, released, tmp_path / "history")


@pytest.fixture
def repo(history, tmp_path):
    """A client's repo, made from 0.1.0."""
    return copy(history, tmp_path / "repo", "--vcs-ref", "0.1.0")


def names(repo):
    return {path.name for path in (repo / SQL).iterdir()}


def test_the_old_files_are_gone_and_the_new_ones_are_there(repo):
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert ended.exit_code == 0, ended.output
    assert not names(repo) & {"log_ingestion_start.sql", "klaviyo_backfill_windows.sql", "klaviyo_failed.sql"}
    assert {"klaviyo_log_ingestion_start.sql", "klaviyo_windows.sql", "klaviyo_run_result.sql"} <= names(repo)
    assert not names(repo) & {"klaviyo_monitoring.sql", "klaviyo_latest_rows.sql", "klaviyo_not_started.sql"}


@pytest.mark.parametrize(
    "answers",
    [
        {"objects": "[profiles, lists]", "target_database": "acme_raw"},
        {"objects": "[metrics]", "metrics_load": "full"},
    ],
)
def test_queries_that_the_client_left_as_they_were_come_anew_whatever_the_answers(history, tmp_path, answers):
    given = [part for name, value in answers.items() for part in ("-d", f"{name}={value}")]
    repo = copy(history, tmp_path / "other", "--vcs-ref", "0.1.0", *given)
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert ended.exit_code == 0, ended.output
    fresh = copy(history, tmp_path / "fresh", *given)
    assert {path: text for path, text in contents(repo).items() if path.endswith(".sql")} == {
        path: text for path, text in contents(fresh).items() if path.endswith(".sql")
    }


@pytest.mark.parametrize(("database", "in_sql"), [("0123", '"0123"'), ("null", '"null"'), ("off", "off")])
def test_a_database_that_never_worked_gets_its_quotes(history, tmp_path, database, in_sql):
    repo = copy(history, tmp_path / "repo", "--vcs-ref", "0.1.0", "-d", f"target_database={database}")
    assert f"  src: {database}\n" in (repo / "ingestion/config/database.yml").read_text(encoding="utf-8")
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert ended.exit_code == 0, ended.output
    assert f'  src: "{database}"\n' in (repo / "ingestion/config/database.yml").read_text(encoding="utf-8")
    query = (repo / SAMPLES / "klaviyo_monitoring.sql").read_text(encoding="utf-8")
    assert f"FROM {in_sql}.ingestion_log" in query


def test_a_query_that_the_client_deleted_stays_so_in_its_new_folder(repo):
    (repo / SQL / "klaviyo_latest_rows.sql").unlink()
    commit(repo)
    assert copier("update", *DEFAULTS, cwd=repo).exit_code == 0
    assert not (repo / SAMPLES / "klaviyo_latest_rows.sql").exists()
    assert (repo / SAMPLES / "klaviyo_monitoring.sql").is_file()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("log_ingestion_success.sql", f"{SQL}/klaviyo_log_ingestion_success.sql"),
        ("klaviyo_backfill_windows.sql", f"{SQL}/klaviyo_windows.sql"),
        ("klaviyo_not_started.sql", f"{SQL}/klaviyo_objects_to_load.sql"),
        ("klaviyo_monitoring.sql", f"{SAMPLES}/klaviyo_monitoring.sql"),
        ("klaviyo_latest_rows.sql", f"{SAMPLES}/klaviyo_latest_rows.sql"),
    ],
)
def test_a_client_s_change_of_a_renamed_file_is_marked_in_it(repo, old, new):
    append(repo / SQL / old, "-- by the client\n")
    commit(repo)
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert f"{new}:1: you and the template changed this" in ended.output
    assert "-- by the client\n" in (repo / new).read_text(encoding="utf-8")
    assert old not in names(repo)


@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["", "quiet"])
def test_an_update_that_is_refused_once_a_file_was_renamed_puts_it_back(repo, quiet):
    append(repo / SQL / "log_ingestion_success.sql", "-- by the client\n")
    commit(repo)
    git("update-index", "--skip-worktree", "ingestion/config/database.yml", cwd=repo)
    append(repo / "ingestion/config/database.yml", "# by the client\n")
    before = contents(repo)
    ended = copier("update", *DEFAULTS, *quiet, cwd=repo)
    assert "ingestion/config/database.yml: git does not see your edits" in ended.output
    assert ended.output.endswith(" Nothing was changed.\n")
    assert contents(repo) == before
    assert git("status", "--porcelain", cwd=repo) == ""


def test_an_update_that_was_stopped_at_its_questions_is_begun_anew_as_documented(repo, monkeypatch):
    append(repo / SQL / "log_ingestion_success.sql", "-- by the client\n")
    commit(repo)
    before = contents(repo)
    with monkeypatch.context() as patch:
        patch.setattr("copier._main.unsafe_prompt", Mock(side_effect=KeyboardInterrupt))
        assert copier("update", "--trust", cwd=repo).exit_code == 1
    assert "klaviyo_log_ingestion_success.sql" in names(repo)
    assert "Destination repository is dirty" in copier("update", *DEFAULTS, cwd=repo).output
    row = re.search(r"^\| the same, after Ctrl-C in an update \|.*$", DOCUMENTED, re.MULTILINE)[0]
    (command,) = re.findall("`git (.*?)`", row)
    git(*command.split(), cwd=repo)
    assert contents(repo) == before
    assert "you and the template changed this" in copier("update", *DEFAULTS, cwd=repo).output


def test_a_copy_that_is_refused_leaves_what_was_renamed_by_hand(repo):
    git("mv", f"{SQL}/log_ingestion_success.sql", f"{SQL}/klaviyo_log_ingestion_success.sql", cwd=repo)
    before = git("status", "--porcelain", cwd=repo)
    git("update-index", "--skip-worktree", "ingestion/config/database.yml", cwd=repo)
    append(repo / "ingestion/config/database.yml", "# by the client\n")
    ended = copier("recopy", *DEFAULTS, "--overwrite", cwd=repo)
    assert "git does not see your edits" in ended.output
    assert git("status", "--porcelain", cwd=repo) == before


def test_a_client_s_change_of_a_file_that_is_gone_stays_and_the_check_tells(repo):
    append(repo / SQL / "klaviyo_incremental_window.sql", "-- by the client\n")
    commit(repo)
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert f"{SQL}/klaviyo_incremental_window.sql:1: no workflow" in ended.output
    kept = (repo / SQL / "klaviyo_incremental_window.sql").read_text(encoding="utf-8")
    assert kept.endswith("-- by the client\n")


def test_what_a_workflow_of_another_source_runs_stays(repo):
    file = repo / SQL / "log_ingestion_start.sql"
    text = file.read_text(encoding="utf-8")
    (repo / "ingestion/others.dig").write_text("+log: {td>: sql/log_ingestion_start.sql}\n", encoding="utf-8")
    commit(repo)
    assert copier("update", *DEFAULTS, cwd=repo).exit_code == 0
    assert file.read_text(encoding="utf-8") == text
    assert "log_ingestion_error.sql" not in names(repo)


def test_the_log_sql_of_another_source_stays_as_it_is(history, tmp_path):
    repo = zendesk_repo.make(tmp_path / "acme")
    theirs = {path.name: path.read_bytes() for path in (repo / SQL).iterdir()}
    ended = add_klaviyo(history, repo, "--vcs-ref", "0.1.0")
    assert ended.exit_code == 0, ended.output
    commit(repo)
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert ended.exit_code == 0, ended.output
    assert {name: (repo / SQL / name).read_bytes() for name in theirs} == theirs
    assert git("diff", "--name-only", "--diff-filter=D", "HEAD", "--", f"{SQL}/log_*", cwd=repo) == ""


def test_an_edit_beside_the_loads_stays_without_a_conflict(repo):
    edit(repo / "ingestion/klaviyo_ingest_inc.dig", "limit: 3", "limit: 2")
    commit(repo)
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert ended.exit_code == 0, ended.output
    assert "          limit: 2\n" in (repo / "ingestion/klaviyo_ingest_inc.dig").read_text(encoding="utf-8")


def test_the_client_s_own_git_attributes_stay(repo):
    (repo / ".gitattributes").write_text("*.sql text\n", encoding="utf-8")
    commit(repo)
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert ended.exit_code == 0, ended.output
    assert (repo / ".gitattributes").read_text(encoding="utf-8") == "*.sql text\n"
