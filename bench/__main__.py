"""How long a copy, an update and the client's check take; prints tables of medians, in seconds, and ratios.

    .venv/bin/python -m bench [copier] [growth] [check]

Runs the parts that are named, or all. Whatever they make is in a temporary folder. Other work on the
machine makes every figure larger, and the cases of a table alike, as they take turns: the ratios count.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
# Run as `python bench`, this finds itself by neither name.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from by_hand import ANSWERS, COPIER, DEFAULTS, FOLDERS, append, contents, copy, made_of, release

from bench.processes import Case, Failed, medians, table
from bench.smallest_template import write_smallest_template

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
    for part in parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            os.environ.update(nobodys_settings(Path(folder)))
            PARTS[part](Path(folder))
    return 0


def nobodys_settings(folder: Path) -> dict[str, str]:
    """An environment that keeps the user's own settings of Copier and git out, as in the tests."""
    (folder / "gitconfig").write_text("[safe]\n  directory = *\n[maintenance]\n  auto = false\n", "utf-8")
    who = {f"GIT_{role}_NAME": "A Consultant" for role in ("AUTHOR", "COMMITTER")}
    mail = {f"GIT_{role}_EMAIL": "consultant@example.com" for role in ("AUTHOR", "COMMITTER")}
    return {
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "XDG_CONFIG_HOME": str(folder / "settings"),
        **who,
        **mail,
    }


def copies_and_updates(folder: Path) -> None:
    """Ours beside the smallest template of as many questions and files: what the rules and checks cost."""
    ours = our_template(folder / "ours")
    copy(ours, folder / "rendered")
    smallest = write_smallest_template(folder / "smallest", contents(folder / "rendered"))
    templates = {"smallest template": smallest, "ours": ours}
    files = {"smallest template": smallest / "template" / EDITED, "ours": made_of(ours, EDITED)}
    for name, template in templates.items():
        release(template, "1.0.0")
        append(files[name], "-- One line more.\n")
        release(template, "1.0.1")
    copies = {name: case_of_a_copy(template, folder, *ANSWERS) for name, template in templates.items()}
    print(table("copier copy", medians(copies)), end="\n\n")
    updates = {name: case_of_an_update(template, folder) for name, template in templates.items()}
    print(table("copier update", medians(updates)), end="\n\n")


def growth(folder: Path) -> None:
    """Copies with more and more objects: whether their cost grows with the number, or faster."""
    ours = our_template(folder / "ours")
    release(ours, "1.0.0")
    cases = {
        f"{number} objects": case_of_a_copy(ours, folder, *ANSWERS, *with_objects(number))
        for number in OBJECTS
    }
    print(table("copier copy of ours", medians(cases)), end="\n\n")


def check(folder: Path) -> None:
    """The client's check, the whole command, of the default tree and of one with many objects."""
    ours = our_template(folder / "ours")
    command = (sys.executable, "scripts/check_ingestion.py")
    cases = {}
    for number in (OBJECTS[0], OBJECTS[-1]):
        repo = copy(ours, folder / f"of-{number}", *with_objects(number))
        cases[f"{number} objects"] = Case(command, partial(Path, repo))
    print(table("scripts/check_ingestion.py", medians(cases)), end="\n\n")


def our_template(folder: Path) -> Path:
    """A copy of this template as it is checked out, to be committed and tagged there."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "copier.yml", folder)
    return folder


def with_objects(number: int) -> tuple[str, str]:
    """Arguments of Copier's for so many objects; those beyond the example answers' are custom ones."""
    given = yaml.safe_load((ROOT / "example-answers.yml").read_text(encoding="utf-8"))
    more = range(number - len(given["objects"]))
    custom = [{"name": f"more_{index}", "data_source": "campaigns"} for index in more]
    return "-d", f"custom_objects={json.dumps(custom)}"


def case_of_a_copy(template: Path, folder: Path, *options: object) -> Case:
    """A copy of a template's newest version, each time into a new folder."""
    repos = (folder / f"{template.name}-copy-{number}" for number in count())
    command = (COPIER, "copy", *options, template, ".")

    def new_folder() -> Path:
        repo = next(path for path in repos if not path.exists())
        repo.mkdir()
        return repo

    return Case(command, new_folder)


def case_of_an_update(template: Path, folder: Path) -> Case:
    """An update from a template's version 1.0.0 to its newest, each time of another copy of the same repo."""
    old = copy(template, folder / f"{template.name}-old", "--vcs-ref", "1.0.0")
    repos = (folder / f"{template.name}-update-{number}" for number in count())
    return Case((COPIER, "update", *DEFAULTS), lambda: shutil.copytree(old, next(repos), symlinks=True))


PARTS: dict[str, Callable[[Path], None]] = {"copier": copies_and_updates, "growth": growth, "check": check}

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failed as failed:
        sys.exit(str(failed))
