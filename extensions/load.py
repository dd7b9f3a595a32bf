"""Let Copier in: execute the package once for each version rendered, under a name of its own.

`copier update` renders the old and the new version in one process, each from a clone of its own, and the new
one twice. Imported under one name, the old version's modules would render the new one too; a name made of all
that tells versions apart lets the renderings of one version share it, and what it keeps. The clone that it
came from may be gone by then, so that nothing in it imports a module only when it is needed; and bytecode
kept there would be read by nobody.
"""

import sys
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[1]
modules = sorted([*ROOT.glob("extensions/klaviyo/*.py"), *ROOT.glob("template/scripts/**/*.py")])
contents = [(file.name, file.read_bytes()) for file in (ROOT / "copier.yml", *modules)]
names = sorted(file.name for file in ROOT.glob("template/**/*{{ source }}_*"))  # an account may not have one
name = f"klaviyo_{sha256(repr((contents, names)).encode()).hexdigest()}"
if name not in sys.modules:
    spec = spec_from_file_location(name, ROOT / "extensions/klaviyo/__init__.py")
    assert spec and spec.loader
    sys.modules[name] = module_from_spec(spec)
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(sys.modules[name])
    finally:
        sys.dont_write_bytecode = kept

KlaviyoExtension = sys.modules[name].KlaviyoExtension
