"""The Trino of these tests ends with the process that started it, however that one ends."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from real_trino import server


def answers(url):
    try:
        return urllib.request.urlopen(f"{url}/v1/info", timeout=5).status == 200
    except OSError:
        return False


def test_a_server_ends_when_the_process_that_started_it_is_killed():
    command = [sys.executable, Path(server.__file__)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as starter:
        url = starter.stdout.readline().strip()
        assert answers(url)
        starter.kill()
    for _ in range(100):
        if not answers(url):
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} still answers")
