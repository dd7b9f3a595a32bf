"""A person at a terminal of 80 columns is told what is wanted, and asked again."""

import json
import os
import stat

import pexpect
import pytest
import yaml
from by_hand import COPIER, KEY

ERASE, ALL_OR_NONE = "\x15", "a"

# In the questions' order: a bad answer, the explanation's words that must be visible, a good answer.
CONVERSATION = {
    "client_name": (f"{ERASE} Acme", "one line of text", f"{ERASE}Acme"),
    "klaviyo_api_key": ("sk_live", "pk_ and then letters, digits", ERASE + KEY),
    "td_authentication_id": ("36 00 30", "digits, as in the auth", f"{ERASE}360030"),
    "default_start_date": ("2023-09-01", "2023-09-01T00:00:00.000000", "T00:00:00.000000"),
    "target_database": ("-src", "client_src_src: 3 to 128", f"{ERASE}acme_src"),
    "objects": (ALL_OR_NONE, "at least one of profiles", ALL_OR_NONE),
    "metrics_load": (None, None, ""),
    "events_lookback_hours": ("000", "0 to 168, whole hours", f"{ERASE}3"),
    "events_late_days": ("0", "0 to 30, whole days", f"{ERASE}5"),
    "custom_objects": (f"{ERASE}flows", "[{name: flows, data_source", f"{ERASE}[]"),
    "schedule": (f"{ERASE}often", "none, hourly, daily, or cron", f"{ERASE}30 4 * * *"),
    "latest_tables": (None, None, ""),
    "alert_email": ("a@b", "addresses like data-team@", f"{ERASE}a@example.com, b@example.com"),
    "alert_slack": (None, None, ""),
    "freshness_hours": ("999", "0 to 168, whole hours", f"{ERASE}26"),
    "ci": (None, None, ""),
}


class Terminal:
    """A terminal in which `copier copy` runs, and what it has shown."""

    def __init__(self, template, destination):
        self.questions = yaml.safe_load((template / "copier.yml").read_text(encoding="utf-8"))
        self.child = pexpect.spawn(
            str(COPIER),
            ["copy", "--trust", str(template), str(destination)],
            env={**os.environ, "TERM": "xterm"},
            dimensions=(24, 80),
            encoding="utf-8",
        )
        self.shown = ""

    def wait_for(self, *expected):
        """Read on until something is shown; if asked where the cursor is, answer, as terminals do."""
        cursor_position_request = "\x1b[6n"
        while self.child.expect_exact([cursor_position_request, *expected]) == 0:
            self.shown += self.child.before
            self.child.send("\x1b[1;1R")
        self.shown += self.child.before + str(self.child.after)

    def answer(self, question, bad, told, good):
        self.wait_for(self.questions[question]["help"])
        if "placeholder" in self.questions[question]:
            self.wait_for(self.questions[question]["placeholder"])
        if bad:
            self.child.send(f"{bad}\r")
            self.wait_for(f"Validation error for question '{question}': {told}")
        self.child.send(f"{good}\r")

    def exit_code(self):
        self.wait_for(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture(scope="module")
def interview(pristine_template, tmp_path_factory):
    """What the terminal showed while a person answered everything, and the repo that came of it."""
    repo = tmp_path_factory.mktemp("interview") / "acme"
    terminal = Terminal(pristine_template, repo)
    try:
        for question, steps in CONVERSATION.items():
            terminal.answer(question, *steps)
        assert terminal.exit_code() == 0, terminal.shown
    finally:
        terminal.child.close(force=True)
    return terminal.shown, repo


def test_a_question_fits_into_a_terminal_that_cuts_it(pristine_template):
    entries = yaml.safe_load((pristine_template / "copier.yml").read_text(encoding="utf-8"))
    questions = {name: entry for name, entry in entries.items() if name in CONVERSATION}
    assert questions.keys() == {
        name for name, entry in entries.items() if isinstance(entry, dict) and "help" in entry
    }
    long = [
        f"{name}: {key}"
        for name in questions
        for key in ("help", "placeholder")
        if len(questions[name].get(key, "")) > 70
    ]
    assert long == []


def test_a_person_is_told_what_is_wanted_and_asked_again(interview):
    _, repo = interview
    answers = yaml.safe_load((repo / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["client_name"] == "Acme"
    assert answers["default_start_date"] == "2023-09-01T00:00:00.000000"
    assert answers["events_lookback_hours"] == 3
    assert answers["alert_email"] == "a@example.com, b@example.com"
    assert (answers["latest_tables"], answers["freshness_hours"]) == (False, 26)


def test_a_typed_key_is_in_the_private_credentials_and_nowhere_else(interview):
    shown, repo = interview
    credentials = repo / "ingestion/credentials_ingestion.json"
    assert json.loads(credentials.read_text(encoding="utf-8")) == {"klaviyo_api_token": KEY}
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    files = [path for path in repo.rglob("*") if path.is_file()]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == [credentials]
    assert KEY not in shown
