"""Write the smallest Copier template with as many questions and files as ours, to measure ours beside it.

What it takes, Copier takes: its questions have defaults and no validators, its files are plain text of the
same sizes, and its extension, loaded in the same way, offers nothing.
"""

from pathlib import Path
from typing import Any

import yaml
from commands import TEMPLATE, git

ANSWERS_FILE = ".copier-answers.yml"
EXTENSION = '''\
from jinja2.ext import Extension


class SmallestExtension(Extension):
    """Offers nothing."""
'''


def write_smallest_template(folder: Path, rendered: dict[str, bytes]) -> Path:
    """Write it into a new folder, which becomes a git repo; gives the folder.

    Args:
        folder: where to.
        rendered: the content of each file that ours renders, by its path.
    """
    for path, content in rendered.items():
        if path != ANSWERS_FILE:
            _write(folder / "template" / path, content)
    # An update needs this one, and only Copier knows what is in it.
    answers = "{{ _copier_answers | to_nice_yaml }}"
    _write(folder / "template/{{ _copier_conf.answers_file }}.jinja", answers.encode())
    _write(folder / "extensions/load.py", EXTENSION.encode())
    _write(folder / "copier.yml", yaml.safe_dump(_copier_yml(), sort_keys=False).encode())
    git("init", "--quiet", cwd=folder)
    git("add", "--all", "--force", cwd=folder)  # the ignore files among them are meant for the client's repo
    return folder


def questions(copier_yml: dict[str, Any]) -> list[str]:
    """The names of the questions that a person may be asked; what is only computed has no help."""
    return [name for name, entry in copier_yml.items() if name[0] != "_" and "help" in entry]


def _copier_yml() -> dict[str, Any]:
    """Our questions, with the example answers as defaults, so that both templates take the same answers."""
    ours = yaml.safe_load((TEMPLATE / "copier.yml").read_text(encoding="utf-8"))
    given = yaml.safe_load((TEMPLATE / "example-answers.yml").read_text(encoding="utf-8"))
    asked = {name: _question(given.get(name, "")) for name in questions(ours)}
    loader = "copier_template_extensions.TemplateExtensionLoader"
    extensions = [loader, "extensions/load.py:SmallestExtension"]
    return {**asked, "_subdirectory": "template", "_jinja_extensions": extensions}


def _question(default: Any) -> dict[str, Any]:
    types = {bool: "bool", int: "int", str: "str", list: "yaml"}
    return {"type": types[type(default)], "default": default}


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
