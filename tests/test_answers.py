"""A bad answer, wherever it comes from, is refused in one line before anything is written."""

import json
import re
import subprocess
from datetime import date, datetime, timedelta, timezone
from itertools import zip_longest

import pytest
import yaml
from commands import COPIER, DEFAULTS, TEMPLATE, copier
from copier import run_copy
from klaviyo.answers import answer_problem, bad_answers
from klaviyo.rules import RULES

NEEDED = ("-d", "td_authentication_id=360030", "-d", "default_start_date=2023-09-01")
SECRET = "sk_live_do_not_show"

NOTHING = [None, True, False, 1.5, {}, {"a": 1}, b"bytes"]
NO_TEXT = [*NOTHING, date(2023, 9, 1)]
HOSTILE = ["a b", "a'b", 'a"b', "a;b", "${session_time}", "{{ 7 * 7 }}", "acme\n", "ac\nme", "ａｃｍｅ"]

# Dates as people and YAML write them, and how they are understood.
UNDERSTOOD = {
    "2023-09-01": "2023-09-01T00:00:00.000000",
    "2023-09-01T00:00:00": "2023-09-01T00:00:00.000000",
    "2023-09-01T12:34:56": "2023-09-01T12:34:56.000000",
    "2023-09-01T00:00:00Z": "2023-09-01T00:00:00.000000",
    "2023-09-01T00:00:00.000": "2023-09-01T00:00:00.000000",
    "2023-09-01T00:00:00.000Z": "2023-09-01T00:00:00.000000",
    "2023-09-01T00:00:00.000000Z": "2023-09-01T00:00:00.000000",
    "2023-09-01 00:00:00.000000": "2023-09-01T00:00:00.000000",
    date(2023, 9, 1): "2023-09-01T00:00:00.000000",
    datetime(2023, 9, 1, 2): "2023-09-01T02:00:00.000000",
    datetime(2023, 9, 1, 2, tzinfo=timezone.utc): "2023-09-01T02:00:00.000000",
    "0001-01-01": "0001-01-01T00:00:00.000000",
    "2024-02-29T23:59:59.000000": "2024-02-29T23:59:59.000000",
}
# Dates in a form that is no instant in UTC for certain, and what was probably meant.
MEANT = {
    "2023-9-1": "2023-09-01T00:00:00.000000",
    "2023-09-01T02:00:00.000000+02:00": "2023-09-01T00:00:00.000000",
    "2023-09-01T00:00:00+00:00": "2023-09-01T00:00:00.000000",
    "2023-09-01T00:00:00-0530": "2023-09-01T05:30:00.000000",
    "2023-09-01T00:00": "2023-09-01T00:00:00.000000",
    "2023-09-01Z": "2023-09-01T00:00:00.000000",
    "2023-09-01t00:00:00.000000": "2023-09-01T00:00:00.000000",
    "2023-09-01T12:34:56.123456": "2023-09-01T12:34:56.000000",
    " 2023-09-01T00:00:00.000000 ": "2023-09-01T00:00:00.000000",
    "2023-09-01T00:00:00.000000\n": "2023-09-01T00:00:00.000000",
    "２０２３-09-01T00:00:00.000000": "2023-09-01T00:00:00.000000",
    "1693526400": "2023-09-01T00:00:00.000000",
    1693526400: "2023-09-01T00:00:00.000000",
    "1693526400000": "2023-09-01T00:00:00.000000",
    datetime(2023, 9, 1, 12, 34, 56, 123456): "2023-09-01T12:34:56.000000",
    datetime(2023, 9, 1, 2, tzinfo=timezone(timedelta(hours=2))): "2023-09-01T00:00:00.000000",
}
NEXT_YEAR = date(date.today().year + 1, 1, 1)

FLOWS = {"name": "flows", "inc_field": "updated", "inc_field_connector": "updated"}
SMS = {"name": "sms", "data_source": "campaigns", "inc_field": "updated_at", "inc_field_connector": "updated"}
CREATED = {"hist_field": "created", "hist_field_connector": "created"}

# fmt: off

