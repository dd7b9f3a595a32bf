"""Text as YAML takes it."""

from __future__ import annotations

import json

import yaml

from .ingestion_check.digdag_yaml import LOADER
from .ingestion_check.plain_scalars import is_text


def quoted(value: str) -> str:
    """Text as a double-quoted scalar, whatever is in it."""
    return json.dumps(value, ensure_ascii=False)


def in_yaml(value: str) -> str:
    """Text as a scalar, quoted only where Digdag, or YAML 1.1, would take it for something else."""
    return value if is_text(value) and _is_plain(value) else quoted(value)


def _is_plain(value: str) -> bool:
    """Whether YAML 1.1 reads it, in a list too, as this text."""
    try:
        found = yaml.compose(f"[{value}]", Loader=LOADER)
    except (yaml.YAMLError, ValueError):
        return False
    nodes = found.value if isinstance(found, yaml.SequenceNode) else []
    return [(node.tag.rpartition(":")[2], node.value) for node in nodes] == [("str", value)]
