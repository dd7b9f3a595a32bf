"""What the tests on a real Trino share. Without TRINO it is the version that DELETE can be tried on."""

import os

os.environ.setdefault("TRINO", "406")
pytest_plugins = ["real_trino.session"]
