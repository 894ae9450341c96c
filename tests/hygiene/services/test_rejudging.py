"""Verdicts that follow at once from what somebody looked up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from accounts.gateway import TrailEvent
from hygiene import tasks
from hygiene.models import AccessKey, Finding, Poll, Principal
from hygiene.services import policies, rejudging, usage_evidence
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
AGENTS = ("aws-sdk-go/1.44 app/billing", "Boto3/1.40 exec-env/AWS_Lambda_python3.12")


def test_a_look_into_cloudtrail_opens_what_it_shows(
    poll: Callable[[], Poll], world: FakeAwsAccount, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.user("lake")
    made = world.key("lake", created_at=world.now - timedelta(days=30), last_used_at=world.now - timedelta(days=1))
    poll()
    key = AccessKey.objects.get(principal__name="lake")
    assert not Finding.objects.filter(rule__in=("key.shared", "user.role_would_do")).exists()
    for agent in AGENTS:
        at = world.now - timedelta(hours=len(agent))
        called = TrailEvent(at, "us-east-1", "s3.amazonaws.com", "ListBuckets", "198.51.100.7", agent, made.access_key_id, "lake")
        world.extras.events.append(called)
    asked, _ = usage_evidence.request(key, actor=operator, now=world.now)
    monkeypatch.setattr(tasks, "trail_of", lambda look: world.gateway(look.key.account))
    tasks.look_into_trail.run(asked.pk)
    found = {finding.rule: finding for finding in Finding.objects.failing().filter(principal__name="lake")}
    assert found["key.shared"].explanation.startswith("The key is used by 2 applications: ")
    assert "AWS Lambda" in found["user.role_would_do"].explanation
    assert found["key.shared"].key == key


def test_who_is_gone_or_was_never_read_is_not_judged(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    world.user("lake")
    poll()
    Finding.objects.all().delete()
    user = Principal.objects.get(name="lake")
    Principal.objects.filter(pk=user.pk).update(gone_at=world.now)
    rejudging.rejudge_user(user.pk, book=policies.load(), now=world.now)
    rejudging.rejudge_user(0, book=policies.load(), now=world.now)
    assert not Finding.objects.exists()
