"""A second Klaviyo account has names of its own for all that it is made of, and changes nothing of the first's."""

import json
import re
import subprocess

import pytest
import yaml
from commands import DEFAULTS, DOCUMENTED, FLOWS, TEMPLATE, commit, contents, copier, copy, git, update
from klaviyo import CATALOGUE
from klaviyo.ingestion_check.accounts import OF_AN_OBJECT, OWN_NAMES, accounts_that_meet, is_preflights
from klaviyo.rules import check_account
from second_account import UK, UK_ANSWERS, add, add_uk

ALL = (
    *(
        "-d",
        "latest_tables=yes",
        "-d",
        "freshness_hours=24",
        "-d",
        "schedule=hourly",
        "-d",
        "alert_slack=yes",
    ),
    *("-d", "alert_email=data-team@example.com"),
)
CREDENTIALS = "ingestion/credentials_ingestion.json"


@pytest.fixture(scope="module")
def both(pristine_template, tmp_path_factory):
    """A repo with all settings and a second account, and what it was made of before that."""
    repo = copy(pristine_template, tmp_path_factory.mktemp("both") / "acme", *ALL)
    before = contents(repo)
    return add_uk(pristine_template, repo, *ALL), before


def test_all_files_of_the_second_have_its_name_and_the_first_s_stay_as_they_were(both):
    repo, before = both
    after = contents(repo)
    assert {path for path in before if after[path] != before[path]} == {CREDENTIALS}
    new = after.keys() - before.keys()
    of_first = {path for path in before if re.search(r"(?<!scripts)/klaviyo[-_.]", path)}
    assert new == {path.replace("/klaviyo", "/klaviyo_uk") for path in of_first} | {UK_ANSWERS}


def test_the_documented_line_finds_the_template_of_the_first(both, pristine_template):
    (line,) = re.findall(r"^TEMPLATE=.*", DOCUMENTED, re.MULTILINE)
    shown = subprocess.run(
        f'{line}\necho "$TEMPLATE"', shell=True, cwd=both[0], check=True, capture_output=True, text=True
    )
    assert shown.stdout == f"{pristine_template}\n"


def test_nothing_of_the_second_names_what_is_the_first_s(both):
    repo, before = both
    for path in contents(repo).keys() - before.keys():
        text = (
            (repo / path)
            .read_text(encoding="utf-8")
            .replace(".klaviyo_uk.yml", "")
            .replace("/klaviyo_status.py", "")
        )
        assert re.findall(r"\bklaviyo_(?!uk\b|uk_)\w+", text) == [], path
        assert "'klaviyo%'" not in text and "'klaviyo'" not in text, path


def test_secrets_of_both_are_in_one_file(both):
    repo, _ = both
    names = list(json.loads((repo / CREDENTIALS).read_text(encoding="utf-8")))
    assert names == [
        *("klaviyo_api_token", "klaviyo_slack_webhook"),
        *("klaviyo_uk_api_token", "klaviyo_uk_slack_webhook"),
    ]


def test_tables_and_workflows_are_called_after_the_account(both):
    repo, _ = both
    text = (repo / "ingestion/config/klaviyo_uk_datasources.yml").read_text(encoding="utf-8")
    datasources = yaml.safe_load(text)
    assert [each["table_name"] for each in datasources["inc_datasources"]] == [
        f"klaviyo_uk_{known.name}" for known in CATALOGUE
    ]
    assert {each["workflow_name"] for each in datasources["hist_datasources"]} == {"klaviyo_uk_ingest_hist"}


def test_the_second_takes_over_what_the_client_has_once(pristine_template, tmp_path):
    shared = {"client_name": "Acme", "td_region": "eu01", "td_project": "acme", "target_database": "acme_src"}
    given = [part for name, value in shared.items() for part in ("-d", f"{name}={value}")]
    repo = add_uk(pristine_template, copy(pristine_template, tmp_path / "repo", *given))
    stored = yaml.safe_load((repo / UK_ANSWERS).read_text(encoding="utf-8"))
    assert {name: stored[name] for name in shared} == shared
    assert stored["account"] == "uk"


