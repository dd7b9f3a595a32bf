"""Do what TD's connector does with a load's `in:` section: refuse it, or ask Klaviyo's API.

It refuses what the real one refuses, so that a rendered load file that would fail at a client fails here.
"""

import re
from datetime import datetime, timezone

# data_source: {the connector's name of a time field, which a load file has: the payload's, which becomes the column}
TIME_FIELDS = {
    "profiles": {"created": "created", "updated": "updated"},
    "events": {"datetime": "datetime"},
    "campaigns": {"created": "created_at", "updated": "updated_at"},
    "lists": {"created": "created", "updated": "updated"},
    "templates": {"created": "created", "updated": "updated"},
    "metrics": {"created": "created", "updated": "updated"},
}

# The one form of start_time and end_time that the connector reads: no zone, six zeros.
CONNECTOR_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000")


class ConnectorError(Exception):
    """The load fails; the text is what the job's log shows."""


def checked(settings, time_fields):
    """The data source and the connector's name of the field to filter on, of settings that the connector accepts."""
    if settings.get("type") != "klaviyo":
        raise ConnectorError(f"Unknown input plugin type: {settings.get('type')!r}")
    if not settings.get("td_authentication_id"):
        raise ConnectorError("Field 'td_authentication_id' is required but not set")
    data_source = settings.get("data_source")
    if data_source not in time_fields:
        raise ConnectorError(f"Unknown data_source {data_source!r}. Supported: {', '.join(time_fields)}")
    incremental = settings.get("incremental", False)
    if not isinstance(incremental, bool):
        raise ConnectorError(f"Field 'incremental' must be true or false, not {incremental!r}")
    field = settings.get("incremental_field")
    if data_source == "events":
        if "incremental_field" in settings:
            raise ConnectorError("incremental_field is not supported for data_source events")
        if settings.get("skip_related_objects") is not True:
            raise ConnectorError("data_source events needs skip_related_objects: true")
        return data_source, "datetime"
    if field is None and not incremental:
        return data_source, None
    if field not in time_fields[data_source]:
        raise ConnectorError(
            f"Invalid incremental_field {field!r} for data_source {data_source}. "
            f"Supported: {', '.join(time_fields[data_source])}"
        )
    return data_source, field


def window(settings):
    """start_time and end_time as instants, None where there is none; ConnectorError for any other form."""
    start, end = (_connector_time(settings, name) for name in ("start_time", "end_time"))
    if start and end and start > end:
        raise ConnectorError(f"start_time {settings['start_time']} is after end_time {settings['end_time']}")
    return start, end


def utc(moment):
    """A datetime in UTC; without a zone it is in UTC already."""
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def _connector_time(settings, name):
    text = settings.get(name)
    if text is None:
        return None
    try:
        if not CONNECTOR_TIME.fullmatch(text):
            raise ValueError
        return utc(datetime.fromisoformat(text))
    except (TypeError, ValueError):
        raise ConnectorError(f"Invalid {name} {text!r}: expected yyyy-MM-ddTHH:mm:ss.000000") from None
