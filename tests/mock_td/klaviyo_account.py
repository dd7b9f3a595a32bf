"""Make up a Klaviyo account, as TD's connector reads it.

What the mock TD and this account take for granted, where Klaviyo, the connector or TD document nothing. Where
there is a choice it is the one that loses most; tests may try the other.

| what                                   | here                                         | otherwise         |
|----------------------------------------|----------------------------------------------|-------------------|
| a record exactly at start_time         | left out of profiles and lists, whose API    | `starts`          |
|                                        | knows greater-than only; of others it is in  |                   |
| a record exactly at end_time           | left out                                     | `ends`            |
| lists up to end_time, metrics at all   | filtered as others, though the API cannot    |                   |
| no start_time, or no end_time          | nothing is filtered on that side             |                   |
| fractions of a second                  | in some of the payload's forms, not in windows |                 |
| when a load reads                      | as it begins: what comes later is not in it  |                   |
| records that are made during loads     | none                                         | `births`          |
| records that change during loads       | none                                         | `changes`         |
| records that the API shows late        | none                                         | add(visible_from) |
| how long a load takes                  | nothing                                      | fail_load(takes), |
|                                        |                                              | slow_load         |
| hours that a load takes                | pass at its end, on TD's clock alone, for    |                   |
|                                        | all jobs that run then; two at once take them once |             |
| a load that fails, or that TD kills    | stores nothing                               |                   |
| a load whose Digdag was killed         | is stored: TD knows nothing of that          | interrupt(commits) |
| `time` of loaded rows                  | when their load began                        |                   |
| an INSERT that succeeded               | is seen by others at once                    | hold_back         |
| TD's clock                             | Digdag's, which is the machine's             | clock.ahead       |
"""

import random
import threading
from datetime import datetime, timedelta, timezone
from itertools import count

from mock_td.clock import Clock
from mock_td.klaviyo_connector import TIME_FIELDS, checked, utc, window

# Klaviyo's endpoints for these know greater-than, not greater-or-equal: a record at start_time is left out.
GREATER_THAN_ONLY = {"profiles", "lists"}

# Klaviyo's payloads mix these. As text they sort differently from the instants that they mean.
PAYLOAD_TIMES = (
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S.%f+00:00",
    "%Y-%m-%d %H:%M:%S.%f+00:00",
)


class KlaviyoAccount:
    """Records of each data source, the same ones for the same arguments.

    start, end  created times and events are spread evenly inside this range, none on its edges; updated
                times lie between creation and `end`, the newest a minute before it. No zone means UTC
    size        records per data source
    empty       data sources that have no records yet
    custom      more data sources, as TIME_FIELDS has them: {"flows": {"created": "created", ...}}
    starts      whether start_time itself is in a window: 'exclusive' or 'inclusive' for all data sources,
                'as the API' (the default) for exclusive where the API knows greater-than only
    ends        whether end_time itself is in a window: 'exclusive' or 'inclusive'
    births      whether each load that begins makes a record of each data source, of that instant
    changes     whether each load that begins changes the oldest record of each data source, but of events
    clock       tells now, to the account and to the TreasureData that loads it

    All but `start`, `end`, `size`, `empty` and `custom` may be set later, too.
    """

    def __init__(
        self,
        start,
        end,
        *,
        size=20,
        empty=(),
        seed=0,
        custom=None,
        starts="as the API",
        ends="exclusive",
        births=False,
        changes=False,
        clock=None,
    ):
        self.time_fields = {**TIME_FIELDS, **(custom or {})}
        self.starts, self.ends = starts, ends
        self.births, self.changes = births, changes
        self.clock = clock or Clock()
        self._random = random.Random(seed)
        self._forms = count()
        self._lock = threading.RLock()
        self._records = {data_source: {} for data_source in self.time_fields}
        self._visible_from = {}
        for data_source in self.time_fields:
            for number in range(0 if data_source in empty else size):
                created = utc(start) + (utc(end) - utc(start)) * (number + 0.5) / size
                self._make(data_source, created, utc(end))
            if {"updated", "datetime"} & self.time_fields[data_source].keys():
                self._let_texts_mislead(data_source, utc(end))

    def records(self, data_source):
        """Copies of the records that the API shows now, in the order in which they were made."""
        with self._lock:
            now = self.now()
            return [
                dict(record)
                for id, record in self._records[data_source].items()
                if self._visible_from.get(id, now) <= now
            ]

    def ids(self, data_source):
        return {record["id"] for record in self.records(data_source)}

    def now(self):
        return datetime.fromtimestamp(self.clock.now(), timezone.utc)

    def add(self, data_source, *, visible_from=None, **fields):
        """Adds a record and returns its id. A datetime becomes text in one of Klaviyo's forms; text stays.

        The fields are the payload's (created_at for a campaign). Time fields not given hold the newest one
        given, or now; `datetime` may lie in the future. Before `visible_from`, a datetime, the API does not
        show the record.
        """
        with self._lock:
            columns = self.time_fields[data_source].values()
            given = [_instant(fields[column]) for column in columns if column in fields]
            when = max(given, default=self.now())
            record = {
                "id": f"{data_source}-{len(self._records[data_source]) + 1:04}",
                **_own_fields(data_source),
            }
            record.update({column: when for column in columns})
            record.update(fields)
            if visible_from:
                self._visible_from[record["id"]] = utc(visible_from)
            self._records[data_source][record["id"]] = {
                name: self._text(value) for name, value in record.items()
            }
            return record["id"]

    def touch(self, data_source, id, when=None):
        """Changes a record at `when` (a datetime or text; default now), as a user's edit in Klaviyo does."""
        fields = self.time_fields[data_source]
        column = fields.get("updated") or fields["datetime"]
        with self._lock:
            self._records[data_source][id][column] = self._text(when or self.now())

    def fetch(self, settings):
        """The records that a load with these settings (the load file's `in:`) brings, or ConnectorError.

        - `incremental: true` needs an incremental_field, events excepted: theirs is always `datetime`.
        - Without `incremental: true`, and without start_time or end_time on that side, nothing is filtered:
          as with the real connector, a missing start_time loads everything.
        """
        data_source, field = checked(settings, self.time_fields)
        start, end = window(settings)
        self._live_on()
        records = self.records(data_source)
        if not settings.get("incremental"):
            return records
        column = self.time_fields[data_source][field]
        return [
            record for record in records if self._is_within(_instant(record[column]), data_source, start, end)
        ]

    def _is_within(self, instant, data_source, start, end):
        exclusive = {"exclusive": True, "inclusive": False, "as the API": data_source in GREATER_THAN_ONLY}
        after_start = start is None or instant > start or (instant == start and not exclusive[self.starts])
        before_end = end is None or instant < end or (instant == end and self.ends == "inclusive")
        return after_start and before_end

    def _live_on(self):
        """What happens in the account as a load begins."""
        with self._lock:
            for data_source, fields in self.time_fields.items():
                if self.births:
                    self.add(data_source)
                if self.changes and "updated" in fields and self._records[data_source]:
                    self.touch(data_source, next(iter(self._records[data_source])))

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
        return utc(value).strftime(PAYLOAD_TIMES[next(self._forms) % len(PAYLOAD_TIMES)])


def _instant(value):
    # Python 3.10 does not read the Z.
    return utc(value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("Z", "+00:00")))


def _own_fields(data_source):
    """What a payload holds beside its id and times: a word, a number, something nested, something empty."""
    return {
        "name": f"a {data_source.rstrip('s')}",
        "value": 1,
        "properties": {"plan": 'it\'s "free"'},
        "note": None,
    }
