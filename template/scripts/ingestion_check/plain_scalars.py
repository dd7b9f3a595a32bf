"""Tell what Digdag makes of a name without quotes in YAML: 0123 is the number 83."""

from __future__ import annotations

import re
from decimal import Decimal

_NOTHING = ("", "~", "null", "Null", "NULL")
_TRUE_OR_FALSE = ("true", "True", "false", "False")
_WHOLE = re.compile(r"0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0[0-7_]*|[1-9][0-9_]*")
_FLOAT = re.compile(r"(\.[0-9]+|[1-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]{1,3})?")
LONGEST = 128  # of TD's names


def is_text(name: str) -> bool:
    """Whether it stays text; yes and off do, which other readers of YAML take for true and false."""
    return not (
        name in _NOTHING or name in _TRUE_OR_FALSE or _WHOLE.fullmatch(name) or _FLOAT.fullmatch(name)
    )


def reading(name: str) -> str:
    """How the name arrives in SQL, by `${...}`, which writes it as JavaScript does; nothing arrives empty."""
    if name in _NOTHING:
        return ""
    if name in _TRUE_OR_FALSE:
        return name.lower()
    if is_text(name) or len(name) > LONGEST:
        return name
    digits = name.replace("_", "")
    whole = _WHOLE.fullmatch(name)
    number = float(int(re.sub(r"^0(?=[0-7])", "0o", digits), 0) if whole else digits)
    shown = repr(number)
    return str(int(Decimal(shown))) if number.is_integer() and number < 1e21 else shown
