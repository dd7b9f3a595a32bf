"""README.md names each question, each rendered file and each command, and no other."""

import re
from itertools import product

import pytest
import yaml
from commands import TEMPLATE, contents
from ingestion import jobs_of, tasks_of

README = (TEMPLATE / "README.md").read_text(encoding="utf-8")


def expanded(name):
    """The names that a shell makes of one with braces: a_{b,c} is a_b and a_c."""
    parts = [part.split(",") for part in re.split(r"[{}]", name)]
    return {"".join(choice) for choice in product(*parts)}


def listed_paths(block):
    """The paths that a block of lines names, each before three blanks; indented ones are in the folder above."""
    paths, folder = set(), ""
    for line in block.splitlines():
        for name in re.split(" {3,}", line.strip())[0].split():
            if name.endswith("/") and not line.startswith(" "):
                folder = name
            paths |= expanded(folder + name if line.startswith(" ") else name)
    return paths


def test_readme_is_short_enough_to_be_read():
    assert len(README.splitlines()) <= 170


def test_readme_has_a_row_for_each_question_in_their_order():
    entries = yaml.safe_load((TEMPLATE / "copier.yml").read_text(encoding="utf-8"))
    asked = [name for name, entry in entries.items() if isinstance(entry, dict) and "help" in entry]
    table = re.search(r"### Questions\n(.*?)\n#", README, re.DOTALL)[1]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == asked


def test_readme_lists_what_is_rendered(example_repo):
    listed = listed_paths(re.search(r"### What is rendered\n\n```\n(.*?)```", README, re.DOTALL)[1])
    rendered = contents(example_repo).keys()
    folders = tuple(path for path in listed - {"ingestion/"} if path.endswith("/"))
    assert {path for path in listed if not path.endswith("/")} <= rendered
    assert {path for path in rendered - listed if not path.startswith(folders)} == set()


def test_readme_tells_what_an_incremental_run_of_six_objects_costs():
    """All of them got records; of a backfill: test_windows.py."""
    run = {"objects": 6, "windows": 6, "removals": 6}
    assert f" {jobs_of(**run)} jobs, {tasks_of(**run)} tasks, " in README


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/updates.md"])
def test_a_link_in_a_document_leads_somewhere(document):
    path = TEMPLATE / document
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
