"""An update takes nothing from a client without git's knowing: it is refused, or says so."""

import re

import pytest
from commands import DEFAULTS, append, commit, contents, copier, edit, git, made_of, release, update

INCREMENTAL = "ingestion/klaviyo_ingest_inc.dig"
DATABASE = "ingestion/config/database.yml"
MONITORING = "ingestion/query_samples/klaviyo_monitoring.sql"
LISTS = "ingestion/config/klaviyo_lists_load.yml"


@pytest.mark.parametrize("flag", ["skip-worktree", "assume-unchanged"])
@pytest.mark.parametrize("command", [("update",), ("update", "--quiet"), ("recopy", "--overwrite")])
def test_an_edit_that_git_was_told_not_to_see_is_not_overwritten(acme, flag, command):
    git("update-index", f"--{flag}", DATABASE, cwd=acme)
    append(acme / DATABASE, "# by the client\n")
    before = contents(acme)
    ended = copier(*command, *DEFAULTS, cwd=acme)
    assert ended.exit_code == 1
    line = ended.output.splitlines()[-1]
    assert line.startswith(f"{DATABASE}: git does not see your edits in it ({flag})")
    assert line.endswith(" Nothing was changed.")
    assert contents(acme) == before
    git(*re.search(r"git (update-index \S+ \S+),", line)[1].split(), cwd=acme)
    commit(acme)
    update(acme)
    assert (acme / DATABASE).read_text(encoding="utf-8").endswith("# by the client\n")


def test_a_flag_on_a_file_without_edits_or_of_the_client_s_own_is_let_be(acme):
    (acme / "notes.md").write_text("by the client\n")
    commit(acme)
    git("update-index", "--skip-worktree", DATABASE, "notes.md", cwd=acme)
    append(acme / "notes.md", "edited\n")
    update(acme)
    assert (acme / "notes.md").read_text() == "by the client\nedited\n"


def removed(output):
    """The files that a report says are gone."""
    found = re.search(r"^REMOVED, .*\n.*git show HEAD:\./FILE\n((?:  .*\n)+)", output, re.MULTILINE)
    return found[1].split() if found else []


def test_a_file_that_only_the_old_version_had_is_named_and_its_edits_can_be_seen(released, acme):
    append(acme / MONITORING, "-- by the client\n")
    (acme / "ingestion/query_samples/klaviyo_latest_rows.sql").unlink()
    commit(acme)
    monitoring = made_of(released, MONITORING)
    monitoring.rename(monitoring.with_name("{{ source }}_week.sql.jinja"))
    release(released, "1.1.0")
    output = update(acme)
    assert removed(output) == [MONITORING]
    assert not (acme / MONITORING).exists()
    assert "-- by the client" in git("show", f"HEAD:./{removed(output)[0]}", cwd=acme)
    commit(acme)
    assert removed(update(acme)) == []


def test_a_file_that_other_answers_drop_is_named_beside_a_gate_that_fails(acme):
    append(acme / LISTS, "# by the client\n")
    edit(acme / INCREMENTAL, "timezone: UTC", "timezone: Asia/Tokyo")
    commit(acme)
    ended = copier("update", *DEFAULTS, "-d", "objects=[profiles, events]", cwd=acme)
    assert ended.exit_code == 1
    assert LISTS in removed(ended.output)


def test_a_repo_below_the_root_of_another_is_told_of_its_own_files(released, acme):
    (acme / "clients").mkdir()
    git(
        "mv",
        *(path.name for path in acme.iterdir() if path.name not in (".git", "clients")),
        "clients",
        cwd=acme,
    )
    commit(acme)
    made_of(released, MONITORING).unlink()
    release(released, "1.1.0")
    assert removed(update(acme / "clients")) == [MONITORING]