def refused(template, repo, *arguments):
    """The one line of a copy that must be refused, without a trace."""
    before = contents(repo)
    ended = add(template, repo, *arguments)
    assert ended.exit_code == 1, ended.output
    assert contents(repo) == before
    (line,) = [line for line in ended.output.splitlines() if line.endswith("Nothing was changed.")]
    return line


@pytest.mark.parametrize(
    ("name", "other", "theirs"),
    [
        ("client_name", "Other", "'Acme Outdoor'"),
        ("td_region", "eu01", "'us01'"),
        ("td_project", "other", "'ingestion'"),
        ("target_database", "other_src", "'client_src'"),
    ],
)
def test_another_answer_to_what_the_client_has_once_is_refused(
    pristine_template, client_repo, name, other, theirs
):
    line = refused(pristine_template, client_repo, *UK, "-d", f"{name}={other}")
    assert line.startswith(f"{name}: {other!r} is invalid, the first account of the repo has {theirs}: -d ")


@pytest.mark.parametrize("arguments", [(), ("--answers-file", ".copier-answers.klaviyo.yml")])
def test_a_copy_over_another_account_is_refused_with_the_two_ways_on(
    pristine_template, client_repo, arguments
):
    line = refused(pristine_template, client_repo, *arguments)
    assert "Acme Outdoor has an account without a name in .copier-answers.yml already" in line
    assert "-d account=NAME --answers-file .copier-answers.klaviyo_NAME.yml" in line
    assert "copier update" in line


def test_a_copy_over_a_named_account_is_refused_and_names_it(pristine_template, client_repo):
    add_uk(pristine_template, client_repo)
    line = refused(pristine_template, client_repo, *UK, "-d", "td_authentication_id=400001")
    assert f"Acme Outdoor has the account 'uk' in {UK_ANSWERS} already" in line
    assert f"copier update --trust --answers-file {UK_ANSWERS}" in line


def test_a_copy_of_the_same_account_once_more_is_none_over_another(pristine_template, client_repo):
    add_uk(pristine_template, client_repo)
    before = contents(client_repo)
    assert add(pristine_template, client_repo, *UK, "--overwrite").exit_code == 0
    assert contents(client_repo) == before


def test_an_account_needs_an_answers_file_of_its_own(pristine_template, client_repo):
    line = refused(pristine_template, client_repo, "-d", "account=uk")
    assert f"copier copy --trust --answers-file {UK_ANSWERS} -d account=uk" in line


def test_an_account_needs_a_first_one(pristine_template, tmp_path):
    (tmp_path / "repo").mkdir()
    line = refused(pristine_template, tmp_path / "repo", *UK)
    assert line.startswith("account: 'uk' is invalid, the first account of a repo has no name")


def test_an_account_waits_for_a_first_one_that_knows_of_others(pristine_template, client_repo):
    answers = client_repo / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    answers.write_text(text.replace("account: ''\n", ""), encoding="utf-8")
    assert "the first account's version allows no others" in refused(pristine_template, client_repo, *UK)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("uk_profiles", None),
        ("uk_flows", None),
        ("uk", None),
        (None, "eu_flows"),
    ],
)
def test_accounts_that_would_share_a_table_are_refused(pristine_template, tmp_path, first, second):
    custom = [
        f"custom_objects=[{json.dumps({**FLOWS, 'name': name})}]" if name else "custom_objects=[]"
        for name in (first, second)
    ]
    repo = copy(pristine_template, tmp_path / "repo", "-d", custom[0])
    if second:
        eu = ("-d", "account=uk_eu", "--answers-file", ".copier-answers.klaviyo_uk_eu.yml")
        assert add(pristine_template, repo, *eu).exit_code == 0
        commit(repo)
    line = refused(pristine_template, repo, *UK, "-d", custom[1])
    assert f"custom_objects: {first or second} of klaviyo" in line, line


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("uk", "uk_preflight"),
        ("uk_preflight", "uk"),
        ("uk", "uk_preflight_x"),
        ("uk_ingest", "uk"),
        ("uk", "uk_profiles_hist"),
        ("uk", "uk_api"),
    ],
)
def test_accounts_of_which_one_is_called_like_files_of_the_other_are_refused(
    pristine_template, client_repo, first, second
):
    def account(name):
        return "-d", f"account={name}", "--answers-file", f".copier-answers.klaviyo_{name}.yml"

    assert add(pristine_template, client_repo, *account(first)).exit_code == 0
    commit(client_repo)
    line = refused(pristine_template, client_repo, *account(second))
    assert re.match(f"account: .* of klaviyo_uk is invalid beside the account {max(first, second)}, ", line)


