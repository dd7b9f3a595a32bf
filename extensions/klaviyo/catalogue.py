"""The objects that Klaviyo's connector loads: the only place that knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from .refusals import BadAnswer


@dataclass(frozen=True)
class KlaviyoObject:
    """What the connector can load, and how.

    A field has two names: the one that SQL finds in the table, and the one that the connector
    sends to Klaviyo's API. They differ for campaigns, and mixing them up loads nothing.

    Attributes:
        name: what people call it; names its tables and its load file.
        data_source: what the connector calls it.
        inc_field: the table's field that says when a record last changed; None for a full load.
        inc_field_connector: the same field's name in the API.
        hist_field: the table's field that says when a record was created.
        hist_field_connector: the same field's name in the API.
        sends_field: whether the connector wants `incremental_field`; events must not have it.
        start_inclusive: whether the API can filter with `greater-or-equal`. Where it knows only
            `greater-than`, an incremental run looks one second back.
        window_days: length of a backfill window in days; None for one load of everything.
    """

    name: str
    data_source: str
    inc_field: str | None = "updated"
    inc_field_connector: str | None = "updated"
    hist_field: str | None = "created"
    hist_field_connector: str | None = "created"
    sends_field: bool = True
    start_inclusive: bool = False
    window_days: int | None = None

    @property
    def table(self) -> str:
        """The incremental table."""
        return f"klaviyo_{self.name}"

    @property
    def historical_table(self) -> str:
        """The table that the backfill fills."""
        return f"klaviyo_{self.name}_hist"

    @property
    def config_file(self) -> str:
        """The load file, which both workflows use."""
        return f"klaviyo_{self.name}_load.yml"

    @property
    def mode(self) -> str:
        """How a load meets the table: a full load replaces it, any other appends to it."""
        return "append" if self.inc_field else "replace"

    def as_full_load(self) -> KlaviyoObject:
        """The same object, loaded whole each time."""
        return replace(
            self, inc_field=None, inc_field_connector=None, hist_field=None, hist_field_connector=None
        )

    def lookback_seconds(self, events_lookback_hours: int) -> int:
        """How far before its watermark an incremental run starts, in seconds."""
        if self.data_source == "events":
            return events_lookback_hours * 3600
        return 0 if self.start_inclusive else 1


# Sources: Klaviyo's API reference for the payloads' fields and the filters, TD's page of the
# connector for data_source and skip_related_objects.
CATALOGUE = (
    KlaviyoObject("profiles", "profiles", window_days=90),
    KlaviyoObject(
        "events",
        "events",
        inc_field="datetime",
        inc_field_connector="datetime",
        hist_field="datetime",
        hist_field_connector="datetime",
        sends_field=False,
        start_inclusive=True,
        window_days=90,
    ),
    KlaviyoObject(
        "campaigns", "campaigns", inc_field="updated_at", hist_field="created_at", start_inclusive=True
    ),
    KlaviyoObject("lists", "lists"),
    KlaviyoObject("email_templates", "templates", start_inclusive=True),
    KlaviyoObject("metrics", "metrics"),
)
CUSTOM_OBJECT_FORM = (
    "[{name: flows, data_source: flows, inc_field: updated, inc_field_connector: updated, "
    "hist_field: created, hist_field_connector: created}], or no field at all for a full load"
)


def custom_object(entry: Any) -> KlaviyoObject:
    """Make an object of one entry of the answer `custom_objects`.

    Args:
        entry: a map with `name`, and if wanted `data_source` (else the name). Of the four fields
            either none (each run loads everything, in replace mode) or at least `inc_field` and
            `inc_field_connector`; `hist_field` and `hist_field_connector` default to those two.

    Raises:
        BadAnswer: it has another shape, or breaks the dual-field rule.
    """
    known = ("name", "data_source", "inc_field", "inc_field_connector", "hist_field", "hist_field_connector")
    if not isinstance(entry, dict) or not set(entry) <= set(known) or not entry.get("name"):
        raise BadAnswer(CUSTOM_OBJECT_FORM)
    values = [entry.get(field) or None for field in known]
    if not all(isinstance(v, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", v) for v in values if v):
        raise BadAnswer("names of a-z, 0-9, _ that start with a letter: " + CUSTOM_OBJECT_FORM)
    name, data_source, incremental, historical = values[0], values[1] or values[0], values[2:4], values[4:]
    if not any(incremental + historical):
        return replace(KlaviyoObject(name, data_source).as_full_load(), sends_field=False)
    if not any(historical):
        historical = incremental
    if not all(incremental + historical):
        raise BadAnswer("each field with both names, the table's and the API's: " + CUSTOM_OBJECT_FORM)
    for pair in (incremental, historical):
        try:
            check_dual_field(data_source, *pair)
        except ValueError as error:
            raise BadAnswer(str(error)) from None
    return KlaviyoObject(name, data_source, *incremental, *historical, sends_field=data_source != "events")


def chosen_objects(names: list[str], custom_objects: list[dict], metrics_load: str) -> list[KlaviyoObject]:
    """The objects that a client's repo loads: the catalogue's in its order, then the custom ones.

    Args:
        names: the answer `objects`.
        custom_objects: the answer `custom_objects`.
        metrics_load: the answer `metrics_load`; `full` makes metrics a full load.
    """
    chosen = [known for known in CATALOGUE if known.name in names]
    return [
        known.as_full_load() if known.name == "metrics" and metrics_load == "full" else known
        for known in chosen
    ] + [custom_object(entry) for entry in custom_objects]


def check_dual_field(data_source: str, table_field: str | None, connector_field: str | None) -> None:
    """Refuse a pair of field names of which one is the wrong one for its place.

    Campaigns are `updated_at` and `created_at` in the table, `updated` and `created` for the API.
    Only a data source of the catalogue can be checked: of others the API's names are not known.

    Raises:
        ValueError: the pair is not the catalogue's, or campaigns have one name twice, there too.
    """
    if data_source == "campaigns" and table_field == connector_field:
        raise ValueError(f"updated_at with updated, or created_at with created, not {table_field} twice")
    for known in CATALOGUE:
        if known.data_source == data_source:
            right = {
                (known.inc_field, known.inc_field_connector),
                (known.hist_field, known.hist_field_connector),
            }
            if (table_field, connector_field) not in right:
                wanted = " or ".join(f"{table} with {api}" for table, api in sorted(right))
                raise ValueError(
                    f"{wanted} (the field in the table with its name in the API) for {data_source}, "
                    f"not {table_field} with {connector_field}"
                )
