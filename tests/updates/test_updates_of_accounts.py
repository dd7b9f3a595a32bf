"""Each account of a repo updates on its own, in any order, and works while the two are of different versions."""

import re
import shlex
import subprocess
import sys

import pytest
import yaml
from client_check import SCRIPT, run
from commands import DOCUMENTED, FOLDERS, commit, contents, copier, copy, edit, made_of, release, update
from second_account import UK_ANSWERS, add, add_uk

FIRST, UK = "klaviyo", "klaviyo_uk"
OF = {FIRST: (), UK: ("--answers-file", UK_ANSWERS)}
ANSWERS_OF = {FIRST: ".copier-answers.yml", UK: UK_ANSWERS}
SQL = "ingestion/sql"


@pytest.fixture
def both(released, acme):
    """A repo with two accounts, both of 1.0.0; the template is at 1.1.0, with one query renamed, dropped, added."""
    add_uk(released, acme)
    renamed = made_of(released, f"{SQL}/klaviyo_concurrent_run.sql")
    renamed.rename(renamed.with_name(renamed.name.replace("concurrent_run", "look")))
    edit(released / "includes/ingest.dig.jinja", "_concurrent_run.sql", "_look.sql")
    gates = released / "template/scripts/ingestion_check/gates/log.py"
    edit(gates, '_looks("concurrent_run")', '_looks("look")')
    dropped = made_of(released, "ingestion/query_samples/klaviyo_duplicates.sql")
    dropped.rename(dropped.with_name(dropped.name.replace("duplicates", "twice")))
    release(released, "1.1.0")
    return acme


def files_of(repo, source):
    """The files that carry an account's name and no other's."""
    others = {FIRST: f"/{UK}", UK: "/nobody"}[source]
    return {
        path: text for path, text in contents(repo).items() if f"/{source}" in path and others not in path
    }


def check(repo):
    return run(sys.executable, repo / SCRIPT, python=())


@pytest.mark.parametrize("order", [(FIRST, UK), (UK, FIRST)])
def test_in_any_order_each_changes_its_own_and_both_end_like_fresh_copies(both, released, tmp_path, order):
    before, (one, other) = contents(both), order
    untouched = files_of(both, other)
    printed = update(both, *OF[one])
    assert files_of(both, other) == untouched
    note = f"{ANSWERS_OF[other]}:1: {other}: made by 1.0.0, update it, too"
    assert note in printed
    assert (both / f"{SQL}/{one}_look.sql").exists() and not (
        both / f"{SQL}/{one}_concurrent_run.sql"
    ).exists()
    commit(both)
    checked = check(both)
    assert checked.returncode == 0, checked.stdout
    assert "! All accounts are of one version [account-versions]\n" in checked.stdout
    assert note in checked.stdout
    assert checked.stdout.count("update it, too") == 1
    if one == UK:
        shared = [path for path in before if UK not in path]
        assert {path: contents(both)[path] for path in shared} == {path: before[path] for path in shared}
    update(both, *OF[other])
    commit(both)
    assert "update it, too" not in check(both).stdout
    fresh = add_uk(released, copy(released, tmp_path / "fresh"))
    assert contents(both) == contents(fresh)


@pytest.mark.parametrize(
    "changed", [{"td_project": "acme_2"}, {"td_region": "eu01", "td_authentication_id": "7"}]
)
def test_what_the_client_has_once_is_changed_by_the_first_s_report_for_the_second_too(
    released, acme, changed
):
    add_uk(released, acme)
    printed = update(acme, *(word for name, value in changed.items() for word in ("-d", f"{name}={value}")))
    assert "the account 'uk' needs the same" in printed
    command = re.search(r"^ +uvx .*? copier (update .*?[^\\])$", printed, re.MULTILINE | re.DOTALL)[1]
    commit(acme)
    ended = copier(*shlex.split(command.replace("\\\n", "")), cwd=acme)
    assert ended.exit_code == 0, ended.output
    answers = yaml.safe_load((acme / UK_ANSWERS).read_text(encoding="utf-8"))
    wanted = {**changed, **({"td_authentication_id": "NEW_NUMBER"} if "td_region" in changed else {})}
    assert {name: answers[name] for name in wanted} == wanted
    commit(acme)
    assert "needs the same" not in update(acme, "-d", "schedule=daily")


