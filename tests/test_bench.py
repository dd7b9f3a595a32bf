"""`make bench` measures against a template that is as large as ours, and leaves the repo alone."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml
from by_hand import ANSWERS, DEFAULTS, TEMPLATE, append, commit, contents, copier, git, release
from treasure_data import Job, TreasureData

from bench import __main__ as bench
from bench import processes
from bench.latest_tables import columns_read
from bench.shapes import make_documented
from bench.smallest_template import ANSWERS_FILE, questions, write_smallest_template


def checked_out():
    """What git says of the repo, the ignored files too, but for what Python and pytest keep for themselves."""
    listed = git("status", "--porcelain", "--ignored", "--untracked-files=all", cwd=TEMPLATE).splitlines()
    return [
        line for line in listed if "cache" not in line and ".venv" not in line and ".hypothesis" not in line
    ]


@pytest.fixture
def smallest(example_repo, tmp_path):
    """The smallest template, in git as version 1.0.0."""
    template = write_smallest_template(tmp_path / "smallest", contents(example_repo))
    release(template, "1.0.0")
    return template


def test_the_smallest_template_asks_as_much_and_writes_the_same_files(smallest, example_repo, tmp_path):
    before = checked_out()
    made = copier("copy", *ANSWERS, smallest, tmp_path / "repo", cwd=tmp_path)
    assert made.exit_code == 0, made.output
    wanted, there = contents(example_repo), contents(tmp_path / "repo")
    assert there.keys() == wanted.keys()
    assert [path for path in there if len(there[path]) != len(wanted[path])] in ([], [ANSWERS_FILE])
    ours = yaml.safe_load((TEMPLATE / "copier.yml").read_text(encoding="utf-8"))
    its = yaml.safe_load((smallest / "copier.yml").read_text(encoding="utf-8"))
    asked = yaml.safe_load((TEMPLATE / "example-answers.yml").read_text(encoding="utf-8"))
    assert [name for name in its if name[0] != "_"] == questions(ours)
    assert set(questions(ours)) == {*asked, "klaviyo_api_key"}
    assert its["_jinja_extensions"][0] == ours["_jinja_extensions"][0]
    assert checked_out() == before


def test_a_repo_of_the_smallest_template_takes_its_next_version(smallest, tmp_path):
    copier("copy", *ANSWERS, smallest, tmp_path / "repo", cwd=tmp_path)
    commit(tmp_path / "repo")
    append(smallest / "template" / bench.EDITED, "-- One line more.\n")
    release(smallest, "1.0.1")
    updated = copier("update", *DEFAULTS, cwd=tmp_path / "repo")
    assert updated.exit_code == 0, updated.output
    assert git("diff", "--name-only", cwd=tmp_path / "repo").split() == [ANSWERS_FILE, bench.EDITED]


def test_cases_take_turns_and_the_first_round_does_not_count(monkeypatch, tmp_path):
    taken, turns = iter([90, 90, 1, 20, 3, 10, 2, 60]), []

    def seconds(command, folder):
        turns.append(command)
        return next(taken)

    monkeypatch.setattr(processes, "seconds", seconds)
    cases = {name: processes.Case((name,), lambda: tmp_path) for name in ("ours", "theirs")}
    assert processes.medians(cases, rounds=3) == {"ours": 2, "theirs": 20}
    assert turns == [("ours",), ("theirs",)] * 4


def test_a_table_gives_medians_and_ratios_to_the_first():
    assert processes.ratios({"smallest": 2.0, "ours": 3.0}) == {"smallest": 1.0, "ours": 1.5}
    last = processes.table("copy", {"smallest": 2.0, "ours": 3.0}).splitlines()[-1]
    assert last.split() == ["ours", "3.00", "1.50"]


# Takes the arguments that the real one takes, and writes as much of its result as is read.
HYPERFINE = """#!/bin/sh
while [ "$1" != --export-json ]; do shift; done
echo '{"results": [{"command": "'"$3"'", "times": [1.25]}]}' > "$2"
"""


def test_hyperfine_measures_where_it_is_on_path(monkeypatch, tmp_path):
    (tmp_path / "hyperfine").write_text(HYPERFINE, encoding="utf-8")
    (tmp_path / "hyperfine").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert processes.seconds(("true",), tmp_path) == 1.25


def test_a_command_that_fails_is_not_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(processes.shutil, "which", lambda name: None)
    assert processes.seconds(("true",), tmp_path) > 0
    with pytest.raises(processes.Failed, match="failed with exit code 3:\nso it is"):
        processes.seconds(("sh", "-c", "echo so it is; exit 3"), tmp_path)


def test_so_many_objects_are_rendered_as_are_asked_for(pristine_template, tmp_path):
    number = bench.OBJECTS[1]
    given = bench.with_objects(number)
    made = copier("copy", *ANSWERS, *given, pristine_template, tmp_path / "repo", cwd=tmp_path)
    assert made.exit_code == 0, made.output
    assert len(list((tmp_path / "repo/ingestion/config").glob("*_load.yml"))) == number


@pytest.mark.parametrize("way", [("-m", "bench"), ("bench",)])
def test_a_bad_part_is_named_with_those_that_there_are(way):
    run = subprocess.run(
        [sys.executable, "-B", *way, "check", "chek"],
        cwd=TEMPLATE,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert run.stderr == "No such part: chek. There are: copier, growth, check, workflows.\n"


@pytest.fixture
def ran(monkeypatch):
    """The parts that were run, each with its folder; none of them measures anything."""
    parts = []
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for part in bench.PARTS:
        monkeypatch.setitem(bench.PARTS, part, lambda folder, part=part: parts.append((part, folder)))
    return parts


def test_the_named_parts_are_run_and_leave_nothing_behind(ran, monkeypatch):
    before = checked_out()
    monkeypatch.setattr(bench.shutil, "which", lambda name: f"/bin/{name}")
    assert bench.main(["check", "growth"]) == 0
    assert bench.main([]) == 0
    assert [part for part, _ in ran] == ["check", "growth", "copier", "growth", "check", "workflows"]
    assert not [folder for _, folder in ran if folder.exists() or folder.is_relative_to(TEMPLATE)]
    assert checked_out() == before


def test_without_digdag_the_workflows_are_left_out_and_asked_for_by_name_refused(ran, monkeypatch, capsys):
    monkeypatch.setattr(bench.shutil, "which", lambda name: None)
    assert bench.main(["check", "workflows"]) == 1
    assert "No `digdag` on PATH" in capsys.readouterr().err
    assert ran == []
    assert bench.main([]) == 0
    assert capsys.readouterr().out == "No digdag on PATH: the part workflows was not run.\n"
    assert [part for part, _ in ran] == ["copier", "growth", "check"]


def test_the_documented_shape_is_run_over_both_lists_and_appends_all(example_repo, tmp_path):
    project = shutil.copytree(example_repo / "ingestion", tmp_path / "ingestion")
    with TreasureData() as td:
        make_documented(project, td)
        assert td.databases.tables("client_src") == ["ingestion_log"]
    for side in ("inc", "hist"):
        text = (project / f"klaviyo_ingest_{side}.dig").read_text(encoding="utf-8")
        assert f"datasource: ${{{side}_datasources}}\n" in text
    lists = yaml.safe_load((project / "config/klaviyo_datasources.yml").read_text(encoding="utf-8"))
    assert {entry["mode"] for entries in lists.values() for entry in entries} == {"append"}


def test_only_what_is_read_of_the_latest_table_counts():
    sql = """WITH known AS (SELECT id, time FROM client_src.klaviyo_profiles_latest),
        new AS (SELECT id, email FROM client_src.klaviyo_profiles) SELECT count(*) FROM new JOIN known USING (id)"""
    assert columns_read([Job("1", "query", "client_src", 0.0, text=sql)]) == {"id", "time"}
