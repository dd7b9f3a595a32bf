"""A question that nobody is asked unless they want more settings takes its answer from anywhere else."""

import json

import pytest
import yaml
from commands import DEFAULTS, commit, contents, copier, update

NEEDED = ("-d", "td_authentication_id=360030", "-d", "default_start_date=2023-09-01T00:00:00.000000")
# An answer to each such question that is not its default.
ANSWERS = {
    "td_region": "eu01",
    "td_project": "acme",
    "objects": ["lists", "metrics"],
    "metrics_load": "full",
    "events_lookback_hours": 3,
    "events_late_days": 10,
    "custom_objects": [{"name": "campaigns_snapshot", "data_source": "campaigns"}],
    "schedule": "hourly",
    "remove_copies": False,
    "latest_tables": True,
    "alert_email": "data-team@example.com",
    "alert_slack": True,
    "freshness_hours": 24,
    "ci": "none",
}


def stored(repo):
    answers = yaml.safe_load((repo / ".copier-answers.yml").read_text(encoding="utf-8"))
    return {name: answers.get(name) for name in ANSWERS}


def test_every_question_after_more_settings_waits_for_it(pristine_template):
    entries = yaml.safe_load((pristine_template / "copier.yml").read_text(encoding="utf-8"))
    asked = [name for name, entry in entries.items() if isinstance(entry, dict) and "help" in entry]
    later = asked[asked.index("more_settings") + 1 :]
    assert later.pop() == "klaviyo_api_key"  # which everybody is asked, last
    assert [name for name in asked if "ask" in entries[name]] == later
    # A new repo's first account has no name: see test_accounts.py.
    assert [name for name in later if name != "account"] == list(ANSWERS)
    joining = {"td_project": "{{ more_settings or joins_others() }}"}  # test_prompts.py
    assert {name: entries[name]["ask"] for name in later} == {
        name: "{{ more_settings }}" for name in later
    } | joining


@pytest.mark.parametrize("source", ["-d", "data file", "settings"])
def test_an_answer_that_nobody_asked_for_is_taken_stored_and_kept(released, tmp_path, monkeypatch, source):
    answers = yaml.safe_dump({"defaults": ANSWERS} if source == "settings" else ANSWERS)
    (tmp_path / "answers.yml").write_text(answers, encoding="utf-8")
    given = []
    if source == "-d":
        for name, value in ANSWERS.items():
            given += ["-d", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    elif source == "data file":
        given = ["--data-file", tmp_path / "answers.yml"]
    else:
        monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "answers.yml"))
    ended = copier("copy", *DEFAULTS, *NEEDED, *given, released, "acme", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    repo = tmp_path / "acme"
    assert stored(repo) == ANSWERS
    assert "hourly>" in (repo / "ingestion/klaviyo_ingest_inc.dig").read_text(encoding="utf-8")
    monkeypatch.delenv("COPIER_SETTINGS_PATH", raising=False)
    commit(repo)
    before = contents(repo)
    update(repo)
    assert contents(repo) == before


def test_whether_to_be_asked_more_is_asked_anew_each_time(released, tmp_path):
    ended = copier("copy", *DEFAULTS, *NEEDED, "-d", "more_settings=yes", released, "acme", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    assert "more_settings: ''\n" in (tmp_path / "acme/.copier-answers.yml").read_text(encoding="utf-8")
