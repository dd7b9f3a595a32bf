"""An update brings the template's fixes, and loses nothing of the client's."""

import re

import pytest
import yaml
from commands import (
    DEFAULTS,
    DOCUMENTED,
    KEY,
    append,
    commit,
    contents,
    copier,
    copy,
    edit,
    git,
    made_of,
    release,
    update,
)

INCREMENTAL = "ingestion/klaviyo_ingest_inc.dig"
PROFILES = "ingestion/config/klaviyo_profiles_load.yml"
DATASOURCES = "ingestion/config/klaviyo_datasources.yml"
CREDENTIALS = "ingestion/credentials_ingestion.json"


def test_fixes_arrive_and_the_client_s_edits_files_and_deletions_stay(released, acme):
    append(acme / INCREMENTAL, "# by the client\n")
    (acme / "ingestion/sql/report.sql").write_text("SELECT 1\n", encoding="utf-8")
    (acme / "ingestion/query_samples/klaviyo_latest_rows.sql").unlink()
    commit(acme)
    edit(released / "includes/ingest.dig.jinja", "timezone: UTC\n", "timezone: UTC  # fixed\n")
    append(made_of(released, "ingestion/query_samples/klaviyo_latest_rows.sql"), "-- fixed\n")
    release(released, "1.1.0")
    update(acme)
    workflow = (acme / INCREMENTAL).read_text(encoding="utf-8")
    assert "timezone: UTC  # fixed\n" in workflow
    assert workflow.endswith("# by the client\n")
    assert (acme / "ingestion/sql/report.sql").read_text(encoding="utf-8") == "SELECT 1\n"
    assert not (acme / "ingestion/query_samples/klaviyo_latest_rows.sql").exists()
    commit(acme)
    before = contents(acme)
    update(acme)
    assert contents(acme) == before, "a second update changes something"


def test_an_untouched_repo_updated_equals_a_fresh_copy(released, acme):
    edit(released / "includes/ingest.dig.jinja", "timezone: UTC\n", "timezone: UTC  # fixed\n")
    monitoring = made_of(released, "ingestion/query_samples/klaviyo_monitoring.sql")
    monitoring.rename(monitoring.with_name("{{ source }}_last_week.sql.jinja"))
    release(released, "1.1.0")
    update(acme)
    assert contents(acme) == contents(copy(released, acme.parent / "fresh"))


def change_one_line_in_both(released, acme):
    """Have the client and the template, which is not released with it yet, change the same line."""
    edit(acme / "README.md", "# Acme Outdoor: Klaviyo → Treasure Data\n", "# Acme, by the client\n")
    commit(acme)
    title = "# {{ client_name }}: Klaviyo → Treasure Data\n"
    edit(released / "template/README.md.jinja", title, "# Acme, fixed\n")


@pytest.mark.parametrize(("conflict", "other"), [("inline", "README.md"), ("rej", "README.md.rej")])
def test_a_line_that_both_changed_is_marked_and_named(released, acme, conflict, other):
    change_one_line_in_both(released, acme)
    release(released, "1.1.0")
    ended = copier("update", *DEFAULTS, "--conflict", conflict, cwd=acme)
    assert ended.exit_code == 1
    assert re.search(
        rf"^✗ No update was left half done \[update-finished\]\n    {other}:1: ", ended.output, re.MULTILINE
    )
    both = (acme / "README.md").read_text(encoding="utf-8") + (acme / other).read_text(encoding="utf-8")
    assert "# Acme, by the client" in both
    assert "# Acme, fixed" in both


def test_under_quiet_conflicts_come_without_a_report_and_with_exit_code_0(released, acme):
    """Which is why docs/updates.md advises against it."""
    change_one_line_in_both(released, acme)
    release(released, "1.1.0")
    ended = copier("update", *DEFAULTS, "-q", cwd=acme)
    assert "<<<<<<< " in (acme / "README.md").read_text(encoding="utf-8")
    assert ended == (0, "")


def test_after_a_conflict_the_way_back_undoes_the_update_and_nothing_else(released, acme):
    change_one_line_in_both(released, acme)
    before = contents(acme)
    (released / "template/new.md").write_text("new\n", encoding="utf-8")
    release(released, "1.1.0")
    ended = copier("update", *DEFAULTS, cwd=acme)
    (back,) = re.findall("The way back: (git .*)", ended.output)
    assert "The way on: " in ended.output
    assert f"`{back}`" in (acme / "docs/klaviyo.md").read_text(encoding="utf-8")
    assert (acme / "new.md").exists()
    for command in back.split(" && "):
        git(*command.split()[1:], cwd=acme)
    assert contents(acme) == before
    assert git("status", "--porcelain", cwd=acme) == ""


@pytest.mark.parametrize(
    ("place", "change"), [("ingestion", ""), (".", "by the client\n")], ids=["subfolder", "dirty tree"]
)
def test_what_copier_refuses_is_in_the_client_s_manual(acme, place, change):
    manual = (acme / "docs/klaviyo.md").read_text(encoding="utf-8")
    append(acme / "README.md", change)
    ended = copier("update", *DEFAULTS, cwd=acme / place)
    assert ended.exit_code == 1
    told = re.findall("^[|] `([^`]*)` [|]", manual, re.MULTILINE)
    assert any(words in ended.output for words in told)