# A question, what it says is wanted, and what is refused for that.
BAD: dict[str, dict[str, list]] = {
    "answers_are_good": {"True": [None, False]},
    "client_name": {
        "one line of text": [
            *NO_TEXT, 42, ["a"], "", " ", " Acme", "Acme ", "Acme\n", "Ac\nme", "Ac\tme", "Ac\x1b[2Jme",
            "Ac\x00me", "Ac\u2028me",
        ],
        "at most 100 characters, without ${": ["${session_time}", "a" * 101],
    },
    "td_authentication_id": {
        "digits": [*NO_TEXT, *HOSTILE, ["a"], "", " 360030", "３６００３０", "a" * 129, "pk_pasted_one_late"],
    },
    "default_start_date": {
        "YYYY-MM-DDTHH:MM:SS.000000, UTC": [
            *NOTHING, *HOSTILE, *MEANT, 42, ["a"], "", "yesterday", "0" * 13,
        ],
        "a day and hour that exist": [
            "2023-02-30T00:00:00.000000", "2023-09-01T24:00:00.000000", "2023-09-01T00:00:60.000000",
            "0000-01-01T00:00:00.000000", "2023-13-01", "2023-02-30", "2023-02-29T00:00:00Z",
        ],
        "a time in the past": ["2999-01-01T00:00:00.000000", "2999-01-01", NEXT_YEAR, "9" * 10],
    },
    "target_database": {
        "3 to 128 of a-z, 0-9 and _": [
            *NO_TEXT, *HOSTILE, 42, ["a"], " ", "ab", "a" * 129, "Client_Src", "client-src", "client.src",
            "clïent",
        ],
    },
    "more_settings": {"yes or no": [None, [True], {}, 1.5, 42, "maybe", "yes please", "{{ x }}"]},
    "td_region": {
        "us01 or eu01 or ap01 or ap02 or ap03": [*NO_TEXT, 42, ["eu01"], "", "EU01", "eu", "us01\n", "tokyo"],
    },
    "td_project": {
        "letters, digits, _ and -": [
            *NO_TEXT, *HOSTILE, 42, ["a"], "", "1st", "-f",
            "a/b", "a.b", "a" * 256, "pk_pasted_here",
        ],
    },
    "account": {
        "a short name of a-z, 0-9 and _, at most 32": [*NO_TEXT, *HOSTILE, "UK", "u-k", "a" * 33],
        "a name that no file or table of the first account begins with": [
            "profiles", "email", "email_templates", "ingest", "preflight", "preflight_x", "latest", "freshness",
            "log", "hist", "datasources", "concurrent", "backfill",
        ],
    },
    "source": {"left out": [*NO_TEXT, "klaviyo", "klaviyo_uk"]},
    "objects": {
        "at least one of profiles, events": [
            *NO_TEXT, 42, [], "", "[]", "profiles", "{profiles: 1}", "[flows]", ["flows"], ["lists", "flows"],
            ["Lists"], ["lists", None], [["lists"]], "[profiles", "[a\nb]", "2023-02-30", "!!bool x",
            "!!timestamp x", "[" * 500, "[!!str lists]", "[&a lists, *a]", '["\\x6cists"]',
        ],
        "a list that has no object twice": [["lists", "lists"], "[events, lists, events]"],
    },
    "metrics_load": {"incremental or full": [*NO_TEXT, 42, ["full"], "", "Full", "replace", "full\n"]},
    "events_lookback_hours": {
        "0 to 168": [
            *NO_TEXT, [2], "", -1, "-1", 169, "169", 10**30, "1.5", "two", " 2", "2\n", "２", "1_0", "${x}",
        ],
    },
    "events_late_days": {"0 to 30": [*NO_TEXT, [2], "", -1, 31, "31", "1.5", "seven", " 7"]},
    "custom_objects": {
        "[{name: campaigns_snapshot, data_source": [
            *NO_TEXT, 42, ["a"], "", "flows", "[flows]", "[", "[" * 500, "2023-02-30", "!!bool x", FLOWS,
            [None], [{}], [{"data_source": "flows"}], [{"name": None}], [{1: 2}],
            [{"name": "flows", "colour": 1}],
        ],
        "names of a-z, 0-9, _": [
            *([{"name": name}] for name in (*HOSTILE, "Flows", "1st", 5, True, ["a"], "a" * 65)),
            [{**FLOWS, "inc_field": "a b"}], [{**FLOWS, "data_source": "a/b"}],
        ],
        "data_source: templates, as the connector calls it": [
            [{"name": "email_templates"}], [{"name": "x", "data_source": "template"}],
        ],
        "each field with both names": [
            [{"name": "flows", "inc_field": "updated"}], [{**FLOWS, "inc_field_connector": ""}],
            [{**FLOWS, "hist_field": "created"}], [{"name": "flows", **CREATED}],
        ],
        "without the field order, which is a word of SQL's own": [
            [{**FLOWS, "inc_field": "order"}], [{**FLOWS, **CREATED, "hist_field": "order"}],
        ],
        "without the field end, which": [[{**FLOWS, "inc_field": "end"}]],
        "without the field time, which is when a load ran": [
            [{**FLOWS, "inc_field": "time"}], [{**FLOWS, **CREATED, "hist_field": "time"}],
        ],
        "without the name null, which YAML reads as something else": [
            [{"name": "null"}], [{"name": "flows", "data_source": "null"}],
            [{**FLOWS, "inc_field_connector": "null"}], [{**FLOWS, **CREATED, "hist_field_connector": "null"}],
        ],
        "without the name true, which": [[{"name": "true"}]],
        "names of their own": [[FLOWS, FLOWS], [{"name": "profiles"}]],
        "names other than preflight, preflight_x, x_hist and x_latest": [
            *([{"name": name}] for name in ("preflight", "preflight_", "preflight_x", "lists_hist", "x_hist")),
            [{"name": "lists_latest"}], [{**FLOWS, "name": "x_latest"}],
        ],
        "updated_at with updated (inc_field), created_at with created (hist_field)": [
            [{**FLOWS, "data_source": "campaigns"}], [{**SMS, "inc_field_connector": "updated_at"}],
            [{**SMS, **CREATED}],
        ],
        "datetime with datetime": [[{**FLOWS, "data_source": "events"}]],
    },
    "schedule": {
        "none, hourly, daily, or cron like 30 4 * * *": [
            *NO_TEXT, 42, ["none"], "", "sometimes", "Hourly", "daily\n", "@daily", "* * * *", "* * * * * *",
            "60 4 * * *", "30 24 * * *", "30 4 0 * *", "30 4 32 * *", "30 4 * 13 *", "30 4 * * 8",
            "*/0 * * * *", "30 4  * * *", "30\t4 * * *", "30 4 * * *\n",
            "30 4 * * foo", "30 jan * * *", "-1 * * * *", "1, * * * *", "３ * * * *", '30 4 * * "',
            "30 4 * * ${x}",
        ],
        "a date that comes": ["30 4 30 2 *", "30 4 31 FEB,4,jun *", "30 4 30-31 2 1"],
    },
    "remove_copies": {"yes or no": [None, [True], {}, 1.5, 42, "", "maybe"]},
    "latest_tables": {"yes or no": [None, [True], {}, 1.5, 42, "", "maybe"]},
    "alert_email": {
        "addresses like": [
            *NO_TEXT, *HOSTILE, 42, ["a@example.com"], "a", "a@", "@example.com", "a@example",
            "a b@example.com", "a@b@example.com", "a@example..com", "a@example.com,", "a@example.com b@example.com",
            "a@example.com;b@example.com", ",a@example.com", "a@example.com,,b@example.com",
            "a@example.com\n", " a@example.com", "A <a@example.com>", "${x}@example.com", "é@example.com",
        ],
    },
    "alert_slack": {"yes or no": [None, [True], {}, 1.5, 42, "", "#channel"]},
    "freshness_hours": {"0 to 168": [*NO_TEXT, [24], "", -1, 169, "169", "1.5", "day", " 24"]},
    "ci": {"github or none": [*NO_TEXT, 42, ["github"], "", "gitlab", "GitHub", "none\n"]},
    "klaviyo_api_key": {
        "pk_": [
            *NO_TEXT, 42, [SECRET], {SECRET: 1}, SECRET, "pk_", f"pk_ {SECRET}", f" pk_{SECRET}",
            f"pk_{SECRET}\n", f"PK_{SECRET}", f"pk_{SECRET}-", f"pk_{SECRET * 20}", f"pk_'{SECRET}",
            f"pk_${{{SECRET}}}", f"pk_é{SECRET}",
        ],
    },
    "writes_credentials": {"True or False": [None, "yes"]},
    "files_are_good": {"True": [None, False]},
}

