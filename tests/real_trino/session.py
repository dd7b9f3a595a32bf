"""Start, for pytest, the Trino that TRINO names, once for all test processes; unless TRINO_URL has one."""

import os
from contextlib import ExitStack

import pytest
from real_trino.server import Missing, running


def pytest_configure(config):
    if os.environ.get("TRINO_URL"):
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    try:
        url = stack.enter_context(running(os.environ["TRINO"]))
    except Missing as missing:
        raise pytest.UsageError(missing) from None
    # Test processes are started after this, and inherit it.
    stack.enter_context(pytest.MonkeyPatch.context()).setenv("TRINO_URL", url)


def pytest_collection_modifyitems(config, items):
    """Of the tests that run without Trino too, run every second, or all of them: as EVERY says."""
    elsewhere = [item for item in items if item.path.parent.name != "real_trino"]
    left_out = {item for number, item in enumerate(elsewhere) if number % int(os.environ.get("EVERY") or 1)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
