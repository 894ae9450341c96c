"""Requested changes to AWS, one row each, and notices to owners about them. The row is the truth; a task is a wake-up."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account
from hygiene.domain import facts
from hygiene.models.base import Viewer, choices
from hygiene.models.inventory import AccessKey, Principal
from hygiene.models.plans import Action, Plan, Reason, TargetKind


class State(models.TextChoices):
    """How far a change is (docs/architecture.md, "One change to AWS"). `OPEN_STATES` are those that still have a next step."""

    REQUESTED = "requested", "requested"
    AWAITING_APPROVAL = "awaiting_approval", "awaiting approval"
    APPROVED = "approved", "approved"
    CLAIMED = "claimed", "claimed"
    CHECKED = "checked", "checked"
    CALLING = "calling", "calling AWS"
    VERIFYING = "verifying", "verifying"
    UNKNOWN = "unknown", "outcome unknown, being read"
    SUCCEEDED = "succeeded", "succeeded"
    SUCCEEDED_OBSERVED = "succeeded_observed", "succeeded, seen by reading"
    FAILED = "failed", "failed"
    REFUSED = "refused", "refused"
    NOT_APPLIED = "not_applied", "not applied"
    NEEDS_HUMAN = "needs_human", "needs a person"
    DENIED = "denied", "denied"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired"


WAITING_STATES = (State.REQUESTED, State.AWAITING_APPROVAL, State.APPROVED)
RUNNING_STATES = (State.CLAIMED, State.CHECKED, State.CALLING, State.VERIFYING, State.UNKNOWN)
OPEN_STATES = WAITING_STATES + RUNNING_STATES
SUCCESS_STATES = (State.SUCCEEDED, State.SUCCEEDED_OBSERVED)


class RemediationQuerySet(models.QuerySet["Remediation"]):
    """Filters that views and services share."""

    def visible_to(self, user: Viewer) -> RemediationQuerySet:
        """Remediations in accounts of the user's scope."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def open(self) -> RemediationQuerySet:
        """With a next step still to come."""
        return self.filter(state__in=OPEN_STATES)


class Remediation(models.Model):
    """One requested change to one credential, what was seen when it was requested, and what came of it."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="remediations")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="remediations")
    principal = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="remediations")
    key = models.ForeignKey(AccessKey, null=True, blank=True, on_delete=models.PROTECT, related_name="remediations")
    target_kind = models.CharField(max_length=16, choices=TargetKind, default=TargetKind.ACCESS_KEY)
    target_id = models.CharField(max_length=256, blank=True)  # access key id, certificate id or MFA serial; empty for a password
    access_key_id = models.CharField(max_length=128, blank=True)
    user_name = models.CharField(max_length=128)
    user_arn = models.CharField(max_length=2048)
    action = models.CharField(max_length=32, choices=Action)
    state = models.CharField(max_length=24, choices=State, default=State.REQUESTED)
    seen_status = models.CharField(max_length=16, choices=choices(facts.KeyStatus), blank=True)
    seen_created_at = models.DateTimeField(null=True, blank=True)
    seen_last_used_state = models.CharField(max_length=16, choices=choices(facts.UseState), default=facts.UseState.UNKNOWN)
    seen_last_used_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=24, choices=Reason)
    note = models.TextField(blank=True)
    ticket = models.CharField(max_length=128, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_by_name = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    undo_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by")
    ticked = models.JSONField(default=list, blank=True)  # codes of the cautions that were ticked
    is_early = models.BooleanField(default=False)  # a deletion before the waiting time is over
    needs_second_person = models.BooleanField(default=False)
    second_look_at = models.DateTimeField(null=True, blank=True)  # when the user's keys are listed once more
    second_looked_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(db_index=True)  # when the next step may be taken
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # claims so far
    reads_after = models.PositiveSmallIntegerField(default=0)  # settling reads so far, in UNKNOWN
    called_at = models.DateTimeField(null=True, blank=True)  # committed before the socket opens
    second_called_at = models.DateTimeField(null=True, blank=True)  # the same for the second call of a change that takes two
    finished_at = models.DateTimeField(null=True, blank=True)
    result_code = models.CharField(max_length=48, blank=True)  # refusal or AWS error code
    result = models.TextField(blank=True)  # one sentence
    live_before = models.JSONField(default=dict, blank=True)
    live_after = models.JSONField(default=dict, blank=True)
    correlation_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    aws_request_id = models.CharField(max_length=128, blank=True)

    objects = RemediationQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("view_inventory", "Can see the inventory and its findings"),
            ("poll_now", "Can start a poll"),
            ("request_change", "Can plan and request disable and enable"),
            ("request_deletion", "Can request deletions"),
            ("request_root_removal", "Can request removal of root credentials"),
            ("approve_change", "Can approve or deny the requests of others"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["principal", "target_kind", "target_id"], condition=Q(state__in=OPEN_STATES), name="remediation_one_open_per_target"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "due_at"], name="remediation_due"),
            models.Index(fields=["called_at"], name="remediation_called"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_id or self.user_name}: {self.state}"

    @property
    def this_key(self) -> AccessKey:
        """The access key of a change that is about one; LookupError for any other."""
        if self.key is None:
            raise LookupError(f"{self} is not about an access key of a user")
        return self.key

    @property
    def is_scheduled(self) -> bool:
        """Whether it waits for the day of its campaign. Its plan must be loaded."""
        return self.state in WAITING_STATES and self.plan.run_at is not None and self.due_at >= self.plan.run_at

    @property
    def is_open(self) -> bool:
        """Whether a next step is still to come."""
        return self.state in OPEN_STATES


class NoticeKind(models.TextChoices):
    """When an owner is told."""

    FIRST = "first", "at once"
    SEVEN_DAYS = "seven_days", "7 days before"
    ONE_DAY = "one_day", "1 day before"
    DONE = "done", "after it was done"
    ASK = "ask", "asked whether it is in use"


class NoticeState(models.TextChoices):
    """What became of a notice; an uncertain one is never sent again by itself."""

    CLAIMED = "claimed", "still to be sent"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
    UNCERTAIN = "uncertain", "uncertain: the sender died while sending"


class OwnerNotice(models.Model):
    """One mail to one owner about the credentials of one plan, claimed before it is sent, and the owner's answer."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    key = models.ForeignKey(AccessKey, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")  # of a single question
    owner = models.CharField(max_length=254)
    kind = models.CharField(max_length=16, choices=NoticeKind)
    cycle = models.PositiveSmallIntegerField(default=1)  # counts anew when warnings start again
    state = models.CharField(max_length=16, choices=NoticeState, default=NoticeState.CLAIMED)
    claimed_at = models.DateTimeField()
    try_at = models.DateTimeField(null=True, blank=True)  # not before, as the mail server could not be asked
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    answer = models.CharField(max_length=16, blank=True)  # "in_use", "disable_now", "not_mine"
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by_name = models.CharField(max_length=150, blank=True)
    answer_note = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "owner", "kind", "cycle"], condition=Q(plan__isnull=False), name="owner_notice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} notice to {self.owner}: {self.state}"