# Unusual, and right.
GOOD: dict[str, list] = {
    "client_name": ["O'Brien & Söhne \"Ltd\": #1 {{ 7 * 7 }} {% x %} \\n $5 日本", "a" * 100, "- x", "null"],
    "klaviyo_api_key": ["", "pk_1", "pk_Ab_0" * 30],
    "td_authentication_id": [
        360030, "0", "0123", "acme_klaviyo-1", "a" * 128, "-", "-1", "null", "true", "1e5",
    ],
    "default_start_date": list(UNDERSTOOD),
    "target_database": ["", "abc", "___", "123", "a" * 128, "null"],
    "more_settings": [True, "yes", "no", "true", "False", "y", "Y", "n", ""],
    "td_region": ["eu01", "ap01", "ap02", "ap03"],
    "td_project": ["acme_klaviyo", "Acme-1", "_", "a" * 255, "null"],
    "objects": ["[metrics]", "- lists\n- events", '["lists", \'events\',]'],
    "metrics_load": ["full"],
    "events_lookback_hours": [0, 168, "0", "168", "007"],
    "events_late_days": [0, 30, "0", "30"],
    "custom_objects": [
        "[]", f"[{FLOWS}]", [{"name": "flows", "data_source": None}], [SMS], [{"name": "preflights"}], [{"name": "hist"}], [{"name": "latest_x"}],
        [{**FLOWS, **CREATED}],
    ],
    "schedule": [
        "hourly", "daily", "*/5 * * * *", "0 0 1 1 0", "59 23 31 dec 7", "5-2 * * * FRI-MON", "0,15-45/10 4 * JAN-mar MON-FRI",
    ],
    "remove_copies": [False, "no"],
    "latest_tables": [True, "yes"],
    "alert_email": ["", "a@example.com,b@example.com", "a@example.com, b@example.com", "a.b+c_d%e-f@sub-domain.example.co.uk", "1@example.com"],
    "alert_slack": [True, "yes"],
    "freshness_hours": [0, 168, "24"],
    "ci": ["none"],
}

