"""The credentials file: the client's, and other sources' too."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from jinja2 import pass_context
from jinja2.runtime import Context

from .destination import destination
from .ingestion_check.credentials import ENTRY, PATH, entries, is_secret

PLACEHOLDER = "put the Klaviyo private API key here, it starts with pk_"


def read_credentials(path: Path) -> dict[str, str]:
    """The entries of a credentials file; empty where there is none.

    Raises:
        ValueError: there is something else at that path than one flat JSON map of strings.
    """
    if not path.exists():
        return {}
    if not path.is_file():
        raise ValueError("is not a file, move it away.")
    try:
        found = entries(path.read_text(encoding="utf-8"))
    except PermissionError:
        raise ValueError("cannot be read, make it readable: chmod u+rw.") from None
    except ValueError:
        raise ValueError("is not valid JSON, fix it or move it away.") from None
    names = [name for name, _ in found or ()]
    if found is None or len(set(names)) < len(names) or not all(is_secret(*entry) for entry in found):
        raise ValueError("must be one flat JSON map of strings, fix it or move it away.")
    return dict(found)


class Credentials:
    """The credentials file of one rendering.

    Attributes:
        written: what was done to it; empty, if nothing was.
    """

    def __init__(self) -> None:
        self.written = ""

    @pass_context
    def credentials(self, context: Context) -> str:
        """Write the credentials file, readable by its owner only, and return its text.

        Copier then finds an identical file and touches neither text nor mode. Entries of other
        sources are kept; ours is added where it is missing, and never replaced by the placeholder.
        """
        path = destination(context, PATH)
        text, is_new = wanted_text(context), not path.exists()
        if text is None:
            return path.read_text(encoding="utf-8")
        if not context["_copier_conf"]["pretend"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_new:
                path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
            mode = stat.S_IMODE(path.stat().st_mode)
            self.written = f"{PATH}: {'made' if is_new else f'{ENTRY} was set in it'}, mode {mode:o}"
        return text


def wanted_text(context: Context) -> str | None:
    """What the file is to say; None, if it says so already.

    Raises:
        ValueError: as for `read_credentials`.
    """
    found = read_credentials(destination(context, PATH))
    token = context["klaviyo_api_key"] or found.get(ENTRY) or PLACEHOLDER
    if found.get(ENTRY) == token:
        return None
    return json.dumps({**found, ENTRY: token}, indent=2, ensure_ascii=False) + "\n"
