"""A synthetic Klaviyo account, and what TD's Klaviyo connector makes of a load's `in:` section.

The connector half refuses what the real connector refuses, so that a rendered load file that would fail at a
client fails here; where the real one's behaviour is undocumented, this one takes the stricter reading.
"""

import random
import re
import threading
from datetime import datetime, timedelta, timezone
from itertools import count

# data_source: {time field of the API, which a load file names: the payload's field, which becomes the column}
TIME_FIELDS = {
    "profiles": {"created": "created", "updated": "updated"},
    "events": {"datetime": "datetime"},
    "campaigns": {"created": "created_at", "updated": "updated_at"},
    "lists": {"created": "created", "updated": "updated"},
    "templates": {"created": "created", "updated": "updated"},
    "metrics": {"created": "created", "updated": "updated"},
}

# Klaviyo's endpoints for these know greater-than, not greater-or-equal: a record at start_time is left out.
START_IS_EXCLUSIVE = {"profiles", "lists"}

# The one form of start_time and end_time that the connector reads: no zone, six zeros.
CONNECTOR_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000")

# Klaviyo's payloads mix these. As text they sort differently from the instants that they mean.
PAYLOAD_TIMES = (
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S.%f+00:00",
    "%Y-%m-%d %H:%M:%S.%f+00:00",
)


class ConnectorError(Exception):
    """The load fails; the text is what the job's log shows."""


class KlaviyoAccount:
    """Records of each data source, the same ones for the same arguments.

    start, end     created times and events are spread evenly inside this range, none on its edges; updated
                   times lie between creation and `end`, the newest a minute before it. No zone means UTC
    size           records per data source
    custom         more data sources, as TIME_FIELDS has them: {"flows": {"created": "created", ...}}
    end_inclusive  whether a record exactly at end_time is loaded: undocumented, so a test may try both
    """

    def __init__(self, start, end, *, size=20, seed=0, custom=None, end_inclusive=False):
        self.time_fields = {**TIME_FIELDS, **(custom or {})}
        self.end_inclusive = end_inclusive
        self._random = random.Random(seed)
        self._forms = count()
        self._lock = threading.RLock()
        self._records = {data_source: {} for data_source in self.time_fields}
        for data_source in self.time_fields:
            for number in range(size):
                created = _utc(start) + (_utc(end) - _utc(start)) * (number + 0.5) / size
                self._make(data_source, created, _utc(end))
            if {"updated", "datetime"} & self.time_fields[data_source].keys():
                self._let_texts_mislead(data_source, _utc(end))

    def records(self, data_source):
        """Copies of the data source's records, in the order in which they were made."""
        with self._lock:
            return [dict(record) for record in self._records[data_source].values()]

    def ids(self, data_source):
        return {record["id"] for record in self.records(data_source)}

    def add(self, data_source, **fields):
        """Adds a record and returns its id. A datetime becomes text in one of Klaviyo's forms; text stays.

        The fields are the payload's (created_at for a campaign). Time fields not given hold the newest one
        given, or now.
        """
        with self._lock:
            columns = self.time_fields[data_source].values()
            given = [self._instant(fields[column]) for column in columns if column in fields]
            when = max(given, default=datetime.now(timezone.utc))
            record = {
                "id": f"{data_source}-{len(self._records[data_source]) + 1:04}",
                **_own_fields(data_source),
            }
            record.update({column: when for column in columns})
            record.update(fields)
            self._records[data_source][record["id"]] = {
                name: self._text(value) for name, value in record.items()
            }
            return record["id"]

    def touch(self, data_source, id, when=None):
        """Changes a record at `when` (a datetime or text; default now), as a user's edit in Klaviyo does."""
        fields = self.time_fields[data_source]
        column = fields.get("updated") or fields["datetime"]
        with self._lock:
            self._records[data_source][id][column] = self._text(when or datetime.now(timezone.utc))

    def fetch(self, settings):
        """The records that a load with these settings (the load file's `in:`) brings, or ConnectorError.

        - `incremental: true` needs an incremental_field, events excepted: theirs is always `datetime`.
        - Without `incremental: true`, and without start_time or end_time on that side, nothing is filtered:
          as with the real connector, a missing start_time loads everything.
        """
        data_source, field = self._checked(settings)
        start, end = _window(settings)
        records = self.records(data_source)
        if not settings.get("incremental"):
            return records
        column = self.time_fields[data_source][field]
        return [
            record
            for record in records
            if self._is_within(self._instant(record[column]), data_source, start, end)
        ]

    def _checked(self, settings):
        """The data source and the API's field to filter on, of settings that the connector accepts."""
        if settings.get("type") != "klaviyo":
            raise ConnectorError(f"Unknown input plugin type: {settings.get('type')!r}")
        if not settings.get("td_authentication_id"):
            raise ConnectorError("Field 'td_authentication_id' is required but not set")
        data_source = settings.get("data_source")
        if data_source not in self.time_fields:
            raise ConnectorError(
                f"Unknown data_source {data_source!r}. Supported: {', '.join(self.time_fields)}"
            )
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
        if field not in self.time_fields[data_source]:
            raise ConnectorError(
                f"Invalid incremental_field {field!r} for data_source {data_source}. "
                f"Supported: {', '.join(self.time_fields[data_source])}"
            )
        return data_source, field

    def _is_within(self, instant, data_source, start, end):
        after_start = (
            start is None or instant > start or (instant == start and data_source not in START_IS_EXCLUSIVE)
        )
        before_end = end is None or instant < end or (instant == end and self.end_inclusive)
        return after_start and before_end

    def _make(self, data_source, created, end):
        fields = self.time_fields[data_source]
        times = {
            fields.get("created") or fields.get("datetime"): created,
            fields.get("updated"): created + (end - created) * self._random.random(),
        }
        self.add(data_source, **{column: time for column, time in times.items() if column})

    def _let_texts_mislead(self, data_source, end):
        """Lets the newest record have the lesser text: T sorts after a space."""
        for id, minutes, form in zip(
            list(self._records[data_source])[-2:], (2, 1), PAYLOAD_TIMES[:2], strict=False
        ):
            self.touch(data_source, id, (end - timedelta(minutes=minutes)).strftime(form))

    def _text(self, value):
        if not isinstance(value, datetime):
            return value
        return _utc(value).strftime(PAYLOAD_TIMES[next(self._forms) % len(PAYLOAD_TIMES)])

    @staticmethod
    def _instant(value):
        # Python 3.10 does not read the Z.
        return _utc(
            value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("Z", "+00:00"))
        )


def _utc(moment):
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def _window(settings):
    """start_time and end_time as instants, None where there is none; ConnectorError for any other form."""
    start, end = (_connector_time(settings, name) for name in ("start_time", "end_time"))
    if start and end and start > end:
        raise ConnectorError(f"start_time {settings['start_time']} is after end_time {settings['end_time']}")
    return start, end


def _connector_time(settings, name):
    text = settings.get(name)
    if text is None:
        return None
    try:
        if not CONNECTOR_TIME.fullmatch(text):
            raise ValueError
        return _utc(datetime.fromisoformat(text))
    except (TypeError, ValueError):
        raise ConnectorError(f"Invalid {name} {text!r}: expected yyyy-MM-ddTHH:mm:ss.000000") from None


def _own_fields(data_source):
    """What a payload holds beside its id and times: a word, a number, something nested, something empty."""
    return {
        "name": f"a {data_source.rstrip('s')}",
        "value": 1,
        "properties": {"plan": 'it\'s "free"'},
        "note": None,
    }
