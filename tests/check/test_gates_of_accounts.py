"""The check covers all accounts of a repo, each with its own datasources, tables and files."""

import pytest
from client_check import SCRIPT, run
from commands import copy, edit
from second_account import UK, add, add_uk

UK_DATASOURCES = "ingestion/config/klaviyo_uk_datasources.yml"
UK_INCREMENTAL = "ingestion/klaviyo_uk_ingest_inc.dig"


@pytest.fixture
def both(pristine_template, tmp_path):
    return add_uk(pristine_template, copy(pristine_template, tmp_path / "acme"))


def test_a_sound_repo_with_two_accounts_passes(both, check):
    assert check.failures(both) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        (UK_DATASOURCES, "table_name: klaviyo_uk_lists\n", "table_name: klaviyo_lists\n", f"{UK_DATASOURCES}:"),
        (UK_DATASOURCES, "table_name: klaviyo_uk_lists\n", "table_name: klaviyo_preflight_lists\n", "would be dropped"),
        (UK_INCREMENTAL, "config/klaviyo_uk_datasources.yml", "config/klaviyo_datasources.yml", "not klaviyo_uk's"),
        (UK_INCREMENTAL, "sql/klaviyo_uk_windows.sql", "sql/klaviyo_windows.sql", "not klaviyo_uk's"),
        (UK_INCREMENTAL, "sql/klaviyo_uk_run_result.sql", "sql/klaviyo_uk_run_resutl.sql", "is not there"),
        ("ingestion/klaviyo_ingest_inc.dig", "sql/klaviyo_windows.sql", "sql/klaviyo_uk_windows.sql", "not klaviyo's"),
        ("ingestion/config/klaviyo_uk_lists_load.yml", "400000", "360030", "td_authentication_id is 360030 here"),
    ],
)  # fmt: skip
def test_what_crosses_from_one_account_to_the_other_is_named(both, check, path, old, new, told):
    edit(both / path, old, new)
    assert any(told in line for line in check.failures(both))


def test_a_second_account_s_datasources_that_are_gone_are_missed(both, check):
    (both / UK_DATASOURCES).unlink()
    assert any(f"{UK_DATASOURCES} is not there" in line for line in check.failures(both))


def test_without_the_first_one_s_answers_the_others_are_still_judged(both, check):
    (both / ".copier-answers.yml").unlink()
    assert check.failures(both) == []
    edit(both / UK_DATASOURCES, "table_name: klaviyo_uk_lists\n", "table_name: klaviyo_lists\n")
    assert any(f"{UK_DATASOURCES}:" in line for line in check.failures(both))


def test_two_accounts_with_one_authentication_are_noted(both, check):
    shown = [line for line in check.failures(both) if "authentication" in line]
    assert shown == []
    loads = sorted((both / "ingestion/config").glob("klaviyo_uk_*_load.yml"))
    for load in loads:
        edit(load, "400000", "360030")
    places = check.places("own-authentication", both)
    assert places == [(f"ingestion/config/{loads[0].name}", 4)]
    assert check.failures(both)[0] == "! Each account has an authentication of its own [own-authentication]"
    assert run(both / SCRIPT, cwd=both).returncode == 0


def test_a_second_account_with_the_first_s_authentication_is_noted_when_it_is_made(
    pristine_template, tmp_path
):
    repo = copy(pristine_template, tmp_path / "acme")
    ended = add(pristine_template, repo, *UK, "-d", "td_authentication_id=360030")
    assert ended.exit_code == 0, ended.output
    said = " ".join(ended.output.split())
    assert "klaviyo_uk's loads use klaviyo's authentication 360030" in said


def test_an_account_called_like_another_s_files_is_named(both, check):
    text = (both / UK_DATASOURCES).read_text(encoding="utf-8")
    for name in ("klaviyo_uk_ingest", "klaviyo_ukx"):
        new = both / f"ingestion/config/{name}_datasources.yml"
        new.write_text(text.replace("klaviyo_uk", name), encoding="utf-8")
    assert check.places("account-names", both) == [("ingestion/config/klaviyo_uk_ingest_datasources.yml", 1)]
