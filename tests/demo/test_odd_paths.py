"""`manage.py remediate` on an AWS that checks session policies, for users whose paths hold what policies take for wildcards."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from demo.fake_aws import AwsAccount, AwsKey, AwsUser, Organization, Running, start
from demo.fake_aws.permissions import allows
from hygiene.models import AccessKey, Remediation
from hygiene.services import change_rules
from tests.factories import register

pytestmark = pytest.mark.django_db
NUMBER = "111122223333"
NOW = datetime.now(UTC).replace(microsecond=0)
PATHS = ("/*/", "/?/", "/${aws:username}/", "/a[b]*/<b>&amp;/", "/${*}$/")
WRITES = {"disable": "UpdateAccessKey", "enable": "UpdateAccessKey", "delete": "DeleteAccessKey"}


def organization() -> Organization:
    """One user for each path, and a namesake's neighbour below every pattern that its path could stand for."""
    born = NOW - timedelta(days=400)
    users = [AwsUser(f"odd-{place}", path=path, created_at=born, keys=[AwsKey(born)]) for place, path in enumerate(PATHS)]
    users += [AwsUser(f"plain-{place}", path="/x/", created_at=born, keys=[AwsKey(born)]) for place in range(3)]
    return Organization([AwsAccount(NUMBER, "payments", external_id="ours", users=users)], NOW)


@pytest.fixture
def aws(operator: User, administrator: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    settings.ALLOW_CUSTOM_AWS_ENDPOINT, settings.AWS_CALLS_PER_SECOND = True, 0
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-of-anybody")
    change_rules.save({"approvals_delete": 0, "account_day_disable": 100, "account_day_delete": 100}, actor=administrator, now=NOW)
    register(NUMBER, "payments", now=NOW, external_id="ours")
    with start(organization()) as running:
        running.world.report_seconds = 0
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        call_command("poll", NUMBER, stdout=StringIO())
        yield running


def remediate(action: str, key_id: str) -> str:
    out = StringIO()
    call_command("remediate", action, key_id, username="operator", reason="unused", here=True, wait=True, stdout=out)
    return out.getvalue()


def decoys(arn: str) -> set[str]:
    dice, head = random.Random(arn), f"arn:aws:iam::{NUMBER}:user/"
    paths = ("".join(dice.choices("ab*?${}[]<&:/x", k=dice.randint(0, 9))) for _ in range(1200))
    return ({f"{head}{path}/{arn.rsplit('/', 1)[1]}" for path in paths} | {arn + "x", arn.replace("user/", "user/x/")}) - {arn}


def test_a_key_of_each_odd_path_is_disabled_enabled_and_deleted_in_a_session_for_that_user_alone(aws: Running) -> None:
    for key in AccessKey.objects.filter(principal__name__startswith="odd-").select_related("principal").order_by("pk"):
        for action in ("disable", "enable", "disable"):
            assert "AWS confirmed it" in remediate(action, str(key.access_key_id)), (action, key.principal.arn)
        AccessKey.objects.filter(pk=key.pk).update(disabled_here_at=NOW - timedelta(days=20))
        assert "AWS confirmed it" in remediate("delete", str(key.access_key_id))
        assert aws.world.status_of(str(key.access_key_id)) is None
    written = [entry for action in ("UpdateAccessKey", "DeleteAccessKey") for entry in aws.world.calls(action)]
    assert len(written) == 4 * len(PATHS)
    for entry in written:
        row = _row_of(entry)
        assert entry["source_identity"] == "operator"
        others = decoys(row.user_arn) if row.action == "delete" else set()
        assert not [arn for arn in others if allows(entry["policy"], f"iam:{WRITES[row.action]}", arn)]
        assert allows(entry["policy"], f"iam:{WRITES[row.action]}", row.user_arn)
        assert "*" not in json.loads(entry["policy"])["Statement"][0]["Action"]
    assert {str(key.status) for key in AccessKey.objects.filter(principal__name__startswith="plain-")} == {"active"}


def _row_of(entry: dict[str, Any]) -> Remediation:
    """The change that the session's name leads to."""
    assert entry["session"].startswith("hygiene-operator-")
    return Remediation.objects.get(uuid__startswith=entry["session"].rsplit("-", 1)[1])
