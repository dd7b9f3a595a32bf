"""`make bench` measures against what is as large as ours, and leaves the repo alone."""

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import yaml
from commands import ANSWERS, DEFAULTS, TEMPLATE, append, commit, contents, copier, git, release
from digdag import Run
from mock_td.scans import Scan
from mock_td.treasure_data import Job
from real_trino.client import Plan
from real_trino.server import Missing

from bench import __main__ as bench
from bench import latest_tables, processes, queries, shapes, templates, workflows
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


@pytest.fixture
def peer(tmp_path):
    """Another team's template, which cannot be copied without answers; a file and then one more are at its tags."""
    clone = tmp_path / "peer"
    asked = {
        "package": {"type": "str", "validator": "{{ 'too short' if package | length < 4 }}"},
        "license": {"choices": ["ISC", "MIT"]},
        "years": {"type": "int"},
        "docker": {"type": "bool"},
        "name": {"type": "str", "default": "{{ package }}"},
    }
    (clone / "template").mkdir(parents=True)
    append(clone / "copier.yml", yaml.safe_dump({**asked, "_subdirectory": "template"}))
    made_of_answers = clone / "template/{{ package }}/{{ license }}-{{ years }}-{{ docker }}"
    made_of_answers.parent.mkdir()
    append(made_of_answers, "")
    release(clone, "1.0.0")
    append(clone / "template/more", "")
    release(clone, "1.1.0")
    append(clone / "template/not-released", "")
    commit(clone)
    return clone


def test_copies_of_peers_stand_beside_ours_with_their_cost_a_file(
    monkeypatch, peer, pristine_template, tmp_path, example_repo
):
    monkeypatch.setenv("PEERS", f"{peer}")
    monkeypatch.setattr(templates, "medians", lambda cases: dict(zip(cases, (0.4, 0.8, 0.5), strict=True)))
    release(shutil.copytree(pristine_template, tmp_path / "ours"), "1.0.0")
    printed = templates.copies({"ours": tmp_path / "ours"}, tmp_path).splitlines()
    files = len(contents(example_repo))
    assert [line.split()[-3:] for line in printed[2:5]] == [
        ["template", "0.40", "1"],
        ["0.80", str(files), f"{400 / files:.1f}"],
        ["0.50", "2", "50.0"],
    ]
    assert printed[4].startswith("peer ")
    assert len(printed) == 6


def test_answers_that_a_peer_publishes_are_taken(peer):
    append(peer / "example-answers.yml", "package: theirs\n")
    assert templates.answers(peer) == ["--data-file", peer / "example-answers.yml"]


def test_without_peers_the_table_says_how_to_name_them(monkeypatch, tmp_path):
    monkeypatch.setenv("PEERS", "")
    monkeypatch.setattr(templates, "medians", lambda cases: dict.fromkeys(cases, 0.4))
    assert "No peers beside it: make bench PEERS=" in templates.copies({}, tmp_path).splitlines()[-1]


def test_a_peer_that_is_no_template_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PEERS", f"{TEMPLATE} {tmp_path}")
    with pytest.raises(processes.Failed, match=f"PEERS: {tmp_path} has no copier.yml"):
        templates.peers()


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


def test_the_named_parts_are_run_and_leave_nothing_behind(monkeypatch, capsys):
    before, ran, settings = checked_out(), [], dict(os.environ)
    monkeypatch.setattr(os, "environ", settings)
    for part in bench.PARTS:
        monkeypatch.setitem(bench.PARTS, part, lambda folder, part=part: ran.append((part, folder)))
    monkeypatch.setitem(bench.NEEDS, "workflows", sys.executable)
    assert bench.main(["check", "growth"]) == 0
    assert bench.main([]) == 0
    assert [part for part, _ in ran] == ["check", "growth", "copier", "growth", "check", "workflows"]
    assert not [folder for _, folder in ran if folder.exists() or folder.is_relative_to(TEMPLATE)]
    assert checked_out() == before


def test_a_part_whose_program_is_missing_is_left_out_of_all_and_an_error_by_itself(monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(bench.shutil, "which", lambda name: None)
    for part in bench.PARTS:
        monkeypatch.setitem(bench.PARTS, part, lambda folder, part=part: print(part))
    assert bench.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *("copier", "growth", "check"),
        "No digdag on PATH: the workflows part was not run.",
    ]
    assert bench.main(["check", "workflows"]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "No digdag on PATH, which the workflows part needs.\n")


@pytest.fixture(scope="module")
def documented(copie_session, tmp_path_factory):
    """The documented shape over config files of a repo that Copier makes."""
    folder = tmp_path_factory.mktemp("documented")
    template = bench.template_as_it_stands(folder / "template")
    release(template, "1.0.0")
    return shapes.documented(template, folder)


