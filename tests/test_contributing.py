"""CONTRIBUTING.md and docs/decisions.md name files that are there, and commands that make knows."""

import re
from fnmatch import fnmatch

import pytest
from commands import TEMPLATE, git

BOTH = "".join((TEMPLATE / file).read_text("utf-8") for file in ("CONTRIBUTING.md", "docs/decisions.md"))
# Without the example of a migration, whose files are made up.
TEXT = re.sub(r"```.*?```", "", BOTH, flags=re.DOTALL)


def test_each_file_that_a_maintainer_is_sent_to_is_there():
    tracked = git("ls-files", cwd=TEMPLATE).splitlines()
    named = set(re.findall(r"`([\w*/-]+\.(?:py|md|yml|sql|jinja)|[\w*/-]+/)`", TEXT))
    assert len(named) > 20
    gone = [name for name in named if not any(fnmatch(f"/{file}", f"*/{name}*") for file in tracked)]
    assert sorted(gone) == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/updates.md"])
def test_each_make_command_in_a_document_is_a_target(document):
    text = (TEMPLATE / document).read_text(encoding="utf-8")
    targets = re.findall(r"^([\w-]+):", (TEMPLATE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make ([\w-]+)", text, re.MULTILINE)) <= set(targets)
