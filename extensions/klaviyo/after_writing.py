"""What is reported once everything is written."""

from __future__ import annotations

import re
from pathlib import Path

from copier.errors import UserMessageError
from jinja2 import pass_context
from jinja2.runtime import Context

from .before_writing import BeforeWriting
from .catalogue import KNOWN
from .destination import CHECK, destination
from .files_to_write import files_to_write
from .ingestion_check import GATES, Folder, check, report
from .ingestion_check.gate import Result


class AfterWriting:
    """What is seen of a rendering after it was written, given what was seen before."""

    def __init__(self, before: BeforeWriting) -> None:
        self.before = before

    @pass_context
    def quality_gates(self, context: Context) -> str:
        """Judge the tree as it now is, by this version's gates: no code of the client's runs in Copier.

        Returns:
            The report, a line a gate.

        Raises:
            UserMessageError: the report, if a gate fails; Copier then exits with 1.
        """
        root = destination(context, "")
        if context["_copier_conf"]["pretend"]:
            return "Nothing was written (--pretend), so nothing was verified."
        marked = conflicts(context)
        if not (root / CHECK).is_file():
            verified, failed = f"{CHECK} is gone, so nothing was verified.", False
        else:
            results = self._results(root)
            verified, failed = report(results), any(result.problems for result in results)
        if marked or failed:
            raise UserMessageError(marked + verified)
        return verified

    def _results(self, root: Path) -> list[Result]:
        """What every gate says of a tree; most said it before, of one that has nothing else."""
        if not self.before.alone:
            return check(Folder(root), KNOWN)
        asked = [
            *self.before.results,
            *check(Folder(root), KNOWN, [gate for gate in GATES if gate.needs_disk]),
        ]
        said = {result.name: result for result in asked}
        return [said[gate.title] for gate in GATES]


def conflicts(context: Context) -> str:
    """Name the files in which an update left a conflict; empty if there are none."""
    root = destination(context, "")
    files = [file.path for file in files_to_write(context) if _has_conflict(root / file.path)]
    if not files:
        return ""
    return (
        "CONFLICTS: your change and the template's met in the same lines of\n"
        + "".join(f"  {file}\n" for file in files)
        + "Open each, choose between what <<<<<<< and >>>>>>> mark (or see its .rej), then git add it.\n\n"
    )


def _has_conflict(path: Path) -> bool:
    """Whether there are Copier's markers in a file, or beside it what `--conflict rej` leaves."""
    if path.with_name(f"{path.name}.rej").exists():
        return True
    return path.is_file() and bool(re.search(rb"^<{7} before updating\r?$", path.read_bytes(), re.MULTILINE))
