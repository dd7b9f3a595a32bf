"""Import the modules of this folder, which makes their gates known, and put these in order."""

from importlib import import_module
from pkgutil import iter_modules

from ..gate import GATES

for found in iter_modules(__path__):
    import_module(f"{__name__}.{found.name}")

# An update that was left half done makes files unreadable, and of these no other gate can tell anything.
FIRST = ("update-finished", "files-readable")
GATES.sort(key=lambda gate: (*(gate.id != first for first in FIRST), gate.find.__module__))
