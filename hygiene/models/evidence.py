"""What is read from AWS on demand before somebody acts: use of one key by CloudTrail, and root credentials of a member account."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account
from hygiene.models.inventory import AccessKey


class RequestState(models.TextChoices):
    """A read that a worker does for somebody."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class UsageEvidence(models.Model):
    """One look into CloudTrail's event history and service last accessed for one key. An event proves use, none proves nothing."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, related_name="usage_evidence")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=RequestState, default=RequestState.QUEUED)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    regions = models.JSONField(default=list, blank=True)
    result = models.JSONField(default=dict, blank=True)  # see services.usage_evidence
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], condition=Q(state__in=["queued", "running"]), name="usage_evidence_one_open"),
        ]
        indexes: ClassVar = [models.Index(fields=["key", "-requested_at"], name="usage_evidence_newest")]

    def __str__(self) -> str:
        return f"usage of key {self.key_id}: {self.state}"


class RootInspection(models.Model):
    """One look at the root credentials of a member account through central root access."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="root_inspections")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=RequestState, default=RequestState.QUEUED)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict, blank=True)  # {"keys": […], "has_password", "certificates": […], "mfa_devices": […]}
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], condition=Q(state__in=["queued", "running"]), name="root_inspection_one_open"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-requested_at"], name="root_inspection_newest")]

    def __str__(self) -> str:
        return f"root of {self.account_id}: {self.state}"
