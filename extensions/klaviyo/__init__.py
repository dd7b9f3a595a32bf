"""Offer Copier the rules of Klaviyo → Treasure Data ingestion.

Loaded by ../load.py, once for each version that Copier renders.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment
from jinja2.ext import Extension

# The client's check stands in the template; `.ingestion_check` is this version's, with its rules.
__path__.append(str(Path(__file__).resolve().parents[2] / "template/scripts"))

from .after_writing import AfterWriting
from .answers import answer_problem, answers_to_store, check_answers, objects_to_load, type_of_the_start
from .before_update import check_update
from .before_writing import BeforeWriting
from .compile_cache import use_compile_cache
from .credentials_file import Credentials
from .existing_repo import (
    SIGNATURE,
    existing_database,
    is_new_repo,
    joins_others,
    lines_of_others,
    unless_ours,
)
from .ingestion_check.names_in_sql import as_name
from .messages import in_80_columns, into_git, notes, notes_on_a_copy
from .objects import CATALOGUE
from .regions import CONSOLES, console, td
from .schedules import longest_gap, runs_a_day
from .several_accounts import check_copy, of_the_first
from .start_date import timestamp
from .yaml_text import in_yaml, quoted


class KlaviyoExtension(Extension):
    """Offers the rules to copier.yml and to the template; one for each version and folder rendered."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        use_compile_cache(environment)
        before, credentials = BeforeWriting(), Credentials()
        environment.filters.update(
            answer_problem=answer_problem,
            in_80_columns=in_80_columns,
            in_sql=as_name,
            in_yaml=in_yaml,
            quoted=quoted,
            timestamp=timestamp,
        )
        environment.globals.update(
            answers_to_store=answers_to_store,
            catalogue=CATALOGUE,
            check_answers=check_answers,
            check_copy=check_copy,
            check_files=before.check_files,
            check_update=check_update,
            chosen_objects=objects_to_load,
            console=console,
            consoles=CONSOLES,
            credentials=credentials.credentials,
            existing_database=existing_database,
            into_git=into_git,
            is_new_repo=is_new_repo,
            joins_others=joins_others,
            lines_of_others=lines_of_others,
            longest_gap=longest_gap,
            notes=notes,
            notes_on_a_copy=notes_on_a_copy,
            of_the_first=of_the_first,
            quality_gates=AfterWriting(before, credentials).quality_gates,
            runs_a_day=runs_a_day,
            signature=SIGNATURE,
            td=td,
            type_of_the_start=type_of_the_start,
            unless_ours=unless_ours,
        )
