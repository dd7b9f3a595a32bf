"""The tree that the example answers make is the one that design and README promise."""

import json
import re
import stat

import pytest
import sqlglot
import yaml
from commands import FLOWS, git, ignored
from digdag_text import fill
from klaviyo.objects import CATALOGUE
from klaviyo.start_date import timestamp

DOCUMENTED = [
    "ingestion/klaviyo_ingest_inc.dig",
    "ingestion/klaviyo_ingest_hist.dig",
    "ingestion/config/klaviyo_datasources.yml",
    "ingestion/credentials_ingestion.json",
    *(f"ingestion/config/{known.config_file}" for known in CATALOGUE),
]
WORKFLOWS = ["klaviyo_ingest_inc.dig", "klaviyo_ingest_hist.dig"]

# What Digdag would know when it runs the SQL files.
PARAMETERS = {
    "databases": {"src": "client_src"},
    "datasource": dict.fromkeys(
        [
            "config_file",
            "incremental_field",
            "historical_field",
            "historical_table",
            "mode",
            "name",
            "object",
            "table_name",
        ],
        "x",
    )
    | {
        "days": 90,
        "default_start_time": "2023-09-01T00:00:00.000000",
        "end_time": "",
        "field_seconds": "TD_TIME_PARSE(updated)",
        "late_days": None,
        "lookback_seconds": 1,
        "most_windows": 20,
        "since": 0,
        "start_time": "",
    },
    "datasources": "[]",
    "attempt_id": "7",
    "backfills": "[]",
    "objects": "[]",
    "place": 1,
    "copies": {
        "table_name": "t",
        "since": 0,
        "version": "id",
        "versions": "SELECT id AS version, time, time AS precedence FROM t",
    },
    "error_message": "it''s broken",
    "job_id": "1",
    "records": 2,
    "session_uuid": "11111111-aaaa",
    "td": {"last_results": {"columns": "id", "field": "updated", "missing": "", "needed": "id"}},
    "window": {"start_time": "", "end_time": "", "windows_left": 0},
    "workflow_name": "klaviyo_ingest_inc",
}


class DigLoader(yaml.SafeLoader):
    """YAML as Digdag reads it: `!include : path` may stand several times in one map."""

    def construct_mapping(self, node, deep=False):
        node.value = [(key, value) for key, value in node.value if key.tag != "!include"]
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"duplicate keys: {keys}"
        return super().construct_mapping(node, deep)


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), DigLoader)


def files(repo):
    return {path.relative_to(repo).as_posix() for path in repo.rglob("*") if path.is_file()}


def test_the_ten_documented_files_are_there(example_repo):
    assert set(DOCUMENTED) <= files(example_repo)
    assert len(DOCUMENTED) == 10


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_parses_and_runs_in_utc(example_repo, workflow):
    dig = load(example_repo / "ingestion" / workflow)
    assert dig["timezone"] == "UTC"
    assert "schedule" not in dig


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_loads_three_objects_at_once_and_logs_each(example_repo, workflow):
    text = (example_repo / "ingestion" / workflow).read_text(encoding="utf-8")
    assert re.findall(r"_parallel:\n +limit: (\d+)", text) == ["3"]
    for step in ("start", "success", "error"):
        assert f"td>: sql/klaviyo_log_ingestion_{step}.sql" in text
    assert "_error:" in text.splitlines(), "the root has no _error"
    assert "          _error:" in text.splitlines(), "the object has no _error"


def test_every_yaml_and_json_parses_without_duplicate_keys(example_repo):
    for path in [*example_repo.rglob("*.yml"), *example_repo.rglob("*.dig")]:
        assert load(path), path
    json.loads((example_repo / "ingestion/credentials_ingestion.json").read_text(encoding="utf-8"))


def test_every_sql_file_parses_as_trino(example_repo):
    paths = sorted(example_repo.rglob("*.sql"))
    assert len(paths) > 10
    for path in paths:
        text = fill(path.read_text(encoding="utf-8"), PARAMETERS)
        statements = sqlglot.parse(text, read="trino")
        assert all(statements), path


def test_no_file_has_blank_lines_left_over(example_repo):
    for name in sorted(files(example_repo) - {".copier-answers.yml"}):
        text = (example_repo / name).read_text(encoding="utf-8")
        assert "\n\n\n" not in text or name.endswith(".py"), name
        assert text == text.strip("\n") + "\n", name
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), name


