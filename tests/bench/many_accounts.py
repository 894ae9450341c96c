"""A hundred accounts of 200 users over HTTP at a stated latency, polled with 16 slots, beside the same calls in plain boto3 threads."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import boto3
import botocore.session
from botocore.config import Config
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Account
from demo.fake_aws import AwsAccount, Organization
from hygiene.models import AccessKey, Poll
from hygiene.supervisor import answers, free_port
from tests.bench.estate import ACCOUNTS, USERS, organization
from tests.bench.figures import Figures

SLOTS, LATENCY_MS = 16, 30


class Served:
    """The fake AWS in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        words = [sys.executable, "-m", "tests.bench.aws_process", "--port", str(self.port), "--latency-ms", str(LATENCY_MS)]
        self.process = subprocess.Popen(words, start_new_session=True)
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


def run(figures: Figures, *, accounts: int = ACCOUNTS) -> None:
    """The API calls alone, then the product's first poll and an unchanged second one, each AWS fresh."""
    figures.title(f"{accounts} accounts x {USERS} users, {LATENCY_MS} ms AWS latency, pace off, {SLOTS} slots")
    estate = organization(accounts)
    with Served():
        started = time.perf_counter()
        with ThreadPoolExecutor(SLOTS) as pool:
            calls = sum(pool.map(calls_alone, estate.accounts))
        alone = time.perf_counter() - started
    figures.say(f"the API calls alone, plain boto3 in {SLOTS} threads", f"{alone:.1f} s")
    _register(estate)
    with Served():
        first, second = _poll(), _poll()
        figures.say("API calls: alone / by the first poll", f"{calls:,} / {_calls(0):,}")
        figures.say("first poll", f"{first:.1f} s")
        figures.say("unchanged second poll", f"{second:.1f} s")
        figures.at_most("first poll, in times of the calls alone", first / alone, 1.5, " x")
        figures.at_least("first poll, in times of the unchanged second", first / second, 8, " x")
    named = AccessKey.objects.filter(access_key_id__isnull=False).count()
    figures.at_least("keys that have their ids", named / AccessKey.objects.count() * 100, 100, " %")


def calls_alone(account: AwsAccount) -> int:
    """What a first poll asks of one account, and nothing else."""
    session = boto3.Session(botocore_session=_core, region_name="us-east-1")
    quiet = Config(retries={"total_max_attempts": 5, "mode": "standard"})
    given = session.client("sts", config=quiet).assume_role(
        RoleArn=account.role_arn(account.read_role), RoleSessionName="bench", ExternalId=account.external_id
    )["Credentials"]
    iam = session.client(
        "iam",
        config=quiet,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    calls = 4
    iam.get_account_summary()
    iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")
    while iam.generate_credential_report()["State"] != "COMPLETE":
        calls += 1
    iam.get_credential_report()
    for user in account.users:
        iam.list_access_keys(UserName=user.name)
    return calls + 1 + len(account.users)


_core = botocore.session.get_session()


def _register(estate: Organization) -> None:
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


def _poll() -> float:
    """Seconds of `manage.py poll --jobs 16`."""
    started = time.perf_counter()
    call_command(
        "poll", *Account.objects.filter(account_id__startswith="2").values_list("account_id", flat=True), jobs=SLOTS, stdout=StringIO()
    )
    return time.perf_counter() - started


def _calls(place: int) -> int:
    """API calls of the first (0) or a later poll of every account."""
    found: dict[int, list[int]] = {}
    for poll in Poll.objects.filter(account__account_id__startswith="2").order_by("pk"):
        found.setdefault(poll.account_id, []).append(poll.calls)
    return sum(calls[place] for calls in found.values())
