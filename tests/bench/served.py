"""The fake AWS in a process of its own, its accounts in the registry, and one run of `manage.py poll` over them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Account
from demo.fake_aws import Fault, Organization
from hygiene.supervisor import answers, free_port

LATENCY_MS = 30


class Served:
    """The fake AWS; everything in this process then asks it."""

    def __init__(self, accounts: int, users: int, *, prefix: str) -> None:
        self.port = free_port()
        words = [sys.executable, "-m", "tests.bench.aws_process", "--port", str(self.port), "--latency-ms", str(LATENCY_MS)]
        self.process = subprocess.Popen(
            [*words, "--accounts", str(accounts), "--users", str(users), "--prefix", prefix], start_new_session=True
        )
        while not answers(self.port):
            assert self.process.poll() is None, "the fake AWS does not start"
            time.sleep(0.1)
        self.url = f"http://127.0.0.1:{self.port}"
        os.environ["AWS_ENDPOINT_URL"] = self.url

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)

    def fail(self, fault: Fault) -> None:
        """Set a fault."""
        urllib.request.urlopen(f"{self.url}/_faults", json.dumps(asdict(fault)).encode()).close()  # noqa: S310  # our own loopback server

    def log(self) -> list[dict[str, Any]]:
        """Every call so far, with the time of its answer."""
        with urllib.request.urlopen(f"{self.url}/_log") as answer:  # noqa: S310  # as above
            told: list[dict[str, Any]] = json.load(answer)
        return told


def register(estate: Organization) -> None:
    """The accounts, as `import_accounts` would leave them."""
    now = timezone.now()
    Account.objects.bulk_create(
        Account(
            account_id=account.number,
            name=account.name,
            read_role_arn=account.role_arn(account.read_role),
            external_id=account.external_id,
            created_at=now,
            updated_at=now,
        )
        for account in estate.accounts
    )


def poll(prefix: str, slots: int) -> float:
    """Seconds of `manage.py poll --jobs SLOTS` over accounts whose number begins so; that some fail is no matter."""
    numbers = Account.objects.filter(account_id__startswith=prefix).values_list("account_id", flat=True)
    started = time.perf_counter()
    with contextlib.suppress(CommandError):
        call_command("poll", *numbers, jobs=slots, stdout=StringIO(), stderr=StringIO())
    return time.perf_counter() - started
