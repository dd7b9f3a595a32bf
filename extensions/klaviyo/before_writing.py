"""What is to be written is rendered in memory first, and refused if it breaks a rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from copier.errors import UserMessageError
from jinja2 import pass_context
from jinja2.runtime import Context

from .answers import objects_to_load
from .catalogue import check_dual_field
from .obstacles import clashes_with_others
from .timestamps import check_timestamps, timestamp

CONNECTOR_FIELD = "${datasource.incremental_field_connector}"


def check_fields(path: str, text: str) -> None:
    """Refuse a file that gives a field's wrong name: the table's to the API, or the API's to SQL.

    Args:
        path: the file's path in the client's repo; says what kind of file it is.
        text: its whole text.

    Raises:
        ValueError: what is wrong, and what it should be.
    """
    if path.endswith("_datasources.yml"):
        for entry in (entry for entries in yaml.safe_load(text).values() for entry in entries):
            timestamp(entry["default_start_time"])
            if entry["incremental_field"] or entry["incremental_field_connector"]:
                check_dual_field(
                    entry["name"], entry["incremental_field"], entry["incremental_field_connector"]
                )
    elif path.endswith("_load.yml"):
        source = yaml.safe_load(text)["in"]
        if source.get("incremental_field", CONNECTOR_FIELD) != CONNECTOR_FIELD:
            raise ValueError(f"incremental_field must be {CONNECTOR_FIELD}, the API's name")
        # Only events have skip_related_objects; their data_source reads ${datasource.name}, as all do.
        if "skip_related_objects" in source and "incremental_field" in source:
            raise ValueError("events must have no incremental_field")
    elif path.endswith((".sql", ".dig")) and "incremental_field_connector" in text:
        raise ValueError("SQL must use incremental_field, the table's name, not the API's")


@pass_context
def check_files(context: Context) -> bool:
    """Render every file of the template in memory and refuse the first that breaks a rule.

    Before Copier writes anything: an error half-way through a render leaves debris behind.

    Returns:
        False, so that the hidden question whose `when` calls this stays hidden.

    Raises:
        UserMessageError: the file and what is wrong with it.
    """
    environment = context.environment
    if hasattr(environment, "files_are_good"):  # Copier evaluates a `when` three times; once will do
        return False
    for path, text in rendered_files(context):
        try:
            check_timestamps(text)
            check_fields(path, text)
        except ValueError as error:
            raise UserMessageError(f"{path} breaks a rule: {error}. Nothing was written.") from None
    if clashes := list(clashes_with_others(context)):
        raise UserMessageError("\n".join(clashes))
    environment.files_are_good = True
    return False


def rendered_files(context: Context) -> Iterator[tuple[str, str]]:
    """Give path and text of every file that the template would write, except the credentials."""
    root = Path(context["_copier_conf"]["src_path"])
    for source in sorted((root / "template").rglob("*")):
        path = source.relative_to(root / "template").as_posix()
        if not source.is_file() or "credentials_ingestion.json" in path or "__pycache__" in path:
            continue
        # A name with a yield tag is rendered once for each object, as Copier does it.
        variants = [{}] if "{% yield" not in path else [{"object": o} for o in objects_to_load(context)]
        for variant in variants:
            scope = {**context.get_all(), **variant}
            name = context.environment.from_string(path.removesuffix(".jinja")).render(scope)
            if not all(name.split("/")):  # Copier leaves out what has an empty part in its path
                continue
            if path.endswith(".jinja"):
                template = context.environment.get_template(source.relative_to(root).as_posix())
                yield name, template.render(scope)
            else:
                yield name, source.read_text(encoding="utf-8")
