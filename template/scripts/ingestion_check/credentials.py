"""The file of the credentials, and what a key looks like wherever it stands."""

from __future__ import annotations

import json
import re
from typing import Any

PATH = "ingestion/credentials_ingestion.json"
ENTRY = "klaviyo_api_token"
# Klaviyo's private keys and TD's API keys.
KEY = re.compile(rb"\bpk_(?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{20,}|\b[0-9]{1,8}/[0-9a-f]{40}\b")


def entries(text: str) -> list[tuple[str, Any]] | None:
    """The entries of the file, in their order; None, if it is no map. A name that stands twice comes twice.

    Raises:
        ValueError: it is not JSON; a `json.JSONDecodeError` says in which line.
    """
    try:
        found = json.loads(text, object_pairs_hook=tuple)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return list(found) if isinstance(found, tuple) else None


def is_secret(name: str, value: Any) -> bool:
    """Whether `td wf secrets` takes an entry: text, under names of a letter and more, with dots between."""
    return isinstance(value, str) and bool(re.fullmatch(r"[a-zA-Z]\w*(\.[a-zA-Z]\w*)*", name))
