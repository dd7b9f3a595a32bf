"""Read and write the credentials file, which is the client's, and other sources' too."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from jinja2 import pass_context
from jinja2.runtime import Context

from .existing_repo import destination
from .ingestion_check.accounts import source_of
from .ingestion_check.credentials import PATH, entries, is_secret

TOKEN = "api_token"
PLACEHOLDER = "put the Klaviyo private API key here, it starts with pk_"
WEBHOOK = "slack_webhook"
PLACEHOLDER_OF_THE_WEBHOOK = "put the URL of the Slack webhook here"


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
        sources are kept; ours are added where they are missing, and never replaced by a placeholder.
        """
        path = destination(context, PATH)
        text, is_new = wanted_text(context), not path.exists()
        if text is None:
            return path.read_text(encoding="utf-8")
        if not context["_copier_conf"]["pretend"]:
            before = read_credentials(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_new:
                path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
            mode = stat.S_IMODE(path.stat().st_mode)
            changed = [name for name, value in read_credentials(path).items() if before.get(name) != value]
            done = f"{' and '.join(changed)} {'was' if len(changed) == 1 else 'were'} set in it"
            self.written = f"{PATH}: {'made' if is_new else done}, mode {mode:o}"
        return text


def wanted_text(context: Context) -> str | None:
    """What the file is to say; None, if it says so already.

    Raises:
        ValueError: as for `read_credentials`.
    """
    found = read_credentials(destination(context, PATH))
    token, webhook = _entry(context, TOKEN), _entry(context, WEBHOOK)
    ours = {token: context["klaviyo_api_key"] or found.get(token) or PLACEHOLDER}
    if context.get("alert_slack"):
        ours[webhook] = found.get(webhook) or PLACEHOLDER_OF_THE_WEBHOOK
    if ours.items() <= found.items():
        return None
    return json.dumps({**found, **ours}, indent=2, ensure_ascii=False) + "\n"


def has_placeholder(context: Context) -> bool:
    """Whether the file says where the key is to be put."""
    return read_credentials(destination(context, PATH)).get(_entry(context, TOKEN)) == PLACEHOLDER


@pass_context
def missing_webhook(context: Context) -> str:
    """What to add to the credentials for Slack, as an update leaves them alone; empty if it is there."""
    webhook = _entry(context, WEBHOOK)
    if not context["alert_slack"] or webhook in read_credentials(destination(context, PATH)):
        return ""
    return f"Alerts go to Slack once {PATH} has the webhook's URL as {webhook} and the secrets are set again."


def _entry(context: Context, what: str) -> str:
    """The name of an entry of this account: all accounts of a repo have one file."""
    return f"{source_of(context.get_all())}_{what}"
