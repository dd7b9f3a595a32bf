"""A key given in the wrong place is refused before anything is written, and never shown."""

import pytest
from commands import ANSWERS, DEFAULTS, KEY, append, commit, contents, copier, edit
from klaviyo.answers import answer_problem
from klaviyo.rules import RULES

GIVEN = ("td_authentication_id=360030", "default_start_date=2023-09-01T00:00:00.000000")
TD_KEY = f"1234/{'0123456789abcdef' * 2}01234567"
PLACES = {
    "alone": "{key}",
    "among words": "Acme ({key})",
    "with a blank": "{key} ",
    "in a list": "[{key}]",
    "in a map": "[{{name: {key}}}]",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("key", [KEY, KEY.upper(), TD_KEY], ids=["Klaviyo's", "in capitals", "TD's"])
def test_a_prompt_says_so_in_its_first_words(key, place):
    problem = answer_problem(place.format(key=key), "client_name")
    assert problem.startswith("no key, git keeps this")
    assert key.lower() not in problem.lower()


@pytest.mark.parametrize("source", ["-d", "data file", "settings"])
def test_every_question_refuses_it_wherever_it_is_given(pristine_template, tmp_path, monkeypatch, source):
    computed = ("klaviyo_api_key", "answers_are_good", "files_are_good", "writes_credentials")
    names = [name for name in RULES if name not in computed]
    given = "".join(f"  {name}: 'x {KEY}'\n" for name in names)
    (tmp_path / "answers.yml").write_text(given.replace("  ", "", 1).replace("\n  ", "\n"), encoding="utf-8")
    (tmp_path / "settings.yml").write_text(f"defaults:\n{given}", encoding="utf-8")
    arguments = {
        "-d": [part for name in names for part in ("-d", f"{name}=x {KEY}")],
        "data file": ["--data-file", tmp_path / "answers.yml"],
        "settings": [],
    }[source]
    if source == "settings":
        monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    ended = copier("copy", *DEFAULTS, *arguments, pristine_template, tmp_path / "new", cwd=tmp_path)
    assert ended.exit_code == 1
    lines = ended.output.splitlines()
    assert [line.partition(": ")[0] for line in lines] == names
    assert all(": the value (not shown) is invalid, it must be no key" in line for line in lines)
    assert lines[-1].endswith(" Nothing was changed.")
    assert KEY not in ended.output
    assert not (tmp_path / "new").exists()


def test_no_guess_at_a_database_shows_a_part_of_a_key(pristine_template, tmp_path):
    given = ["-d", "target_database=PK_Short1 "]
    ended = copier("copy", *ANSWERS, *given, pristine_template, tmp_path / "new", cwd=tmp_path)
    assert ended.exit_code == 1
    assert "short1" not in ended.output.lower()


def test_one_that_is_stored_already_is_refused_at_the_next_update(acme):
    edit(acme / ".copier-answers.yml", "client_name: Acme Outdoor\n", f"client_name: {KEY}\n")
    commit(acme)
    before = contents(acme)
    ended = copier("update", *DEFAULTS, cwd=acme)
    assert ended.exit_code == 1
    assert "client_name: the value (not shown) is invalid, it must be no key" in ended.output
    assert KEY not in ended.output
    assert contents(acme) == before


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("shedule=daily", "shedule: is not a question, did you mean -d schedule=... ?"),
        ("objets=[lists]", "objets: is not a question, did you mean -d objects=... ?"),
        ("Client-Name=Acme", "Client-Name: is not a question, did you mean -d client_name=... ?"),
        ("klaviyo_key=pk_1", "klaviyo_key: is not a question, did you mean -d klaviyo_api_key=... ?"),
        (f"api={KEY}", "api: is not a question, and holds a key, which belongs in klaviyo_api_key."),
        (
            f"{KEY}=x",
            "a name (not shown): is not a question, and holds a key, which belongs in klaviyo_api_key.",
        ),
    ],
)
@pytest.mark.parametrize("command", ["copy", "update", "recopy"])
def test_a_name_that_no_question_has_is_refused_where_it_is_meant_for_one(
    released, acme, command, given, line
):
    before = contents(acme)
    if command == "copy":
        ended = copier("copy", *ANSWERS, "-d", given, released, "new", cwd=acme.parent)
    else:
        overwrite = ["--overwrite"] if command == "recopy" else []
        ended = copier(command, *DEFAULTS, *overwrite, "-d", given, cwd=acme)
    assert ended.exit_code == 1
    assert ended.output.splitlines()[-1] == f"{line} Nothing was changed."
    assert KEY not in ended.output
    assert contents(acme) == before
    assert not (acme.parent / "new").exists()


@pytest.mark.parametrize("command", ["copy", "update", "recopy"])
def test_a_name_of_another_template_passes_and_is_reported(released, acme, tmp_path, command):
    file = tmp_path / "shared.yml"
    file.write_text("project: acme\nregion: eu\naccount_id: {a: [1]}\n_src_path: elsewhere\n")
    arguments = {
        "copy": ["--data-file", file, *(part for each in GIVEN for part in ("-d", each)), released, "new"],
        "update": ["--data-file", file],
        "recopy": ["--data-file", file, "--overwrite"],
    }[command]
    ended = copier(command, *DEFAULTS, *arguments, cwd=acme.parent if command == "copy" else acme)
    assert ended.exit_code == 0, ended.output
    reported = "Not used, as the template has no such question: account_id, project, region\n"
    assert ended.output.count(reported) == 1


def test_a_name_that_is_stored_and_no_question_any_more_is_let_be(acme):
    append(acme / ".copier-answers.yml", "shedule: daily\n")
    commit(acme)
    ended = copier("update", *DEFAULTS, cwd=acme)
    assert ended.exit_code == 0, ended.output
    assert "shedule" not in ended.output
