"""What a query ends with that TD would refuse, or that fails there."""


class QueryError(Exception):
    """The text is what the job's log shows."""