@pytest.mark.parametrize(
    ("one", "objects", "other", "may"),
    [
        *(
            ("uk", [], f"uk_{name}", False)
            for name in ("ingest", "log", "latest", "preflight", "hist", "slack")
        ),
        ("uk", ["x"], "uk_x_hist", False),
        ("uk", ["x_y"], "uk_x", False),
        ("uk", ["x"], "uk_y", True),
        ("uk", ["x"], "ukx", True),
        ("uk_de", ["x"], "uk_at", True),
        ("uk", [], "uk_ingestion", True),
    ],
)
def test_accounts_may_stand_side_by_side_if_no_name_can_meet(one, objects, other, may):
    assert may == (not [*accounts_that_meet({one: objects, other: []})])
    assert may == (not [*accounts_that_meet({other: [], one: objects})])


def test_all_names_of_an_account_are_known(both):
    """But those of its objects: what the first account's files, secrets and tables are called."""
    _, before = both
    files = [*before, *(path.relative_to(TEMPLATE).as_posix() for path in (TEMPLATE / "template").rglob("*"))]
    objects = [f"{known.name}{end}" for known in CATALOGUE for end in OF_AN_OBJECT]
    found = {name for path in files for name in re.findall(r"(?:\bklaviyo|{{ source }})_([a-z]\w*)", path)}
    found -= {name for name in found if is_preflights(name)} | {*objects}
    assert found - {*OWN_NAMES} == set()


def test_every_file_s_name_is_told_from_an_account_s(both):
    """A file klaviyo_concurrent_run.sql would be taken for one of an account `concurrent`."""
    _, before = both
    for path in before:
        for word in re.findall(r"/klaviyo_([a-z0-9]+)", path):
            with pytest.raises(ValueError):
                check_account(word)


def test_an_update_changes_no_account(released, acme):
    for given in ("account=uk", "account=eu"):
        ended = copier("update", *DEFAULTS, "-d", given, cwd=acme)
        assert ended.exit_code == 1
        assert "an account keeps its name" in ended.output
    add_uk(released, acme)
    for given in ("account=eu", "account="):
        ended = copier("update", *DEFAULTS, "--answers-file", UK_ANSWERS, "-d", given, cwd=acme)
        assert ended.exit_code == 1, ended.output
        assert "Nothing was changed." in ended.output
    assert git("status", "--porcelain", cwd=acme) == ""
    update(acme, "--answers-file", UK_ANSWERS, "-d", "schedule=hourly")
    assert git("status", "--porcelain", cwd=acme).split() == [
        *("M", UK_ANSWERS, "M", "docs/klaviyo_uk.md", "M", "ingestion/klaviyo_uk_ingest_inc.dig"),
        *("M", "ingestion/query_samples/klaviyo_uk_freshness.sql"),
    ]


def test_what_a_person_is_told_to_do_is_of_the_account(pristine_template, client_repo):
    shown = add(pristine_template, client_repo, *UK).output
    assert "td wf start ingestion klaviyo_uk_ingest_hist --session now" in shown
    assert not re.search(r"klaviyo_ingest|klaviyo_preflight", shown)
