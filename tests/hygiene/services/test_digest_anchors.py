"""Each digest carries an anchor of the audit log in both of its parts, and the product remembers whom it gave which."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts import audit, audit_chain
from accounts.models import AuditAnchor, AuditEvent
from hygiene.domain.policy import resolve
from hygiene.services import digests
from hygiene.services.clock import Clock
from tests.factories import estate

pytestmark = pytest.mark.django_db


def test_a_digest_carries_the_anchor_that_the_walk_then_expects(operator: User) -> None:
    estate(3)
    now = timezone.now()
    audit.record(action="test.first", outcome="succeeded", now=now)
    subscription = digests.subscription_of(operator, now=now - timedelta(days=8))
    subscription.weekday, subscription.hour, subscription.minute = now.weekday(), 0, 0
    subscription.save()
    for pk in digests.claim_due(now=now):
        digests.send(pk, policy=resolve(), clock=Clock(now=lambda: now, sleep=lambda seconds: None, random=lambda: 0.5))
    (sent,) = mail.outbox
    given = AuditAnchor.objects.get()
    assert given.recipient == operator.email
    assert AuditEvent.objects.get(sequence=given.sequence).hash == given.hash
    assert isinstance(sent, EmailMultiAlternatives)
    assert str(given) in str(sent.body)
    assert str(given) in str(sent.alternatives[0][0])
    found = audit_chain.walk([(given.sequence, given.hash)])
    assert (found.broken, found.anchors) == ("", 1)
