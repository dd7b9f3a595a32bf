"""Report what the gates say once everything is written, and what needs a person last."""

from __future__ import annotations

from pathlib import Path

from copier.errors import UserMessageError
from jinja2 import pass_context
from jinja2.runtime import Context

from .before_writing import BeforeWriting
from .credentials_file import Credentials
from .existing_repo import CHECK
from .ingestion_check import GATES, Folder, check, report
from .ingestion_check.gate import Result
from .ingestion_check.gates.version_control import update_finished
from .messages import remarks
from .objects import KNOWN

UNFINISHED = "update-finished"
AFTER_A_CONFLICT = """
The way on: choose in each of these files, git add --all, commit.
The way back: git reset --hard && git clean -d --force
undoes the whole update, and nothing that you had committed."""


class AfterWriting:
    """What is seen of a rendering after it was written, given what was seen before."""

    def __init__(self, before: BeforeWriting, credentials: Credentials) -> None:
        self.before = before
        self.credentials = credentials

    @pass_context
    def quality_gates(self, context: Context, updated: bool = False) -> str:
        """Judge the tree as it now is, by this version's gates: no code of the client's runs in Copier.

        Args:
            updated: whether this was an update, and not a copy.

        Returns:
            How many gates passed, what a person should know beside it, and what the other gates say.

        Raises:
            UserMessageError: the same, if a gate fails; Copier then exits with 1.
        """
        root, results, told = Path(context["_copier_conf"]["dst_path"]), [], ""
        if context["_copier_conf"]["pretend"]:
            told = "Nothing was written (--pretend), so nothing was checked."
        elif not (root / CHECK).is_file():
            results = check(Folder(root), KNOWN, [update_finished], context["source"])
            told = f"{CHECK} is gone, so nothing else was checked."
        else:
            results = self._results(root, context["source"])
        others = [each for each in results if each.problems or each.silenced]
        passed = len(results) - len(others)
        lines = [f"{passed} check{'s' if passed > 1 else ''} passed."] if passed else []
        lines += [told] if told else []
        lines += remarks(context, self.credentials.written, updated)
        lines += [f"\n{report(others)}"] if others else []
        if updated and any(each.failed and each.id == UNFINISHED for each in others):
            lines.append(AFTER_A_CONFLICT)
        text = "\n".join(lines)
        if any(result.failed for result in results):
            raise UserMessageError(text)
        return text

    def _results(self, root: Path, source: str) -> list[Result]:
        """What every gate says of a tree; most said it before, of one that has nothing else."""
        if not self.before.alone:
            return check(Folder(root), KNOWN, source=source)
        asked = [
            *self.before.results,
            *check(Folder(root), KNOWN, [gate for gate in GATES if gate.needs_disk], source),
        ]
        said = {result.id: result for result in asked}
        return [said[gate.id] for gate in GATES]