# fmt: on


def test_every_question_has_a_rule_in_the_questions_order(pristine_template):
    questions = yaml.safe_load((pristine_template / "copier.yml").read_text(encoding="utf-8"))
    assert [name for name in questions if not name.startswith("_")] == list(RULES) == list(BAD)


def rounds(*questions):
    """The first case of each question, then the second of each, and so on: a round is one run of Copier."""
    return [[case for case in each if case] for each in zip_longest(*questions)]


BAD_ROUNDS = rounds(
    *(
        [(name, form, value) for form, values in forms.items() for value in values]
        for name, forms in BAD.items()
    )
)
GOOD_ROUNDS = rounds(*([(name, value) for value in values] for name, values in GOOD.items()))


@pytest.mark.parametrize("cases", BAD_ROUNDS, ids=range(len(BAD_ROUNDS)))
def test_each_bad_answer_is_refused_in_one_line(refusal, pristine_template, example_answers, tmp_path, cases):
    data = {**example_answers, **{name: value for name, _, value in cases}}
    lines = refusal(pristine_template, tmp_path / "new", data=data).split("\n")
    for line, (name, form, value) in zip(lines, cases, strict=True):
        shown = str(value) if isinstance(value, date) else repr(value)
        assert line.startswith(f"{name}: ")
        assert f" is invalid, it must be {form}" in line
        assert line.isprintable()
        assert SECRET not in line
        assert (shown[:77] in line) != (name == "klaviyo_api_key" or "pk_" in shown)
        assert "-d klaviyo_api_key" not in line  # it would stay in the shell's history


@pytest.mark.parametrize(("value", "meant"), MEANT.items(), ids=ascii)
def test_a_date_in_a_wrong_form_is_corrected(value, meant):
    assert answer_problem(value, "default_start_date") == f"{meant}?"
    (line,) = bad_answers({"default_start_date": value})
    assert line.endswith(f" Did you mean -d default_start_date={meant} ?")
    assert answer_problem(meant, "default_start_date") == ""


