"""Frozen plans: what a person was shown before confirming. Confirmed, a plan is a run: the remediations it became."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models

from hygiene.domain import facts
from hygiene.models.base import choices
from hygiene.models.inventory import AccessKey, Principal


class Action(models.TextChoices):
    """What is done to one credential."""

    DISABLE = "disable", "Disable"
    ENABLE = "enable", "Enable"
    DELETE = "delete", "Delete"
    DELETE_PASSWORD = "delete_password", "Delete console password"  # a word
    DEACTIVATE_CERTIFICATE = "deactivate_certificate", "Deactivate certificate"
    ACTIVATE_CERTIFICATE = "activate_certificate", "Activate certificate"
    DELETE_CERTIFICATE = "delete_certificate", "Delete certificate"
    DELETE_ROOT_KEY = "delete_root_key", "Delete root access key"
    DELETE_ROOT_PASSWORD = "delete_root_password", "Delete root password"  # a word
    DELETE_ROOT_CERTIFICATE = "delete_root_certificate", "Delete root certificate"
    DEACTIVATE_ROOT_MFA = "deactivate_root_mfa", "Deactivate root MFA"


class TargetKind(models.TextChoices):
    """What kind of credential a change is about; with its id it is unique for a principal."""

    ACCESS_KEY = "access_key", "access key"
    PASSWORD = "password", "console password"  # a word
    CERTIFICATE = "certificate", "signing certificate"
    MFA_DEVICE = "mfa_device", "MFA device"


TARGETS = {
    Action.DISABLE: TargetKind.ACCESS_KEY,
    Action.ENABLE: TargetKind.ACCESS_KEY,
    Action.DELETE: TargetKind.ACCESS_KEY,
    Action.DELETE_PASSWORD: TargetKind.PASSWORD,
    Action.DEACTIVATE_CERTIFICATE: TargetKind.CERTIFICATE,
    Action.ACTIVATE_CERTIFICATE: TargetKind.CERTIFICATE,
    Action.DELETE_CERTIFICATE: TargetKind.CERTIFICATE,
    Action.DELETE_ROOT_KEY: TargetKind.ACCESS_KEY,
    Action.DELETE_ROOT_PASSWORD: TargetKind.PASSWORD,
    Action.DELETE_ROOT_CERTIFICATE: TargetKind.CERTIFICATE,
    Action.DEACTIVATE_ROOT_MFA: TargetKind.MFA_DEVICE,
}
KEY_ACTIONS = (Action.DISABLE, Action.ENABLE, Action.DELETE)
ROOT_ACTIONS = (Action.DELETE_ROOT_KEY, Action.DELETE_ROOT_PASSWORD, Action.DELETE_ROOT_CERTIFICATE, Action.DEACTIVATE_ROOT_MFA)

IRREVERSIBLE = (Action.DELETE, Action.DELETE_PASSWORD, Action.DELETE_CERTIFICATE, *ROOT_ACTIONS)


class Reason(models.TextChoices):
    """Why; OTHER needs a note."""

    UNUSED = "unused", "Unused"
    OWNER_CONFIRMED = "owner-confirmed", "Owner confirmed"
    SUSPECTED_LEAK = "suspected-leak", "Suspected leak"
    LEAVER = "leaver", "Leaver"
    UNDO = "undo", "Undo"
    OTHER = "other", "Other"


class Plan(models.Model):
    """A frozen list of changes that one person has been shown. Confirmed at most once, then it is used up."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    action = models.CharField(max_length=32, choices=Action)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    query = models.TextField(blank=True)  # the filter line it was resolved from, if any
    is_all_matching = models.BooleanField(default=False)  # resolved from the query, not from boxes
    reason = models.CharField(max_length=24, choices=Reason, blank=True)
    note = models.TextField(blank=True)
    ticket = models.CharField(max_length=128, blank=True)
    run_at = models.DateTimeField(null=True, blank=True)  # a campaign: not before; empty: at once
    grace_days = models.PositiveSmallIntegerField(default=0)  # of a campaign: between its confirmation and its act
    notifies_owners = models.BooleanField(default=False)
    cycle = models.PositiveSmallIntegerField(default=1)  # counts anew when warnings start again
    warned = models.JSONField(default=list, blank=True)  # list of {"cycle", "kind", "at", "owners"}: warnings of owners that were begun
    told_at = models.DateTimeField(null=True, blank=True)  # when owners were told what came of it
    undo_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by")
    approvals_needed = models.PositiveSmallIntegerField(default=0)
    approval_why = models.TextField(blank=True)
    change_hash = models.CharField(max_length=64, blank=True)  # of exactly what approvals cover

    def __str__(self) -> str:
        return f"plan {self.uuid} to {self.action}"


class Disposition(models.TextChoices):
    """What a plan will do with one credential."""

    WILL_DO = "will_do", "will be done"
    IN_USE = "in_use", "used in the last 90 days"
    SKIPPED = "skipped", "skipped"


class PlanItem(models.Model):
    """One credential of a plan with what the person saw of it: compared with live AWS just before the change."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="items")
    principal = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="plan_items")
    key = models.ForeignKey(AccessKey, null=True, blank=True, on_delete=models.PROTECT, related_name="plan_items")
    target_id = models.CharField(max_length=256, blank=True)  # id of a certificate or serial of an MFA device; a key's is the key's
    disposition = models.CharField(max_length=16, choices=Disposition)
    skip_code = models.CharField(max_length=48, blank=True)
    skip_reason = models.TextField(blank=True)
    cautions = models.JSONField(default=list, blank=True)  # list of {"code", "sentence"} that need an explicit tick
    seen_status = models.CharField(max_length=16, choices=choices(facts.KeyStatus), blank=True)
    seen_created_at = models.DateTimeField(null=True, blank=True)
    seen_last_used_state = models.CharField(max_length=16, choices=choices(facts.UseState), default=facts.UseState.UNKNOWN)
    seen_last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "key"], name="plan_item_once"),
            models.UniqueConstraint(
                fields=["plan", "principal", "target_id"], condition=models.Q(key__isnull=True), name="plan_item_once_without_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.key_id or self.target_id} {self.disposition}"

    @property
    def this_key(self) -> AccessKey:
        """The access key of a change that is about one; LookupError for any other."""
        if self.key is None:
            raise LookupError(f"{self} is not about an access key of a user")
        return self.key
