"""A hundred accounts of 200 users over HTTP at a stated latency, polled with 16 slots, beside the same calls in plain boto3 threads."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from demo.fake_aws import AwsAccount
from hygiene.models import AccessKey, Poll
from tests.bench.estate import ACCOUNTS, USERS, organization
from tests.bench.figures import Figures
from tests.bench.served import LATENCY_MS, Served, poll, register

SLOTS = 16


def run(figures: Figures, *, accounts: int = ACCOUNTS) -> None:
    """The API calls alone, then the product's first poll and an unchanged second one, each AWS fresh."""
    figures.title(f"{accounts} accounts x {USERS} users, {LATENCY_MS} ms AWS latency, pace off, {SLOTS} slots")
    estate = organization(accounts)
    with Served(accounts, USERS, prefix="2"):
        started = time.perf_counter()
        with ThreadPoolExecutor(SLOTS) as pool:
            calls = sum(pool.map(calls_alone, estate.accounts))
        alone = time.perf_counter() - started
    figures.say(f"the API calls alone, plain boto3 in {SLOTS} threads", f"{alone:.1f} s")
    register(estate)
    with Served(accounts, USERS, prefix="2"):
        first, second = poll("2", SLOTS), poll("2", SLOTS)
        figures.say("API calls: alone / by the first poll", f"{calls:,} / {_calls(0):,}")
        figures.say("first poll", f"{first:.1f} s")
        figures.say("unchanged second poll", f"{second:.1f} s")
        figures.at_most("first poll, in times of the calls alone", first / alone, 1.5, " x")
        figures.at_least("first poll, in times of the unchanged second", first / second, 8, " x")
    held = AccessKey.objects.filter(account__account_id__startswith="2", principal__is_root=False)  # AWS lists no ids of root's
    figures.at_least("keys of users that have their ids", held.filter(access_key_id__isnull=False).count() / held.count() * 100, 100, " %")


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
    calls = 9
    iam.get_account_summary()
    iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")
    while iam.generate_credential_report()["State"] != "COMPLETE":
        calls += 1
    iam.get_credential_report()
    for user in account.users:
        iam.list_access_keys(UserName=user.name)
    iam.list_users(MaxItems=1000)
    _details(session, iam, given, quiet)
    return calls + 1 + len(account.users)


def _details(session: boto3.Session, iam: Any, given: Any, config: Config) -> None:
    """What a poll reads beside the report once a day."""
    with contextlib.suppress(iam.exceptions.NoSuchEntityException):
        iam.get_account_password_policy()
    organizations = session.client(
        "organizations",
        config=config,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    with contextlib.suppress(ClientError):
        organizations.describe_organization()
    iam.get_account_authorization_details(MaxItems=1000)
    iam.list_service_specific_credentials(AllUsers=True)


_core = botocore.session.get_session()


def _calls(place: int) -> int:
    """API calls of the first (0) or a later poll of every account."""
    found: dict[int, list[int]] = {}
    for row in Poll.objects.filter(account__account_id__startswith="2").order_by("pk"):
        found.setdefault(row.account_id, []).append(row.calls)
    return sum(calls[place] for calls in found.values())
