"""Read the credentials file, and recognize a key wherever it is."""

from __future__ import annotations

import json
import re
from typing import Any

PATH = "ingestion/credentials_ingestion.json"
ENTRY = "klaviyo_api_token"
# Klaviyo's private keys, TD's API keys, and the addresses of Slack's webhooks.
KEY = re.compile(
    rb"\bpk_(?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{20,}|\b[0-9]{1,8}/[0-9a-f]{40}\b"
    rb"|\bhooks\.slack\.com/services/T\w+/B\w+/\w{16,}"
)
# The same in few words, as git looks for it.
FOR_GIT = "pk_[A-Za-z0-9_]{20}|[0-9]/[0-9a-f]{40}|hooks[.]slack[.]com/services/T"
# Who may read a template, in its URL: a token stands there in the place of a name, or of a password.
_USER_OF_URL = re.compile(r"((?:git\+)?https?://)[^/?#\s]*@", re.IGNORECASE)


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


def holds_key(value: Any) -> bool:
    """Whether there is a key in an answer, whatever it is made of, and in capitals too."""
    return bool(KEY.search(str(value).lower().encode(errors="surrogatepass")))


def without_token(url: str) -> str:
    """A template's URL without a user, if it is one of http; ssh needs its user, and has no token."""
    return _USER_OF_URL.sub(r"\1", url)


def is_secret(name: str, value: Any) -> bool:
    """Whether `td wf secrets` takes an entry: text, under names of a letter and more, with dots between."""
    return isinstance(value, str) and bool(re.fullmatch(r"[a-zA-Z]\w*(\.[a-zA-Z]\w*)*", name))
