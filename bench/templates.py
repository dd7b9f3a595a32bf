"""Compare what a file costs in a copy of ours with what it costs in copies of other templates.

Those of other teams are clones on this machine, whose paths PEERS has, separated by spaces; nothing of theirs
is in this repo. Copier copies each at its newest tag, as it does ours.
"""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from commands import ANSWERS, COPIER, DEFAULTS, contents, release
from tabulate import tabulate

from bench.processes import Case, Failed, medians, seconds

EMPTY = "an empty template"
EXAMPLE_ANSWERS = "example-answers.yml"


def peers() -> list[Path]:
    """The clones that PEERS names.

    Raises:
        Failed: one of them is no template.
    """
    clones = [Path(path).resolve() for path in os.environ.get("PEERS", "").split()]
    for clone in clones:
        if not _copier_yml(clone):
            raise Failed(f"PEERS: {clone} has no copier.yml, so it is no template.")
    return clones


def copies(templates: dict[str, Path], folder: Path) -> str:
    """A table of what a copy of each template costs, those that PEERS names too: as a whole and a file.

    Args:
        templates: those that take the example answers, by what the table calls them.
        folder: where to make what is needed.
    """
    clones = peers()
    cases = {EMPTY: case_of_a_copy(_write_empty_template(folder / "empty"), folder, *DEFAULTS)}
    cases |= {name: case_of_a_copy(path, folder, *ANSWERS) for name, path in templates.items()}
    cases |= {clone.name: case_of_a_copy(clone, folder, *DEFAULTS, *answers(clone)) for clone in clones}
    files = {name: _files(case) for name, case in cases.items()}
    headers = ["copier copy", "median, s", "files", "ms a file"]
    lines = [
        tabulate(rows(medians(cases), files), headers=headers, floatfmt=("", ".2f", "", ".1f")),
        f"A file's part is of what a copy takes longer than one of {EMPTY}.",
    ]
    if not clones:
        lines.append(
            "No peers beside it: make bench PEERS='../a-clone ../another' names clones of templates."
        )
    return "\n".join(lines)


def rows(taken: dict[str, float], files: dict[str, int]) -> list[tuple[str, float, int, float | None]]:
    """The rows of that table: name, seconds, files, milliseconds a file beyond those of an empty template."""
    beyond = {name: (taken[name] - taken[EMPTY]) / files[name] * 1000 for name in taken}
    return [(name, taken[name], files[name], beyond[name] if name != EMPTY else None) for name in taken]


def answers(template: Path) -> list[object]:
    """Arguments of Copier's that answer what a template cannot be copied without."""
    if (template / EXAMPLE_ANSWERS).is_file():
        return ["--data-file", template / EXAMPLE_ANSWERS]
    asked = {
        name: question
        for name, question in _copier_yml(template).items()
        if name[0] != "_" and isinstance(question, dict) and "default" not in question
    }
    return [part for name, question in asked.items() for part in ("-d", f"{name}={_an_answer(question)}")]


def case_of_a_copy(template: Path, folder: Path, *options: object) -> Case:
    """A copy of a template's newest version, each time into a new folder."""
    return Case((COPIER, "copy", *options, template, "."), partial(new_folder, folder))


def new_folder(folder: Path) -> Path:
    """An empty folder in another."""
    return Path(tempfile.mkdtemp(dir=folder))


def _files(case: Case) -> int:
    """How many files a copy writes."""
    made = case.prepare()
    seconds(case.command, made)
    return len(contents(made))


def _an_answer(question: dict[str, Any]) -> object:
    choices = question.get("choices")
    if choices:
        return next(iter(choices.values() if isinstance(choices, dict) else choices))
    return {"bool": "true", "int": "1", "float": "1"}.get(question.get("type", "str"), "acme")


def _copier_yml(template: Path) -> dict[str, Any]:
    found = [template / name for name in ("copier.yml", "copier.yaml") if (template / name).is_file()]
    return yaml.safe_load(found[0].read_text(encoding="utf-8")) if found else {}


def _write_empty_template(folder: Path) -> Path:
    """A template of one file and no question, in git; what it takes, each copy takes."""
    folder.mkdir()
    (folder / "copier.yml").write_text("_exclude: [copier.yml, .git]\n", encoding="utf-8")
    (folder / "README.md").write_text("Nothing.\n", encoding="utf-8")
    release(folder, "1.0.0")
    return folder
