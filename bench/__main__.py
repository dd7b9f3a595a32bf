"""Measure how long a copy, an update and the client's check take, and what runs cost; print tables.

    .venv/bin/python -m bench [copier] [growth] [check] [workflows]

The first three give medians, in seconds, and ratios; the last, which needs Digdag, a run of each case.
Runs the parts that are named, or all. Whatever they make is in a temporary folder. Other work on the
machine makes every figure larger, and the cases of a table alike, as they take turns: the ratios count.
PEERS has the paths of other teams' templates, if any, whose copies are measured beside ours.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
# Run as `python bench`, this finds itself by neither name.
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests/engine")]

from commands import (
    ANSWERS,
    COPIER,
    DEFAULTS,
    TEMPLATE,
    append,
    contents,
    copy,
    made_of,
    nobodys_settings,
    release,
    template_as_it_stands,
)

from bench.processes import Case, Failed, medians, table
from bench.smallest_template import write_smallest_template
from bench.templates import case_of_a_copy, copies, new_folder
from bench.workflows import workflows

OBJECTS = (6, 20, 60)
# The one file that differs between the two versions of each template; no answer changes it.
EDITED = "ingestion/sql/klaviyo_windows.sql"


def main(arguments: list[str]) -> int:
    """Run the parts that are named; gives the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all, if none is named")
    parts = parser.parse_args(arguments).parts
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        print(f"No such part: {', '.join(unknown)}. There are: {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    missing = {part: program for part, program in NEEDS.items() if shutil.which(program) is None}
    for part in set(parts) & set(missing):
        print(f"No {missing[part]} on PATH, which the {part} part needs.", file=sys.stderr)
        return 1
    for part in parts or PARTS:
        if part in missing:
            print(f"No {missing[part]} on PATH: the {part} part was not run.")
            continue
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            for name, value in nobodys_settings(Path(folder)).items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
            PARTS[part](Path(folder))
    return 0


def copies_and_updates(folder: Path) -> None:
    """Ours beside the smallest template of as many questions and files, and copies beside those of PEERS."""
    ours = template_as_it_stands(folder / "ours")
    copy(ours, folder / "rendered")
    smallest = write_smallest_template(folder / "smallest", contents(folder / "rendered"))
    templates = {"smallest template": smallest, "ours": ours}
    files = {"smallest template": smallest / "template" / EDITED, "ours": made_of(ours, EDITED)}
    for name, template in templates.items():
        release(template, "1.0.0")
        append(files[name], "-- One line more.\n")
        release(template, "1.0.1")
    print(copies(templates, folder), end="\n\n", flush=True)
    updates = {name: case_of_an_update(template, folder) for name, template in templates.items()}
    print(table("copier update", medians(updates)), end="\n\n")


def growth(folder: Path) -> None:
    """Copies with more and more objects: whether their cost grows with the number, or faster."""
    ours = template_as_it_stands(folder / "ours")
    release(ours, "1.0.0")
    cases = {
        f"{number} objects": case_of_a_copy(ours, folder, *ANSWERS, *with_objects(number))
        for number in OBJECTS
    }
    print(table("copier copy of ours", medians(cases)), end="\n\n")


def check(folder: Path) -> None:
    """The client's check, the whole command, of the default tree and of one with many objects."""
    ours = template_as_it_stands(folder / "ours")
    command = (sys.executable, "scripts/check_ingestion.py")
    cases = {}
    for number in (OBJECTS[0], OBJECTS[-1]):
        repo = copy(ours, folder / f"of-{number}", *with_objects(number))
        cases[f"{number} objects"] = Case(command, partial(Path, repo))
    print(table("scripts/check_ingestion.py", medians(cases)), end="\n\n")


def with_objects(number: int) -> tuple[str, str]:
    """Arguments of Copier's for so many objects; those beyond the example answers' are custom ones."""
    given = yaml.safe_load((TEMPLATE / "example-answers.yml").read_text(encoding="utf-8"))
    more = range(number - len(given["objects"]))
    custom = [{"name": f"more_{index}", "data_source": "campaigns"} for index in more]
    return "-d", f"custom_objects={json.dumps(custom)}"


def case_of_an_update(template: Path, folder: Path) -> Case:
    """An update from a template's version 1.0.0 to its newest, each time of another copy of the same repo."""
    old = copy(template, folder / f"{template.name}-old", "--vcs-ref", "1.0.0")
    return Case(
        (COPIER, "update", *DEFAULTS),
        lambda: shutil.copytree(old, new_folder(folder) / "acme", symlinks=True),
    )


PARTS: dict[str, Callable[[Path], None]] = {
    "copier": copies_and_updates,
    "growth": growth,
    "check": check,
    "workflows": workflows,
}
# The program without which a part cannot run.
NEEDS = {"workflows": "digdag"}

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failed as failed:
        sys.exit(str(failed))
