"""The pace of one account over processes, by Redis."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hygiene import embedded_broker
from tests.demo_process import until

pytestmark = pytest.mark.redis
WORK = """
import sys
from accounts.pace import pacer
one = pacer("111122223333", rate=50, broker_url=sys.argv[1], burst=0.1)
for _ in range(40):
    one.acquire()
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    executable = embedded_broker.find()
    if executable is None:
        pytest.skip("no redis-server was found")
    process = subprocess.Popen(embedded_broker.argv(executable, tmp_path))
    until(embedded_broker.socket_of(tmp_path).exists, seconds=10, what="Redis")
    yield embedded_broker.url(tmp_path)
    process.terminate()
    process.wait(10)


def test_three_processes_share_one_pace(broker: str) -> None:
    began = time.monotonic()
    processes = [subprocess.Popen([sys.executable, "-c", WORK, broker]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert time.monotonic() - began >= (3 * 40 - 1) / 50 - 0.1
