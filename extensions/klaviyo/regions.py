"""Tell where TD is, region by region: its console, and the API that `td` talks to."""

from __future__ import annotations

from typing import NamedTuple

from jinja2 import pass_context
from jinja2.runtime import Context


class Region(NamedTuple):
    """The addresses of a TD region."""

    console: str
    api: str


# Source: TD's page on its sites and endpoints.
REGIONS = {
    "us01": Region("console.treasuredata.com", "api.treasuredata.com"),
    "eu01": Region("console.eu01.treasuredata.com", "api.eu01.treasuredata.com"),
    "ap01": Region("console.treasuredata.co.jp", "api.treasuredata.co.jp"),
    "ap02": Region("console.ap02.treasuredata.com", "api.ap02.treasuredata.com"),
    "ap03": Region("console.ap03.treasuredata.com", "api.ap03.treasuredata.com"),
}
# People know the address of their console rather than the name of its region.
CONSOLES = {f"{region.console} ({name})": name for name, region in REGIONS.items()}


@pass_context
def console(context: Context) -> str:
    """The address of TD Console."""
    return f"https://{REGIONS[context['td_region']].console}"


@pass_context
def td(context: Context) -> str:
    """The command `td`, which is told where TD is unless that is us01, its own default."""
    region = context["td_region"]
    return "td" if region == "us01" else f"td -e https://{REGIONS[region].api}"