def test_a_file_that_cannot_be_read_is_still_told_of_an_account_of_another_version(both):
    update(both)
    (both / "ingestion/klaviyo_uk_ingest_inc.dig").write_text("a: [", encoding="utf-8")
    checked = check(both)
    assert checked.returncode == 1
    assert "ingestion/klaviyo_uk_ingest_inc.dig:1: cannot be read: " in checked.stdout


def test_what_is_broken_in_an_account_of_another_version_is_still_told(both):
    update(both)
    (both / f"{SQL}/klaviyo_uk_concurrent_run.sql").unlink()
    checked = check(both)
    assert checked.returncode == 1
    assert "ingestion/sql/klaviyo_uk_concurrent_run.sql is not there" in checked.stdout


def test_an_account_is_dropped_by_the_documented_commands_and_another_of_a_longer_name_stays(released, both):
    eu = {path.replace("klaviyo_uk", "klaviyo_uk_eu") for path in (*files_of(both, UK), UK_ANSWERS)}
    ended = add(released, both, "-d", "account=uk_eu", "--answers-file", UK_ANSWERS.replace("uk", "uk_eu"))
    assert ended.exit_code == 0, ended.output
    commit(both)
    for command in (
        re.search(r"^git rm .*", DOCUMENTED, re.MULTILINE),
        re.search(r"git restore [^`]*uk_eu[^`]*", DOCUMENTED),
    ):
        subprocess.run(command[0], shell=True, cwd=both, check=True, capture_output=True)
    commit(both)
    update(both)
    checked = check(both)
    assert checked.returncode == 0, checked.stdout
    assert "klaviyo_uk" not in checked.stdout
    left = {path for path in contents(both) if "klaviyo_uk" in path}
    assert {path for path in left if "klaviyo_uk_eu" not in path} == set()
    assert left - eu == {
        "ingestion/sql/klaviyo_uk_eu_look.sql",
        "ingestion/query_samples/klaviyo_uk_eu_twice.sql",
    }


@pytest.mark.parametrize(("one", "other"), [(FIRST, UK), (UK, FIRST)])
def test_a_version_with_other_workflows_and_datasources_is_judged_by_its_own_only(released, acme, one, other):
    add_uk(released, acme)
    changes = {
        "_ingest_hist": "_ingest_all",
        "hist_datasources": "all_datasources",
        r"_datasources(\\?\.yml)": r"_all\1",
    }
    for file in [file for folder in FOLDERS for file in (released / folder).rglob("*.*") if file.is_file()]:
        text, name = file.read_text(encoding="utf-8"), file.name
        for old, new in changes.items():
            text, name = re.sub(old, new, text), re.sub(old, new, name)
        file.write_text(text, encoding="utf-8")
        file.rename(file.with_name(name))
    release(released, "1.1.0")

    printed = update(acme, *OF[one])

    assert f"{other}: made by 1.0.0, update it, too" in printed
    commit(acme)
    checked = check(acme)
    assert checked.returncode == 0, checked.stdout
    assert not (acme / f"ingestion/{one}_ingest_hist.dig").exists()
    assert (acme / f"ingestion/{other}_ingest_hist.dig").exists()
    update(acme, *OF[other])
    commit(acme)
    assert "update it, too" not in check(acme).stdout


@pytest.mark.parametrize("gone", ["klaviyo_uk_windows.sql", "klaviyo_uk_lists_load.yml"])
def test_a_file_that_is_gone_is_still_told_of_an_account_of_another_version(both, gone):
    update(both)
    (file,) = both.glob(f"ingestion/*/{gone}")
    file.unlink()
    checked = check(both)
    assert checked.returncode == 1
    assert f"/{gone} is not there" in checked.stdout
