"""A dry run prints what a client's two workflows would do, and touches nothing of the client's."""

import re
import shutil
import time
from types import SimpleNamespace

import dry_run
import pytest

KEY = "pk_0123456789abcdef0123456789abcdef01"


@pytest.fixture
def repo(rendered, tmp_path):
    """A client's repo with one object of the catalogue and one of its own, and a key that nobody may see."""
    answers = {"objects": ["lists"], "custom_objects": [{"name": "forms"}], "klaviyo_api_key": KEY}
    shutil.copytree(rendered(answers), tmp_path / "acme/ingestion")
    return tmp_path / "acme"


def content(repo):
    return {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()}


def test_a_dry_run_names_each_load_with_its_rows_and_the_cost(repo, capfd):
    before = content(repo)
    assert dry_run.main(repo) == 0
    printed = capfd.readouterr().out
    for table in ("klaviyo_lists_hist", "klaviyo_forms_hist", "klaviyo_lists", "klaviyo_forms"):
        assert [
            line for line in printed.splitlines() if line.startswith(f"{table} ") and "success" in line
        ], table
    assert "SUCCESS" in printed
    assert re.search(r"^lists +█{8} +100 .* 0 +\d+ *$", printed, re.MULTILINE)  # as klaviyo_status.py says it
    assert "✓ All is well." in printed.split("klaviyo_ingest_inc succeeded")[1]
    assert "klaviyo_ingest_inc succeeded: 2 loads, at most " in printed
    assert "tasks (of 1,000)" in printed
    assert "No schedule: each time that it is started costs about " in printed
    assert KEY not in printed
    assert content(repo) == before


def test_a_dry_run_of_a_workflow_that_fails_says_what_failed(repo, capfd, monkeypatch):
    monkeypatch.setattr(dry_run, "WORKFLOWS", ["klaviyo_ingest_inc"])
    path = repo / "ingestion/config/klaviyo_lists_load.yml"
    path.write_text(path.read_text().replace("${datasource.incremental_field_connector}", "updated_at"))
    assert dry_run.main(repo) == 1
    printed = capfd.readouterr().out
    assert "klaviyo_ingest_inc FAILED" in printed
    assert "Invalid incremental_field 'updated_at' for data_source lists" in printed
    assert "✗ klaviyo_lists failed: " in printed


def test_a_dry_run_shows_each_load_as_it_ends(capfd):
    td = SimpleNamespace(jobs=[])
    with dry_run.loads_shown("klaviyo_ingest_inc", td):
        assert "klaviyo_ingest_inc: each load as it ends" in capfd.readouterr().out
        window = ("2024-01-01T00:00:00.000000", "2024-02-01T00:00:00.000000")
        load = SimpleNamespace(
            kind="bulkload", status="running", id="1", table="klaviyo_lists", window=window, num_records=7
        )
        td.jobs.append(load)
        assert capfd.readouterr().out == ""
        load.status = "success"
        deadline = time.monotonic() + 10
        printed = ""
        while not printed and time.monotonic() < deadline:
            time.sleep(0.05)
            printed = capfd.readouterr().out
        assert printed.split() == [
            *("klaviyo_lists", "2024-01-01T00:00", "to", "2024-02-01T00:00"),
            *("7", "rows", "success"),
        ]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("config/klaviyo_datasources.yml", "inc_datasources: [", "klaviyo_datasources.yml cannot be read"),
        ("config/klaviyo_datasources.yml", "a list", "klaviyo_datasources.yml cannot be read"),
        ("config/database.yml", "databases:", "database.yml cannot be read"),
    ],
)
def test_a_repo_of_which_there_can_be_no_dry_run_is_told_why(repo, file, text, said):
    (repo / "ingestion" / file).write_text(text)
    with pytest.raises(dry_run.Unfit, match=said):
        dry_run.main(repo)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (
            "hourly",
            "On the schedule 'hourly', 24 runs a day, that comes to about 720 jobs and 2,016 tasks a day.",
        ),
        ("daily", "'daily', 1 runs a day, that comes to about 30 jobs and 84 tasks"),
        ("*/15 6-7 * * *", "8 runs a day, that comes to about 240 jobs and 672 tasks"),
        ("none", "No schedule: each time that it is started costs about 30 jobs and 84 tasks."),
    ],
)
def test_a_dry_run_tells_what_the_incremental_runs_cost_a_day(rendered, schedule, said):
    assert said in dry_run.cost_a_day(rendered({"schedule": schedule}), 30, 84)


def test_without_digdag_a_dry_run_says_where_it_comes_from(repo, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(dry_run.Unfit, match="treasure-data/digdag"):
        dry_run.main(repo)
