"""Copier's way in: executes the package afresh, under a name of its own, for each version rendered.

`copier update` renders the old and the new version in one process. Imported under one name, the old
version's modules would render the new one too.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from uuid import uuid4

spec = spec_from_file_location(f"klaviyo_{uuid4().hex}", Path(__file__).parent / "klaviyo/__init__.py")
assert spec and spec.loader
package = sys.modules[spec.name] = module_from_spec(spec)
spec.loader.exec_module(package)

KlaviyoExtension = package.KlaviyoExtension