@pytest.mark.parametrize("known", CATALOGUE, ids=lambda known: known.name)
def test_a_load_file_asks_for_the_window_and_for_the_connector_s_field(example_repo, known):
    config = load(example_repo / "ingestion/config" / known.config_file)
    source = config["in"]
    assert source["type"] == "klaviyo"
    assert source["data_source"] == "${datasource.name}"
    assert source["td_authentication_id"] == 360030
    assert source["incremental"] is True
    assert "td.last_results.start_time" in source["start_time"]
    assert "td.last_results.end_time" in source["end_time"]
    if known.name == "events":
        assert source["skip_related_objects"] is True
        assert "incremental_field" not in source
    else:
        assert source["incremental_field"] == "${datasource.incremental_field_connector}"
    assert config["filters"] == [
        {
            "type": "add_time",
            "to_column": {"name": "time", "type": "timestamp"},
            "from_value": {"mode": "upload_time"},
        }
    ]
    assert config["out"] == {"mode": "${datasource.mode}"}


@pytest.mark.parametrize("known", CATALOGUE, ids=lambda known: known.name)
def test_datasources_name_both_tables_with_their_fields(example_repo, known):
    datasources = load(example_repo / "ingestion/config/klaviyo_datasources.yml")
    expected = {
        "inc_datasources": (known.table, *known.changed, "klaviyo_ingest_inc"),
        "hist_datasources": (
            known.historical_table,
            *known.created,
            "klaviyo_ingest_hist",
        ),
    }
    for name, (table, field, connector_field, workflow) in expected.items():
        (entry,) = [entry for entry in datasources[name] if entry["table_name"] == table]
        assert entry["name"] == known.data_source
        assert entry["config_file"] == known.config_file
        assert entry["incremental_field"] == field
        assert entry["incremental_field_connector"] == connector_field
        assert entry["workflow_name"] == workflow
        assert entry["mode"] == "append"
        assert timestamp(entry["default_start_time"]) == "2023-09-01T00:00:00.000000"


def test_campaigns_have_one_name_in_the_table_and_another_in_the_connector(example_repo):
    datasources = load(example_repo / "ingestion/config/klaviyo_datasources.yml")
    pairs = {
        name: [
            (entry["incremental_field"], entry["incremental_field_connector"])
            for entry in datasources[name]
            if entry["name"] == "campaigns"
        ]
        for name in datasources
    }
    assert pairs == {
        "inc_datasources": [("updated_at", "updated")],
        "hist_datasources": [("created_at", "created")],
    }


def test_metrics_in_full_are_loaded_whole_and_replace_the_table(copie, example_answers):
    repo = copie.copy(extra_answers={**example_answers, "metrics_load": "full"}).project_dir
    source = load(repo / "ingestion/config/klaviyo_metrics_load.yml")["in"]
    assert source["incremental"] is False
    assert not {"start_time", "end_time", "incremental_field"} & set(source)
    for entries in load(repo / "ingestion/config/klaviyo_datasources.yml").values():
        (metrics,) = [entry for entry in entries if entry["name"] == "metrics"]
        assert metrics["mode"] == "replace"
        assert metrics["incremental_field"] is None


