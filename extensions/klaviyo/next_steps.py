"""What a person is told to do with what was written."""

from __future__ import annotations

import shlex
from pathlib import Path

from jinja2 import pass_context
from jinja2.runtime import Context

from .answers import objects_to_load
from .catalogue import CATALOGUE
from .credentials import missing_webhook
from .destination import destination
from .schedules import freshness_warning


@pass_context
def into_git(context: Context) -> list[str]:
    """The commands that commit the repo, from where Copier was started."""
    folder = destination(context, "").resolve()
    is_in_git = any((each / ".git").exists() for each in (folder, *folder.parents))
    there = str(context["_copier_conf"]["dst_path"])
    return [
        *([f"cd {shlex.quote(there)}"] if folder != Path.cwd() else []),
        ("" if is_in_git else "git init && ") + 'git add --all . && git commit -m "Klaviyo ingestion"',
    ]


@pass_context
def neighbours(context: Context) -> list[str]:
    """What a first copy should say of the other workflows that a push takes along."""
    there = destination(context, "ingestion").glob("*.dig")
    others = sorted(file.name for file in there if not file.name.startswith("klaviyo_"))
    return [
        f"ingestion/ has {name} too, so td_project must be the project that it is pushed to, and not "
        f"{context['td_project']!r} unless it is that: from two projects its schedule would run twice."
        for name in others[:1]
    ]


@pass_context
def notes(context: Context) -> list[str]:
    """What is as it was asked for, but should be looked at."""
    documented = [known.data_source for known in CATALOGUE]
    undocumented = [
        f"custom_objects: the connector is documented for {', '.join(documented)}, and not for "
        f"{each.data_source}: {context['source']}_preflight tells whether it has it."
        for each in objects_to_load(context)
        if each.data_source not in documented
    ]
    asked = (
        freshness_warning(context["freshness_hours"], context["schedule"], context["source"]),
        missing_webhook(context),
    )
    return [*undocumented, *(note for note in asked if note)]
