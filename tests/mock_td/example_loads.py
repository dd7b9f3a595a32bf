"""Give the `in:` section of a load file, and the filters, as the mock TD accepts them."""

ACCEPTED = {
    "type": "klaviyo",
    "td_authentication_id": 12345,
    "data_source": "profiles",
    "incremental": True,
    "incremental_field": "updated",
    "start_time": "2023-01-01T00:00:00.000000",
    "end_time": "2024-01-01T00:00:00.000000",
}
EVENTS = {
    **{name: value for name, value in ACCEPTED.items() if name != "incremental_field"},
    "data_source": "events",
    "skip_related_objects": True,
}
ADD_TIME = [{"type": "add_time", "to_column": {"name": "time"}, "from_value": {"mode": "upload_time"}}]