def test_objects_not_chosen_leave_no_trace(copie, example_answers):
    repo = copie.copy(extra_answers={**example_answers, "objects": ["profiles", "lists"]}).project_dir
    assert {path.name for path in (repo / "ingestion/config").glob("*_load.yml")} == {
        "klaviyo_profiles_load.yml",
        "klaviyo_lists_load.yml",
    }
    for name in files(repo) - {"scripts/check_ingestion.py"}:
        assert "klaviyo_campaigns" not in (repo / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize(
    ("schedule", "rendered"),
    [
        ("hourly", {"hourly>": "00:00"}),
        ("daily", {"daily>": "02:00:00"}),
        ("30 4 * * mon-fri", {"cron>": "30 4 * * mon-fri"}),
    ],
)
def test_a_schedule_skips_overlapping_and_late_sessions(copie, example_answers, schedule, rendered):
    repo = copie.copy(extra_answers={**example_answers, "schedule": schedule}).project_dir
    dig = yaml.load((repo / "ingestion/klaviyo_ingest_inc.dig").read_text(encoding="utf-8"), _TextLoader)
    assert dig["schedule"] == {**rendered, "skip_on_overtime": "true", "skip_delayed_by": "30m"}
    assert "schedule" not in load(repo / "ingestion/klaviyo_ingest_hist.dig")


class _TextLoader(DigLoader):
    """Every scalar as text: PyYAML, unlike Digdag, reads 02:00:00 as a number of base 60."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as PyYAML has it


def test_a_failed_run_is_mailed_only_with_an_address(copie, example_answers, example_repo):
    for workflow in WORKFLOWS:
        assert "mail>" not in (example_repo / "ingestion" / workflow).read_text(encoding="utf-8")
    given = {"alert_email": "data-team@example.com,b@example.com"}
    repo = copie.copy(extra_answers={**example_answers, **given}).project_dir
    for workflow in WORKFLOWS:
        sent = load(repo / "ingestion" / workflow)["_error"]["+failure_alert"]["_do"]
        assert "+slack" not in sent
        alert = sent["+mail"]
        assert alert["to"] == ["data-team@example.com", "b@example.com"]
        assert alert["subject"] == "Klaviyo ingestion failed: Acme Outdoor"


def test_a_blank_database_means_the_default_and_stays_blank_in_the_answers(copie, example_answers):
    result = copie.copy(extra_answers={**example_answers, "target_database": ""})
    assert load(result.project_dir / "ingestion/config/database.yml")["databases"]["src"] == "client_src"
    assert result.answers["target_database"] == ""


def test_credentials_are_flat_private_and_ignored_by_git_and_by_push(client_repo):
    path = client_repo / "ingestion/credentials_ingestion.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert list(entries) == ["klaviyo_api_token"]
    assert isinstance(entries["klaviyo_api_token"], str)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "ingestion/credentials_ingestion.json" in ignored(client_repo)
    ignored_by_push = (client_repo / "ingestion/.digdagignore").read_text(encoding="utf-8").splitlines()
    assert "*credentials_ingestion*" in ignored_by_push


def test_a_custom_object_is_added_by_answers_alone(copie, example_answers):
    answers = {**example_answers, "custom_objects": [FLOWS, {"name": "forms", "data_source": "signup_forms"}]}
    repo = copie.copy(extra_answers=answers).project_dir
    datasources = load(repo / "ingestion/config/klaviyo_datasources.yml")
    added = {entry["table_name"]: entry for entries in datasources.values() for entry in entries}
    assert added["klaviyo_flows"]["incremental_field"] == "updated_at"
    assert added["klaviyo_flows"]["incremental_field_connector"] == "updated"
    assert added["klaviyo_flows_hist"]["incremental_field"] == "created_at"
    assert added["klaviyo_forms"]["name"] == "signup_forms"
    assert added["klaviyo_forms"]["mode"] == "replace"
    assert "start_time" in load(repo / "ingestion/config/klaviyo_flows_load.yml")["in"]
    assert "start_time" not in load(repo / "ingestion/config/klaviyo_forms_load.yml")["in"]


def test_a_review_shows_all_files_but_the_code_of_the_check(client_repo):
    files = git("ls-files", cwd=client_repo).splitlines()
    told = git("check-attr", "linguist-generated", *files, cwd=client_repo).splitlines()
    marked = {line.split(": ")[0] for line in told if line.endswith(": set")}
    assert marked == {file for file in files if file.startswith("scripts/ingestion_check/")} != set()


def test_each_file_of_the_workflows_says_first_where_to_change_things_instead(copie, example_answers):
    more = {"latest_tables": True, "freshness_hours": 24}
    repo = copie.copy(extra_answers={**example_answers, **more}).project_dir
    ingestion = repo / "ingestion"
    shared = ingestion / "sql/create_ingestion_log_table.sql"
    files = {*ingestion.glob("*.dig"), *ingestion.glob("sql/*.sql")} - {shared}
    hint = ". From the template: settings are in config/, fixes come with copier update.\n"
    assert [file.name for file in files if not file.open(encoding="utf-8").readline().endswith(hint)] == []
    for script in (repo / "scripts").glob("*.py"):
        assert hint.partition(" template")[2] in script.read_text(encoding="utf-8")
