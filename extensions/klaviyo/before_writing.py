"""Render in memory what is to be written, and judge it before Copier writes the first file."""

from __future__ import annotations

from pathlib import Path

from copier.errors import UserMessageError
from jinja2 import pass_context
from jinja2.runtime import Context

from .answers import objects_to_load
from .before_update import undo_migrations
from .errors import refusal
from .existing_repo import destination, is_aside
from .ingestion_check import Rendered, check, report
from .ingestion_check.gate import Result
from .ingestion_check.problems import Problem, place_in
from .ingestion_check.silences import SILENCES
from .ingestion_check.timestamps import wrong_times
from .objects import KNOWN, with_one_name_twice
from .preconditions import clashes_with_others, files_out_of_reach
from .rendered_files import files_of_the_template, files_that_stay
from .several_accounts import account_problems, clashes_with_accounts
from .start_date import right_time


class BeforeWriting:
    """What was seen before one rendering of the template was written.

    Attributes:
        results: what the gates said that need neither git nor the credentials; empty until they were asked.
        alone: whether there was nothing in the destination.
    """

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.alone = False

    @pass_context
    def check_files(self, context: Context) -> bool:
        """Judge every file that would be written: an error half-way through leaves debris behind.

        An update judges what goes into the client's repo, and no rendering that it makes aside of it.

        Returns:
            False, so that the hidden question whose `when` calls this stays hidden.

        Raises:
            UserMessageError: what is wrong, and where.
        """
        if self.results or is_aside(context):  # Copier evaluates a `when` three times; once will do
            return False
        try:
            self._judge(context)
        except UserMessageError:
            undo_migrations(context)
            raise
        return False

    def _judge(self, context: Context) -> None:
        clashes = [*account_problems(context, context["account"])] or [*clashes_with_accounts(context)]
        if clashes := [*clashes, *clashes_with_others(context)]:
            raise refusal(clashes)
        folder = destination(context, "")
        self.alone = not folder.is_dir() or not any(folder.iterdir())
        files = list(files_of_the_template(context))
        staying = files_that_stay(context, files)
        ours = {file.path: file.text() for file in files if file.path not in staying}
        if lines := list(files_out_of_reach(context, ours)):
            raise refusal(lines)
        theirs = {path: _text(folder / path) for path in {*staying, SILENCES} if (folder / path).is_file()}
        self.results = check(Rendered(ours | theirs), KNOWN, source=context["source"])
        failed = [result for result in (_template_rules(context, ours), *self.results) if result.failed]
        if failed:
            raise refusal([report(failed), "The workflows would not run."])


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _template_rules(context: Context, texts: dict[str, str]) -> Result:
    """What the template must keep to beyond the client: a comment, too, has its times in the right form."""
    twice = [
        Problem("extensions/klaviyo/objects.py", 1, f"campaigns: updated_at with updated, not {name} twice")
        for name in with_one_name_twice(objects_to_load(context))
    ]
    times = [
        place_in(path, text, found.start()).problem(f"{found[0]} must be {right_time(found[0])}")
        for path, text in texts.items()
        for found in wrong_times(text)
    ]
    return Result("template", "All files of the template have times and fields right", twice + sorted(times))