def test_the_documented_shape_has_two_workflows_alone_over_the_rendered_datasources(documented):
    assert sorted(path.name for path in documented.project.glob("*.dig")) == [
        "documented_hist.dig",
        "documented_inc.dig",
    ]
    for workflow in (documented.incremental, documented.historical):
        text = (documented.project / f"{workflow}.dig").read_text(encoding="utf-8")
        assert f"${{{workflow.partition('_')[2]}_datasources}}" in text
    datasources = yaml.safe_load((documented.project / "config/klaviyo_datasources.yml").read_text())
    assert {entry["mode"] for entry in datasources["inc_datasources"]} == {"append"}
    assert [entry["name"] for entry in datasources["inc_datasources"] if not entry["incremental_field"]] == [
        "metrics"
    ]


def test_an_account_of_both_shapes_starts_where_their_datasources_do_and_lacks_all_at_first(
    documented, tmp_path
):
    with shapes.ingestion_of(documented, tmp_path, days=30) as acme:
        text = (acme.project / "config/klaviyo_datasources.yml").read_text(encoding="utf-8")
        start = (acme.account.now() - timedelta(days=30)).strftime("%Y-%m-%dT12:00:00.000000")
        assert text.count(start) == 12
        assert shapes.rows_loaded_twice(acme) == 0
        assert shapes.records_missing(acme, documented.incremental) == 6 * shapes.RECORDS
        databases, records = acme.td.databases, acme.account.records("profiles")
        databases.create_table("client_src", "klaviyo_profiles")
        databases.load("client_src", "klaviyo_profiles", [*records[:5], *records[:2]], "append", 0)
        assert shapes.rows_loaded_twice(acme) == 2
        assert shapes.records_missing(acme, documented.incremental) == 6 * shapes.RECORDS - 5
        assert shapes.records_missing(acme, documented.historical) == 6 * shapes.RECORDS
        workflows.live_on(acme, 3600)
        assert shapes.rows_loaded_twice(acme) == 2
        assert shapes.records_missing(acme, documented.incremental) == 6 * (shapes.RECORDS + 10) - 5 + 5


def test_a_record_that_changed_is_not_loaded_twice():
    assert shapes.repeated([("a", "1"), ("a", "2"), ("b", "1"), ("b", "1")]) == 1


def load_of(start, end, status="error"):
    times = {"start_time": start and f"{start}T00:00:00.000000", "end_time": f"{end}T00:00:00.000000"}
    return Job(
        "1", "bulkload", "client_src", 0, table="klaviyo_profiles", config={"in": times}, status=status
    )


def test_a_window_that_failed_is_lost_once_however_often_it_was_tried():
    first, second = load_of("2024-01-01", "2024-01-11"), load_of("2024-01-11", "2024-01-13")
    assert workflows.days_lost([first, first, second, load_of("2023-01-01", "2023-12-01", "success")]) == 12


def test_the_load_that_cannot_succeed_is_the_one_that_has_the_instant_in_its_window():
    covers = workflows.covers(datetime(2024, 1, 11))
    asked = [("2024-01-01", "2024-01-10"), ("2024-01-01", "2024-01-11"), ("2024-01-11", "2024-01-12")]
    assert [covers(load_of(*window)) for window in asked] == [False, True, False]
    assert not covers(load_of(None, "2024-01-12"))


def test_what_is_read_of_a_latest_table_is_told_by_its_columns():
    latest, loaded = latest_tables.LATEST, latest_tables.LOADED
    jobs = [
        SimpleNamespace(
            target=latest,
            written=3,
            scans=[Scan(latest, None, frozenset({"id"}), 50), Scan(loaded, 9, rows=4)],
        ),
        SimpleNamespace(target=f"{latest}_new", written=2, scans=[Scan(latest, 9, frozenset({"time"}), 20)]),
        SimpleNamespace(target="client_src.ingestion_log", written=1, scans=[]),
    ]
    run = Run(exit_code=0, output="", tasks=[None], jobs=jobs, seconds=1.5)
    assert latest_tables.figures(run) == [1.5, 3, 1, 5, 4, 50, "id, time"]


def test_a_table_of_the_workflows_has_its_title_and_a_row_for_each_shape():
    lines = workflows.table("backfill", ["wall, s"], [("documented", 1.26), ("ours", 2)]).splitlines()
    assert [line.split() for line in (lines[0], *lines[3:])] == [
        ["backfill", "wall,"],
        ["documented", "1.3"],
        ["ours", "2.0"],
    ]


def test_the_cost_of_a_query_is_its_most_stages_and_its_planning_time():
    plans = [(Plan("SELECT 1", stages, "1"), seconds) for stages, seconds in ((5, 0.2), (7, 0.9), (5, 0.1))]
    assert queries.figures(plans) == [7, 3, 0.2, 0.9]


def test_where_there_is_no_trino_it_says_what_is_missing_and_so_not_measured(monkeypatch, tmp_path):
    def missing(version):
        raise Missing("No Maven on PATH.")

    monkeypatch.setattr(queries, "running", missing)
    told = queries.queries(tmp_path, tmp_path)
    assert told == "Stages and planning time of the queries were not measured. No Maven on PATH."