@pytest.mark.parametrize(("value", "understood"), UNDERSTOOD.items(), ids=str)
def test_a_date_is_rendered_and_stored_in_the_connector_s_form_however_it_was_given(
    pristine_template, example_answers, tmp_path, value, understood
):
    if isinstance(value, str):
        given = ("-d", f"default_start_date={value}", "--data-file", TEMPLATE / "example-answers.yml")
    else:
        answers = yaml.safe_dump({**example_answers, "default_start_date": value})
        assert re.search(r"^default_start_date: [0-9: +-]+$", answers, re.MULTILINE)
        (tmp_path / "answers.yml").write_text(answers, encoding="utf-8")
        given = ("--data-file", "answers.yml")
    ended = copier("copy", *DEFAULTS, *given, pristine_template, "new", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    assert f"The backfill starts at {understood}, UTC.\n" in ended.output
    stored = yaml.safe_load((tmp_path / "new/.copier-answers.yml").read_text(encoding="utf-8"))
    assert stored["default_start_date"] == understood
    lists = yaml.safe_load(
        (tmp_path / "new/ingestion/config/klaviyo_datasources.yml").read_text(encoding="utf-8")
    )
    starts = {entry["default_start_time"] for entries in lists.values() for entry in entries}
    assert starts == {understood}
    assert f"since {understood[:10]}" in (tmp_path / "new/docs/klaviyo.md").read_text(encoding="utf-8")


def test_a_date_without_quotes_in_copier_s_settings_is_understood_too(
    pristine_template, example_answers, tmp_path, monkeypatch
):
    (tmp_path / "settings.yml").write_text("defaults: {default_start_date: 2022-02-02}\n", encoding="utf-8")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    given = ("-d", f"td_authentication_id={example_answers['td_authentication_id']}")
    ended = copier("copy", *DEFAULTS, *given, pristine_template, "new", cwd=tmp_path)
    assert "The backfill starts at 2022-02-02T00:00:00.000000, UTC.\n" in ended.output


def test_a_date_that_would_be_refused_in_quotes_too_is_not_to_be_quoted():
    (line,) = bad_answers({"default_start_date": NEXT_YEAR})
    assert "quote" not in line
    (line,) = bad_answers({"client_name": NEXT_YEAR})
    assert "quote it" in line


@pytest.mark.parametrize(
    ("name", "text"),
    [("target_database", "0123"), ("target_database", "off"), ("client_name", "42"), ("client_name", "null")],
)
def test_an_unquoted_name_of_a_data_file_is_to_be_quoted(name, text):
    (line,) = bad_answers({name: yaml.safe_load(text)})
    assert line.endswith(f"Without quotes it is not text in a data file: quote it. Fix it with -d {name}=...")
    assert not list(bad_answers({name: text}))
    for wrong in (169, [], {}):
        (line,) = bad_answers({"events_lookback_hours": wrong})
        assert "quote" not in line


@pytest.mark.parametrize("cases", GOOD_ROUNDS, ids=range(len(GOOD_ROUNDS)))
def test_an_unusual_but_good_answer_is_accepted(pristine_template, example_answers, tmp_path, cases):
    data = {**example_answers, **dict(cases)}
    run_copy(str(pristine_template), tmp_path, data=data, defaults=True, unsafe=True, quiet=True)
    for file in tmp_path.rglob("*.yml"):
        assert yaml.safe_load(file.read_text(encoding="utf-8")), file
    for file in tmp_path.rglob("*_load.yml"):
        source = yaml.safe_load(file.read_text(encoding="utf-8"))["in"]
        assert str(source["td_authentication_id"]) == str(data["td_authentication_id"])


def test_a_folder_whose_name_cannot_be_the_client_s_is_refused(
    refusal, pristine_template, example_answers, tmp_path
):
    data = {name: value for name, value in example_answers.items() if name != "client_name"}
    line = refusal(pristine_template, tmp_path / "acme ${x}", data=data)
    assert line.startswith("client_name: 'acme ${x}' is invalid")


def test_a_refusal_leaves_an_existing_folder_as_it_was(refusal, pristine_template, example_answers, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/README.md").write_text("theirs", encoding="utf-8")
    data = {**example_answers, "default_start_date": "2023-09-31"}
    assert refusal(pristine_template, tmp_path / "theirs", data=data, overwrite=True)


# Where the answer comes from, the question, its answer as YAML, and how the one line starts.
REFUSED_BY_THE_COMMAND = [
    (
        "-d",
        "default_start_date",
        "2023-09-01T00:00",
        "'2023-09-01T00:00' is invalid, it must be YYYY-MM-DDTHH:MM:SS.000000",
    ),
    ("-d", "td_authentication_id", "${x}", "'${x}' is invalid, it must be digits"),
    ("-d", "target_database", "acme src;", "'acme src;' is invalid, it must be 3 to 128"),
    ("-d", "klaviyo_api_key", SECRET, "the value (not shown) is invalid, it must be pk_"),
    ("-d", "objects", "[]", "'[]' is invalid, it must be at least one"),
    (
        "file",
        "default_start_date",
        "2023-09-01T00:00:00+02:00",
        "2023-09-01 00:00:00+02:00 is invalid, it must be YYYY-MM-DDTHH:MM:SS.000000",
    ),
    ("file", "klaviyo_api_key", f"[{SECRET}]", "the value (not shown) is invalid, it must be pk_"),
    ("file", "custom_objects", "null", "None is invalid, it must be [{name: campaigns_snapshot"),
    ("settings", "schedule", "null", "None is invalid, it must be none, hourly"),
    ("settings", "target_database", "'{{ 7 * 7 }}'", "'49' is invalid, it must be 3 to 128"),
    (
        "settings",
        "client_name",
        "'{{ ... }}'",
        "the default in Copier's settings is not text that Jinja can render",
    ),
    ("nowhere", "default_start_date", "", "no answer, and it has no default"),
]


@pytest.mark.parametrize(("source", "name", "value", "start"), REFUSED_BY_THE_COMMAND)
def test_the_command_ends_with_one_line_and_exit_code_1(
    pristine_template, example_answers, tmp_path, monkeypatch, source, name, value, start
):
    answers = "".join(f"{other}: {each!r}\n" for other, each in example_answers.items() if other != name)
    answers += f"{name}: {value}\n" if source == "file" else ""
    (tmp_path / "answers.yml").write_text(answers, encoding="utf-8")
    settings = f"defaults: {{{name}: {value}}}\n" if source == "settings" else "{}"
    (tmp_path / "settings.yml").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    given = ["-d", f"{name}={value}"] if source == "-d" else []
    given += ["--data-file", tmp_path / "answers.yml"]
    ended = copier("copy", *DEFAULTS, *given, pristine_template, tmp_path / "new", cwd=tmp_path)
    assert ended.exit_code == 1
    assert re.fullmatch(re.escape(f"{name}: {start}") + r".+\n", ended.output)
    assert SECRET not in ended.output
    assert not (tmp_path / "new").exists()


def test_a_refusal_goes_to_standard_error(pristine_template, tmp_path):
    command = [
        COPIER,
        "copy",
        *DEFAULTS,
        pristine_template,
        tmp_path / "new",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("td_authentication_id: no answer, and it has no default")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("client_name=Caf\udce9", "client_name: 'Caf\\udce9' is invalid, it must be text in UTF-8"),
        ("alert_email=\ud800", "alert_email: '\\ud800' is invalid, it must be text in UTF-8"),
        ("shop=\udce9", "shop: is not a question, and its value is not UTF-8"),
        ("Caf\udce9=x", "Caf\\udce9: is not a question, and its name is not UTF-8"),
        ("klaviyo_api_key=pk_\udce9", "klaviyo_api_key: the value (not shown) is invalid"),
    ],
)
@pytest.mark.parametrize("in_a_file", [False, True], ids=["", "data file"])
def test_bytes_that_are_not_utf_8_are_refused_in_a_line_that_names_the_question(
    pristine_template, tmp_path, given, named, in_a_file
):
    name, _, value = given.partition("=")
    (tmp_path / "data.yml").write_text(f"{json.dumps(name)}: {json.dumps(value)}\n")
    arguments = ("--data-file", tmp_path / "data.yml") if in_a_file else ("-d", given)
    ended = copier("copy", *DEFAULTS, *NEEDED, *arguments, pristine_template, "acme", cwd=tmp_path)
    assert ended.exit_code == 1
    (line,) = ended.output.splitlines()
    assert line.startswith(named)
    assert line.endswith(" Nothing was changed.")
    assert not (tmp_path / "acme").exists()


def test_a_folder_whose_name_is_not_utf_8_needs_a_client_s_name_only(pristine_template, tmp_path):
    for arguments, exit_code in ((), 1), (("-d", "client_name=Acme"), 0):
        ended = copier("copy", *DEFAULTS, *NEEDED, *arguments, pristine_template, "Caf\udce9", cwd=tmp_path)
        assert ended.exit_code == exit_code, ended.output
        assert ended.output.startswith("client_name: 'Caf\\udce9' is invalid") == bool(exit_code)


def test_an_update_refuses_them_too(acme):
    ended = copier("update", *DEFAULTS, "-d", "client_name=Caf\udce9", cwd=acme)
    assert ended.exit_code == 1
    assert ended.output.startswith("client_name: 'Caf\\udce9' is invalid, it must be text in UTF-8")
