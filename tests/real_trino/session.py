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
