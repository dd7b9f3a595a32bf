"""A person at a terminal of 80 columns is told what is wanted, and asked again."""

import json
import os
import stat

import pexpect
import pytest
import yaml
import zendesk_repo
from commands import COPIER, DEFAULTS, KEY, contents, copier, copy
from klaviyo.answers import answer_problem
from test_answers import BAD

ERASE, ALL_OR_NONE, DOWN = "\x15", "a", "\x1b[B"

# In the questions' order: a bad answer, the explanation's words that must be visible, a good answer.
CONVERSATION = {
    "client_name": (f"{ERASE} Acme", "one line of text", f"{ERASE}Acme"),
    "td_authentication_id": ("36 00 30", "digits, as its URL ends", f"{ERASE}360030"),
    "default_start_date": ("2023-09-01T02:00+02:00", "2023-09-01T00:00:00.000000", f"{ERASE}2023-09-01"),
    "target_database": ("-src", "client_src_src?", f"{ERASE}acme_src"),
    "more_settings": ("maybe", "yes or no", f"{ERASE}y"),
    "td_region": (None, None, DOWN),
    "td_project": (f"{ERASE}1st", "letters, digits (not first), _, -", f"{ERASE}acme"),
    "account": ("UK", "a-z, 0-9, _, at most 32, or empty", ERASE),
    "objects": (ALL_OR_NONE, "at least one of profiles, events, ...", ALL_OR_NONE),
    "metrics_load": (None, None, ""),
    "events_lookback_hours": ("x", "0 to 168, whole hours", f"{ERASE}3"),
    "events_late_days": (f"{ERASE}many", "0 to 30, whole days", f"{ERASE}10"),
    "custom_objects": (f"{ERASE}flows", "a list like [{name: flows}]", f"{ERASE}[]"),
    "schedule": (f"{ERASE}often", "none, hourly, daily or 30 4 * * *", f"{ERASE}30 4 * * *"),
    "remove_copies": (None, None, ""),
    "latest_tables": (None, None, ""),
    "alert_email": ("a@b", "like a@example.com, b@example.com", f"{ERASE}a@example.com"),
    "alert_slack": (None, None, ""),
    "freshness_hours": (f"{ERASE}999", "0 to 168, whole hours", f"{ERASE}24"),
    "ci": (None, None, ""),
    "klaviyo_api_key": ("sk_live", "pk_ and letters, digits or _", ERASE + KEY),
}
# What everybody is asked: whether to be asked more, and last the key.
FIRST = [*list(CONVERSATION)[: list(CONVERSATION).index("more_settings") + 1], "klaviyo_api_key"]

# Of these, what has no default.
NEEDED = {"td_authentication_id": "360030", "default_start_date": "2023-09-01T00:00:00.000000"}


class Terminal:
    """A terminal in which Copier runs, and what it has shown."""

    def __init__(self, template, *command, cwd):
        self.questions = yaml.safe_load((template / "copier.yml").read_text(encoding="utf-8"))
        self.child = pexpect.spawn(
            str(COPIER),
            [*map(str, command), "--trust"],
            cwd=cwd,
            env={**os.environ, "TERM": "xterm"},
            dimensions=(24, 80),
            encoding="utf-8",
        )
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

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

    def answer_in_a_hurry(self):
        """Answer what everybody is asked, and take each default."""
        for question in FIRST:
            self.answer(question, None, None, NEEDED.get(question, ""))

    def asked(self):
        """The questions that were shown, in their order."""
        places = {name: self.shown.find(self.questions[name]["help"]) for name in CONVERSATION}
        return sorted((name for name in places if places[name] >= 0), key=places.__getitem__)

    def exit_code(self):
        self.wait_for(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture(scope="module")
def interview(pristine_template, tmp_path_factory):
    """What the terminal showed while a person answered everything, and the repo that came of it."""
    repo = tmp_path_factory.mktemp("interview") / "acme"
    with Terminal(pristine_template, "copy", pristine_template, repo, cwd=repo.parent) as terminal:
        for question, steps in CONVERSATION.items():
            terminal.answer(question, *steps)
        assert terminal.exit_code() == 0, terminal.shown
    return terminal.shown, repo


@pytest.mark.parametrize("name", [name for name in BAD if name in CONVERSATION])
def test_what_is_refused_is_readable_in_one_row_of_80_columns(name):
    told = {}
    for value in (value for values in BAD[name].values() for value in values if isinstance(value, str)):
        told[f"Validation error for question '{name}': {answer_problem(value, name)}"] = value
    told[f"Validation error for question '{name}': {answer_problem(f'x {KEY}', name)}"] = KEY
    assert {text: value for text, value in told.items() if len(text) > 79 or text.endswith(": ")} == {}


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
    assert answers["alert_email"] == "a@example.com"
    assert answers["td_region"] == "eu01"


def test_a_typed_key_is_in_the_private_credentials_and_nowhere_else(interview):
    shown, repo = interview
    credentials = repo / "ingestion/credentials_ingestion.json"
    assert json.loads(credentials.read_text(encoding="utf-8")) == {"klaviyo_api_token": KEY}
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    files = [path for path in repo.rglob("*") if path.is_file()]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == [credentials]
    assert KEY not in shown


def test_a_person_in_a_hurry_meets_six_prompts(pristine_template, tmp_path):
    with Terminal(pristine_template, "copy", pristine_template, "acme", cwd=tmp_path) as terminal:
        terminal.answer_in_a_hurry()
        assert terminal.exit_code() == 0, terminal.shown
    assert terminal.asked() == FIRST
    assert len(FIRST) == 6
    given = [part for name, value in NEEDED.items() for part in ("-d", f"{name}={value}")]
    copier("copy", *DEFAULTS, *given, "-d", "client_name=acme", pristine_template, "same", cwd=tmp_path)
    assert contents(tmp_path / "acme") == contents(tmp_path / "same")


def test_in_the_repo_of_another_source_a_person_is_asked_before_its_ignore_files_get_lines(
    pristine_template, tmp_path
):
    repo = zendesk_repo.make(tmp_path / "acme")
    before = contents(repo)
    with Terminal(pristine_template, "copy", pristine_template, ".", cwd=repo) as terminal:
        for question in [*FIRST[:-1], "td_project", FIRST[-1]]:
            terminal.answer(question, None, None, {**NEEDED, "td_project": f"{ERASE}acme"}.get(question, ""))
        for file in (".gitignore", "ingestion/.digdagignore"):
            terminal.wait_for(f"Overwrite {file}?")
            terminal.child.send("\r")
        assert terminal.exit_code() == 0, terminal.shown
    assert terminal.asked() == [*FIRST[:-1], "td_project", FIRST[-1]]
    after = contents(repo)
    changed = {file for file in before if after[file] != before[file]}
    assert b"wf push acme\n" in after["docs/klaviyo.md"]
    assert changed == {".gitignore", "ingestion/.digdagignore", zendesk_repo.CREDENTIALS}


def test_an_update_asks_few_too_and_keeps_what_it_does_not_ask(released, tmp_path):
    repo = copy(released, tmp_path / "acme", "-d", "schedule=hourly", "-d", "td_project=acme")
    before = contents(repo)
    with Terminal(released, "update", cwd=repo) as terminal:
        prompts = [name for name in FIRST if name != "klaviyo_api_key"]
        for question in prompts:
            terminal.wait_for(terminal.questions[question]["help"])
            terminal.child.send("\r")
        assert terminal.exit_code() == 0, terminal.shown
    assert terminal.asked() == prompts
    assert contents(repo) == before