def test_answers_can_be_changed_by_an_update(released, acme):
    append(acme / PROFILES, "# by the client\n")
    commit(acme)
    answers = {
        "objects": "[profiles, events, metrics]",
        "metrics_load": "full",
        "custom_objects": "[{name: flows, inc_field: updated, inc_field_connector: updated}]",
        "schedule": "hourly",
        "alert_email": "data-team@example.com",
        "events_lookback_hours": "5",
        "target_database": "acme_src",
        "default_start_date": "2024-01-01T00:00:00.000000",
    }
    changed = [part for name, value in answers.items() for part in ("-d", f"{name}={value}")]
    update(acme, *changed)
    fresh = contents(copy(released, acme.parent / "fresh", *changed))
    fresh[PROFILES] += b"# by the client\n"
    assert contents(acme) == fresh
    commit(acme)
    update(acme, "-d", "objects=[profiles, lists]")
    assert (acme / "ingestion/config/klaviyo_lists_load.yml").exists()
    assert (acme / PROFILES).read_text(encoding="utf-8").endswith("# by the client\n")


@pytest.mark.parametrize(
    "start", ["2024-01-01", "2024-01-01 00:00:00Z", "2024-01-01 00:00:00", "'2024-01-01'"]
)
def test_a_start_that_yaml_reads_as_a_date_changes_what_the_same_instant_changes(released, acme, start):
    fresh = copy(released, acme.parent / "fresh", "-d", "default_start_date=2024-01-01T00:00:00.000000")
    (acme.parent / "start.yml").write_text(f"default_start_date: {start}\n", encoding="utf-8")
    shown = update(acme, "--data-file", acme.parent / "start.yml")
    assert "The backfill starts at 2024-01-01T00:00:00.000000, UTC.\n" in shown
    assert contents(acme) == contents(fresh)
    commit(acme)
    assert "The backfill starts" not in update(acme)


def test_a_stored_answer_that_newer_rules_reject_is_named_and_can_be_fixed(released, tmp_path):
    repo = copy(released, tmp_path / "repo", "-d", "events_lookback_hours=48")
    edit(
        released / "extensions/klaviyo/rules.py",
        '"events_lookback_hours": _up_to(168',
        '"events_lookback_hours": _up_to(24',
    )
    release(released, "1.1.0")
    before = contents(repo)
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert ended.exit_code == 1
    line = "^events_lookback_hours: 48 is invalid, .* Fix it with -d events_lookback_hours="
    assert re.search(line, ended.output, re.MULTILINE)
    assert contents(repo) == before
    update(repo, "-d", "events_lookback_hours=24")
    assert "lookback_seconds: 86400\n" in (repo / DATASOURCES).read_text(encoding="utf-8")


def test_the_old_and_the_new_version_are_each_rendered_by_their_own_modules(released, acme):
    append(acme / DATASOURCES, "# by the client\n")
    commit(acme)
    catalogue, rules, report = (
        released / f"extensions/klaviyo/{name}.py" for name in ("objects", "rules", "after_writing")
    )
    edit(catalogue, '"profiles",\n        window_days=90', '"profiles",\n        window_days=30')
    edit(rules, '"events_lookback_hours": _up_to(168', '"events_lookback_hours": _up_to(400')
    edit(report, "        return text\n", '        return "As the new version says:\\n" + text\n')
    release(released, "1.1.0")
    assert "As the new version says:\n" in update(acme, "-d", "events_lookback_hours=400")
    datasources = (acme / DATASOURCES).read_text(encoding="utf-8")
    # With the new catalogue in both renders, 90 would look like the client's edit, and stay.
    assert yaml.safe_load(datasources)["hist_datasources"][0]["window_days"] == 30
    assert f"lookback_seconds: {400 * 3600}\n" in datasources
    assert datasources.endswith("# by the client\n")


def test_a_recopy_discards_edits_and_leaves_the_credentials_and_the_client_s_own_files(acme):
    before = contents(acme)
    append(acme / INCREMENTAL, "# by the client\n")
    (acme / "ingestion/query_samples/klaviyo_latest_rows.sql").unlink()
    (acme / "ingestion/sql/report.sql").write_text("SELECT 1\n", encoding="utf-8")
    commit(acme)
    assert KEY in before[CREDENTIALS].decode()
    (command,) = re.findall("^uvx .* copier (recopy .*)", DOCUMENTED, re.MULTILINE)
    ended = copier(*command.split(), "--defaults", cwd=acme)
    assert ended.exit_code == 0, ended.output
    assert contents(acme) == {**before, "ingestion/sql/report.sql": b"SELECT 1\n"}


def test_no_code_of_the_client_s_runs_in_copier(released, acme):
    append(acme / "scripts/check_ingestion.py", 'raise SystemExit("by the client")\n')
    append(acme / "scripts/ingestion_check/__init__.py", 'raise SystemExit("by the client")\n')
    edit(acme / INCREMENTAL, "limit: 3", "limit: 4")
    commit(acme)
    release(released, "1.1.0")
    ended = copier("update", *DEFAULTS, cwd=acme)
    assert "by the client" not in ended.output
    assert re.search(rf"^✗ .*three loads.*\n    {INCREMENTAL}:", ended.output, re.MULTILINE)


def test_an_answer_broken_by_hand_is_to_be_fixed_by_hand(acme):
    edit(acme / ".copier-answers.yml", "events_lookback_hours: 2\n", "events_lookback_hours: 999\n")
    commit(acme)
    ended = copier("update", *DEFAULTS, "-d", "events_lookback_hours=2", cwd=acme)
    assert ended.exit_code == 1
    assert "events_lookback_hours: 999 is invalid" in ended.output
    assert "No -d can fix what .copier-answers.yml says: correct it there and commit." in ended.output
