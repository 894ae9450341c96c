"""Findings, accounts to be judged again, and the day's posture. All is derived from facts by services; no view edits a row."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import Account
from hygiene.domain.verdicts import Severity
from hygiene.models.base import Viewer, in_sight
from hygiene.models.inventory import AccessKey, Principal


class FindingOutcome(models.TextChoices):
    """Why a finding is open. Pass and not-applicable leave no row."""

    FAIL = "fail", "fail"
    EXEMPT = "exempt", "exempt"
    UNKNOWN = "unknown", "unknown"


class FindingQuerySet(models.QuerySet["Finding"]):
    """Filters that views, services and exports share."""

    def visible_to(self, user: Viewer) -> FindingQuerySet:
        """Findings of accounts in the user's scope, removed ones left out."""
        return in_sight(self, user)

    def open(self) -> FindingQuerySet:
        """Not resolved: failing, exempt or unknown."""
        return self.filter(resolved_at__isnull=True)

    def failing(self) -> FindingQuerySet:
        """Open, known and not exempt: what needs somebody."""
        return self.open().filter(outcome=FindingOutcome.FAIL)


class Finding(models.Model):
    """One rule that one subject does not pass. At most one open finding for a subject and rule."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="findings")
    principal = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.CASCADE, related_name="findings")
    key = models.ForeignKey(AccessKey, null=True, blank=True, on_delete=models.CASCADE, related_name="findings")
    subject = models.CharField(max_length=32)  # "account", "principal:12" or "key:34": what is unique also where a relation is empty
    rule = models.CharField(max_length=48)
    rule_version = models.PositiveSmallIntegerField(default=1)
    profile = models.CharField(max_length=32)
    outcome = models.CharField(max_length=16, choices=FindingOutcome)
    severity = models.PositiveSmallIntegerField(choices=[(s.value, s.word) for s in Severity])
    explanation = models.TextField()
    comparison = models.CharField(max_length=255, blank=True)
    numbers = models.JSONField(default=dict, blank=True)  # the rule's numbers as they held
    set_in = models.CharField(max_length=160, blank=True)  # where they were set: "profile default", "tag app=lake", …
    exemption = models.ForeignKey("hygiene.Exemption", null=True, blank=True, on_delete=models.SET_NULL, related_name="findings")
    evidence = models.JSONField(default=list, blank=True)  # list of {"name", "value", "observed_at", "source"}
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=64, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "subject", "rule"], condition=Q(resolved_at__isnull=True), name="finding_one_open"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "rule"], condition=Q(resolved_at__isnull=True), name="finding_open_by_rule"),
            models.Index(fields=["rule"], condition=Q(resolved_at__isnull=True, outcome="exempt"), name="finding_exempt"),
            models.Index(
                fields=["-severity", "rule", "opened_at", "id"],
                condition=Q(resolved_at__isnull=True, outcome="fail"),
                name="finding_worst_first",
            ),
            models.Index(fields=["outcome"], condition=Q(resolved_at__isnull=True), name="finding_open_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.outcome} since {self.opened_at:%Y-%m-%d}"


class DueJudgement(models.Model):
    """An account to be judged again without AWS, since what its verdicts rest on was told by the poll of another account.

    A row of its own, which no poll of the account overwrites. It goes in the transaction that judges: what was not judged is still due.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="due_judgement", primary_key=True)
    due_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.account_id} is to be judged again since {self.due_at:%H:%M:%S}"


class DailyPosture(models.Model):
    """Counts of one account on one UTC day, as of the day's last evaluation. A day without a report has no row: gaps stay gaps."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="posture")
    day = models.DateField(db_index=True)
    measured_at = models.DateTimeField()
    users = models.PositiveIntegerField(default=0)
    console_users = models.PositiveIntegerField(default=0)
    active_keys = models.PositiveIntegerField(default=0)
    root_keys = models.PositiveIntegerField(default=0)
    never_used = models.PositiveIntegerField(default=0)
    unused_45 = models.PositiveIntegerField(default=0)
    unused_90 = models.PositiveIntegerField(default=0)
    over_age = models.PositiveIntegerField(default=0)
    no_mfa = models.PositiveIntegerField(default=0)
    exempt = models.PositiveIntegerField(default=0)
    keys_eliminated = models.PositiveIntegerField(default=0)  # keys gone from AWS since the first report, in all
    findings_open = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "day"], name="posture_once_a_day")]

    def __str__(self) -> str:
        return f"posture of {self.account_id} on {self.day}"
