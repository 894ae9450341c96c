"""What holds changes back: approvals, the kill switch and breaker, protection, and alerts that somebody must see."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models

from accounts.models import Account
from hygiene.models.base import Viewer
from hygiene.models.inventory import Principal
from hygiene.models.plans import Plan


class Approval(models.Model):
    """One person's decision on one confirmed plan. It covers exactly the changes whose hash it carries, and lapses."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="approvals")
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approver_name = models.CharField(max_length=150)
    is_approved = models.BooleanField()
    comment = models.TextField(blank=True)
    change_hash = models.CharField(max_length=64)
    decided_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["plan", "approver", "change_hash"], name="approval_once")]

    def __str__(self) -> str:
        return f"{self.approver_name} {'approved' if self.is_approved else 'denied'} plan {self.plan_id}"


class ChangeSwitch(models.Model):
    """The one row that every claim of a change locks: kill switch and breaker. Counting caps under it cannot race."""

    is_killed = models.BooleanField(default=False)
    is_broken = models.BooleanField(default=False)  # the breaker: paused after too many failures
    reason = models.TextField(blank=True)
    set_by_name = models.CharField(max_length=150, blank=True)
    set_at = models.DateTimeField(null=True, blank=True)
    resumed_at = models.DateTimeField(null=True, blank=True)  # failures before it do not count any more

    class Meta:
        permissions: ClassVar = [
            ("stop_changes", "Can stop all changes at once"),
            ("resume_changes", "Can let changes go on"),
        ]

    def __str__(self) -> str:
        return "changes are stopped" if self.is_killed or self.is_broken else "changes may be made"


class ProtectionKind(models.TextChoices):
    """What is protected."""

    ARN = "arn", "a user ARN"
    TAG = "tag", "users with a tag"
    ACCOUNT = "account", "an account"
    KEY = "key", "an access key"


class Protection(models.Model):
    """Something that is never changed here: break-glass users, for example."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=8, choices=ProtectionKind)
    value = models.CharField(max_length=2048)
    reason = models.TextField()
    set_by_name = models.CharField(max_length=150)
    set_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "value"], name="protection_once")]

    def __str__(self) -> str:
        return f"protected {self.kind} {self.value}"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Filters that views and services share."""

    def visible_to(self, user: Viewer) -> AlertQuerySet:
        """Those of accounts in scope, and those of the installation."""
        return self.filter(models.Q(account__isnull=True) | models.Q(account__in=Account.objects.visible_to(user)))


class Alert(models.Model):
    """Something that happened which a person must look at; one row for each kind and subject until it is acknowledged."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="alerts")
    principal = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=32)  # "new_key_after_disable", "schedule_missed", "breaker", …
    subject = models.CharField(max_length=128)
    sentence = models.TextField()
    raised_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by_name = models.CharField(max_length=150, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject"], condition=models.Q(acknowledged_at__isnull=True), name="alert_once"),
        ]

    def __str__(self) -> str:
        return self.sentence
