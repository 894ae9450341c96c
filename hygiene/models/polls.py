"""Polls: each attempt to read an account, which is also its result record, and the presses of "Poll now"."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account
from hygiene.models.base import Viewer


class PollRequest(models.Model):
    """One press of "Poll now" or one run of the command: the polls it started or joined, for its progress line."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"poll request {self.uuid}"


class PollOutcome(models.TextChoices):
    """How a poll ended. Only COMPLETE and PARTIAL changed the inventory."""

    NONE = "", "not finished"
    COMPLETE = "complete", "complete"
    PARTIAL = "partial", "partial"  # rows quarantined, or the live lists were not permitted or not finished
    NOT_READY = "not_ready", "report not ready"
    REJECTED = "rejected", "report rejected"
    ACCESS_LOST = "access_lost", "access lost"
    FAILED = "failed", "failed"
    ABANDONED = "abandoned", "abandoned"  # the worker died; its lease ran out


class PollTrigger(models.TextChoices):
    """Why a poll ran."""

    SCHEDULE = "schedule", "schedule"
    MANUAL = "manual", "Poll now"
    COMMAND = "command", "command"


class PollQuerySet(models.QuerySet["Poll"]):
    """Filters that views and services share."""

    def unfinished(self) -> PollQuerySet:
        """Queued or running polls: at most one for each account."""
        return self.filter(finished_at__isnull=True)

    def visible_to(self, user: Viewer) -> PollQuerySet:
        """Polls of accounts in the user's scope."""
        return self.filter(account__in=Account.objects.visible_to(user))


class Poll(models.Model):
    """One attempt to read one account; the attempt is the result record. Queued until `started_at`, then leased."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="polls")
    request = models.ForeignKey(PollRequest, null=True, blank=True, on_delete=models.SET_NULL, related_name="polls")
    trigger = models.CharField(max_length=16, choices=PollTrigger, default=PollTrigger.SCHEDULE)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)
    phase = models.CharField(max_length=24, blank=True)  # "report", "recording", "listing keys"
    outcome = models.CharField(max_length=16, choices=PollOutcome, default=PollOutcome.NONE, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)  # one sentence for an operator
    aws_request_id = models.CharField(max_length=128, blank=True)
    report_generated_at = models.DateTimeField(null=True, blank=True)
    report_sha256 = models.CharField(max_length=64, blank=True)
    warnings = models.JSONField(default=list, blank=True)  # sentences
    users_total = models.PositiveIntegerField(default=0)
    users_changed = models.PositiveIntegerField(default=0)
    users_listed = models.PositiveIntegerField(default=0)
    rows_quarantined = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)

    objects = PollQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], condition=Q(finished_at__isnull=True), name="poll_one_unfinished"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-queued_at"], name="poll_history")]

    def __str__(self) -> str:
        return f"poll {self.pk} of {self.account_id}: {self.outcome or self.phase or 'queued'}"
