"""R3: Redis is emptied, killed and frozen under the running demo: no change is lost, polls go on, pages can be read all the time."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo_process import until
from tests.faults.processes import ACCOUNT, OPERATOR, Estate, Visitor, seconds_until
from tests.faults.test_kills import ENDED

pytestmark = [pytest.mark.slow, pytest.mark.redis, pytest.mark.timeout(600), pytest.mark.xdist_group("estate")]
CHANGED_WITHIN, POLLED_WITHIN, PAGE_WITHIN = 120, 180, 10


def broker_of(estate: Estate) -> int:
    """Process id of the demo's Redis, which writes its title over its environment."""
    path = socket_of(estate)
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.encode() in entry.read_bytes():
                return int(entry.parent.name)
    pytest.skip("No redis-server was found, so no broker was lost.")


def socket_of(estate: Estate) -> str:
    """Where the demo's Redis listens."""
    return estate.environment()["CELERY_BROKER_URL"].removeprefix("redis+socket://")


def empty(estate: Estate) -> None:
    """FLUSHALL: every message that waits is lost."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(socket_of(estate))
        client.sendall(b"FLUSHALL\r\n")
        assert client.recv(100).startswith(b"+OK")


@pytest.fixture
def visitor(estate: Estate) -> Visitor:
    return Visitor(estate.demo.url, user=OPERATOR)


@pytest.fixture
def frozen_workers(estate: Estate) -> Iterator[list[int]]:
    """Workers of changes take no message until the test lets them."""
    group = estate.demo.worker_group("remediate")
    os.killpg(group, signal.SIGSTOP)
    yield [group]
    os.killpg(group, signal.SIGCONT)


def ask(estate: Estate) -> str:
    """A disable is asked for, as by the button; the key's id."""
    key_id = estate.active_key()
    code, words = estate.command("remediate", "disable", key_id, "--as", OPERATOR, "--reason", "unused", "--note", "broker test")
    assert code == 0, words
    return key_id


def settled(estate: Estate, key_id: str) -> bool:
    """In time, by one call."""
    seconds_until(lambda: estate.remediation(key_id)["state"] in ENDED, seconds=CHANGED_WITHIN, what="the change")
    assert estate.remediation(key_id)["state"] == "succeeded"
    assert len(estate.calls("UpdateAccessKey", AccessKeyId=key_id)) == 1
    return bool(estate.demo.aws(f"/_keys/{key_id}")["status"] == "Inactive")


def polled_again(estate: Estate) -> None:
    """A poll that is asked for now is done in time, whatever the broker lost."""
    before = len(estate.calls("GetAccountSummary"))
    of_account = "(select id from accounts_account where account_id = ?)"
    estate.write(f"update hygiene_accountstatus set next_poll_at = datetime('now') where account_id in {of_account}", ACCOUNT)  # noqa: S608
    seconds_until(lambda: len(estate.calls("GetAccountSummary")) > before, seconds=POLLED_WITHIN, what="a poll")


def test_messages_that_were_lost_lose_no_change(estate: Estate, frozen_workers: list[int]) -> None:
    key_id = ask(estate)
    empty(estate)
    os.killpg(frozen_workers[0], signal.SIGCONT)
    assert settled(estate, key_id)


def test_a_killed_broker_loses_no_change_and_no_page(estate: Estate, visitor: Visitor, frozen_workers: list[int]) -> None:
    key_id = ask(estate)
    killed = broker_of(estate)
    os.kill(killed, signal.SIGKILL)
    assert visitor.page("/keys/").status == 200
    os.killpg(frozen_workers[0], signal.SIGCONT)
    assert settled(estate, key_id)
    assert broker_of(estate) != killed
    polled_again(estate)


def test_a_broker_that_hangs_keeps_nobody_waiting(estate: Estate, visitor: Visitor) -> None:
    key_id = estate.active_key()
    key = estate.demo.rows("select uuid from hygiene_accesskey where access_key_id = ?", key_id)[0][0]
    broker = broker_of(estate)
    os.kill(broker, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert visitor.page("/keys/").status == 200
        page = visitor.post("/plans/new/", key=str(key), action="disable")
        confirmed = visitor.post(page.url_of_form, reason="unused", note="broker test", typed=key_id[-4:])
        waited = time.monotonic() - started
        assert confirmed.status == 200
    finally:
        os.kill(broker, signal.SIGCONT)
    assert waited <= PAGE_WITHIN
    until(lambda: bool(estate.remediation(key_id)), seconds=10, what="the request")
    assert settled(estate, key_id)
