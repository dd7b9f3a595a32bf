"""List the objects that Klaviyo's connector loads: the only place that knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .errors import BadAnswer
from .ingestion_check.accounts import is_preflights
from .ingestion_check.fields import DataSource, DataSources, Names, wrong_names
from .ingestion_check.names_in_sql import needs_quotes
from .ingestion_check.plain_scalars import is_text

# What most objects go by, and what a full load does.
UPDATED, CREATED, NO_FIELD = Names("updated", "updated"), Names("created", "created"), Names(None, None)


@dataclass(frozen=True)
class KlaviyoObject:
    """What the connector can load, and how.

    A field has two names, the table's and the connector's. They differ for campaigns, and mixing
    them up loads nothing.

    Attributes:
        name: what people call it; names its tables and its load file.
        data_source: what the connector calls it.
        changed: the field that says when a record last changed, which the incremental side goes by.
        created: the field that says when a record was created, which the backfill goes by.
        sends_field: whether the connector wants `incremental_field`; events must not have it.
        window_days: length of a backfill window in days; None for one load of everything.
        attributes: what Klaviyo documents of a record, beside `id` and the fields above; for the manual.
        source: what the account's tables and files are called after, klaviyo or klaviyo_<account>.
    """

    name: str
    data_source: str
    changed: Names = UPDATED
    created: Names = CREATED
    sends_field: bool = True
    window_days: int | None = None
    attributes: tuple[str, ...] = ()
    source: str = "klaviyo"

    @property
    def table(self) -> str:
        """The incremental table."""
        return f"{self.source}_{self.name}"

    @property
    def historical_table(self) -> str:
        """The table that the backfill fills."""
        return f"{self.source}_{self.name}_hist"

    @property
    def config_file(self) -> str:
        """The load file, which both workflows use."""
        return f"{self.source}_{self.name}_load.yml"

    @property
    def mode(self) -> str:
        """How a load meets the table: a full load replaces it, any other appends to it."""
        return "append" if self.changed.table else "replace"

    def as_full_load(self) -> KlaviyoObject:
        """The same object, loaded whole each time."""
        return replace(self, changed=NO_FIELD, created=NO_FIELD)

    def lookback_seconds(self, events_lookback_hours: int) -> int:
        """How far before its watermark an incremental run starts, in seconds."""
        return events_lookback_hours * 3600 if self.data_source == "events" else 0

    def late_days(self, events_late_days: int) -> int:
        """How many days the first incremental run of a UTC day asks for again."""
        return events_late_days if self.data_source == "events" else 0


# Sources: Klaviyo's API reference for the payloads' fields and the filters, TD's page of the
# connector for data_source and skip_related_objects.
CATALOGUE = (
    KlaviyoObject(
        "profiles",
        "profiles",
        window_days=90,
        attributes=(
            "email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale",
            "title", "image", "last_event_date", "location", "properties",
        ),
    ),
    KlaviyoObject(
        "events",
        "events",
        changed=Names("datetime", "datetime"),
        created=Names("datetime", "datetime"),
        sends_field=False,
        window_days=90,
        attributes=("timestamp", "event_properties", "uuid"),
    ),
    KlaviyoObject(
        "campaigns",
        "campaigns",
        changed=Names("updated_at", "updated"),
        created=Names("created_at", "created"),
        attributes=(
            "name", "status", "archived", "audiences", "send_options", "tracking_options", "send_strategy",
            "scheduled_at", "send_time",
        ),
    ),
    KlaviyoObject("lists", "lists", attributes=("name", "opt_in_process")),
    KlaviyoObject("email_templates", "templates", attributes=("name", "editor_type", "html", "text")),
    KlaviyoObject("metrics", "metrics", attributes=("name", "integration")),
)  # fmt: skip
# What the client's check knows of them: the rules for a field's names and for events are its own.
KNOWN = DataSources(
    DataSource(known.data_source, known.name, known.changed, known.created, known.sends_field)
    for known in CATALOGUE
)


def with_one_name_twice(objects: Iterable[KlaviyoObject]) -> list[str]:
    """The fields of campaigns whose table's name is the connector's too, which is never right.

    The catalogue cannot be wrong for the check, which is made of it: this is for whoever edits it.
    """
    campaigns = [each for each in objects if each.data_source == "campaigns"]
    pairs = [names for each in campaigns for names in (each.changed, each.created)]
    return [names.table for names in pairs if names.table and names.table == names.connector]


BRIEF = "a list like [{name: flows}]"
ENTRY_FORM = (
    "[{name: campaigns_snapshot, data_source: campaigns}], loaded whole each time; or incrementally, "
    "with inc_field: updated_at, inc_field_connector: updated, "
    "hist_field: created_at, hist_field_connector: created"
)
ENTRY_KEYS = {"name", "data_source", "inc_field", "inc_field_connector", "hist_field", "hist_field_connector"}

NAME = r"[a-z][a-z0-9_]{0,63}"


def custom_object(entry: Any) -> KlaviyoObject:
    """Make an object of one entry of the answer `custom_objects`.

    Args:
        entry: a map with `name`, and if wanted `data_source` (else the name). Of the four fields
            either none (each run loads everything, in replace mode) or at least `inc_field` and
            `inc_field_connector`; `hist_field` and `hist_field_connector` default to what is known
            of the data source, else to those two.

    Raises:
        BadAnswer: it has another shape, nearly names a known data source, or mixes up a field's names.
    """
    if not isinstance(entry, dict) or not set(entry) <= ENTRY_KEYS or not entry.get("name"):
        raise BadAnswer(ENTRY_FORM, brief=BRIEF)
    given = {key: value for key, value in entry.items() if value}
    if not all(isinstance(text, str) and re.fullmatch(NAME, text) for text in given.values()):
        raise BadAnswer(
            "names of a-z, 0-9, _ that start with a letter: " + ENTRY_FORM, brief="names of a-z, 0-9, _"
        )
    name, data_source = given["name"], given.get("data_source", given["name"])
    if is_preflights(name) or name.endswith(("_hist", "_latest")):
        raise BadAnswer(
            "names other than preflight, preflight_x, x_hist and x_latest, as other tables are called so: "
            + ENTRY_FORM,
            brief="names that no table has",
        )
    # Load files have them without quotes.
    for given_name in (data_source, given.get("inc_field_connector"), given.get("hist_field_connector")):
        if given_name and not is_text(given_name):
            raise BadAnswer(
                f"without the name {given_name}, which YAML reads as something else: {ENTRY_FORM}",
                brief="names that YAML reads as text",
            )
    if (meant := KNOWN.meant(data_source)) not in ("", data_source):
        raise BadAnswer(
            f"data_source: {meant}, as the connector calls it, not {data_source}",
            brief=f"data_source: {meant}",
        )
    changed = Names(given.get("inc_field"), given.get("inc_field_connector"))
    created = Names(given.get("hist_field"), given.get("hist_field_connector"))
    if not any(changed + created):
        return replace(KlaviyoObject(name, data_source).as_full_load(), sends_field=False)
    right = [KNOWN.names(data_source, backfill) for backfill in (False, True)]
    if not any(created):
        created = right[True] or changed
    if not all(changed + created):
        raise BadAnswer(
            "each field with both names, the table's and the connector's: " + ENTRY_FORM,
            brief="each field with both names",
        )
    if any(wrong for pair in zip((changed, created), right, strict=True) for wrong in wrong_names(*pair)):
        (table, connector), (hist_table, hist_connector) = right
        raise BadAnswer(
            f"{table} with {connector} (inc_field), {hist_table} with {hist_connector} (hist_field), "
            f"the table's name of the field with the connector's, for {data_source}",
            brief="fields as README.md has them",
        )
    for field in (changed.table, created.table):
        if needs_quotes(field):
            raise BadAnswer(
                f"without the field {field}, which is a word of SQL's own: {ENTRY_FORM}",
                brief="no field like a word of SQL's",
            )
        if field == "time":
            raise BadAnswer(
                f"without the field time, which is when a load ran, not a record's own: {ENTRY_FORM}",
                brief="no field time: that is the load's",
            )
    return KlaviyoObject(name, data_source, changed, created, KNOWN.takes_field(data_source))


def chosen_objects(
    names: list[str], custom_objects: list[dict], metrics_load: str, source: str = "klaviyo"
) -> list[KlaviyoObject]:
    """The objects that a client's repo loads: the catalogue's in its order, then the custom ones.

    Args:
        names: the answer `objects`.
        custom_objects: the answer `custom_objects`.
        metrics_load: the answer `metrics_load`; `full` makes metrics a full load.
        source: what their tables and files are called after.
    """
    chosen = [
        known.as_full_load() if known.name == "metrics" and metrics_load == "full" else known
        for known in CATALOGUE
        if known.name in names
    ] + [custom_object(entry) for entry in custom_objects]
    return [replace(each, source=source) for each in chosen]
