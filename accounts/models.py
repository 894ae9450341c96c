"""Which AWS accounts there are, how to reach them, who may see them, and the record of what was done. No AWS secret is stored."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


def new_external_id() -> str:
    """A random external id (160 bits) for a role's trust policy."""
    return secrets.token_hex(20)


class Partition(models.TextChoices):
    """AWS partitions that the product knows endpoints for."""

    AWS = "aws", "AWS"
    GOVCLOUD = "aws-us-gov", "AWS GovCloud (US)"
    CHINA = "aws-cn", "AWS China"
    EUSC = "aws-eusc", "AWS European Sovereign Cloud"


class OrganizationState(models.TextChoices):
    """State of a member account as AWS Organizations tells it; only ACTIVE (and accounts outside an organisation) are polled."""

    NONE = "", "not from an organisation"
    PENDING_ACTIVATION = "PENDING_ACTIVATION", "pending activation"
    ACTIVE = "ACTIVE", "active"
    SUSPENDED = "SUSPENDED", "suspended"
    PENDING_CLOSURE = "PENDING_CLOSURE", "pending closure"
    CLOSED = "CLOSED", "closed"
    UNKNOWN = "UNKNOWN", "unknown"


def sees_every_account(user: User | AnonymousUser) -> bool:
    """Whether no scope can narrow the person: queries need no condition on the account then."""
    return user.is_authenticated and user.has_perm("accounts.see_every_account")


class AccountQuerySet(models.QuerySet["Account"]):
    """Filters that views and services share."""

    def visible_to(self, user: User | AnonymousUser) -> AccountQuerySet:
        """Accounts in the user's scope. Without any grant the scope is every account; an auditor sees every account."""
        if not user.is_authenticated:
            return self.none()
        if sees_every_account(user):
            return self
        grants = ScopeGrant.objects.filter(user_id=user.pk)
        return self.filter(Q(pk__in=grants.values("account_id")) | ~models.Exists(grants))

    def pollable(self) -> AccountQuerySet:
        """Accounts that are polled: not paused, and not suspended or closing."""
        return self.filter(
            is_polled=True, organization_state__in=[OrganizationState.NONE, OrganizationState.ACTIVE], removed_at__isnull=True
        )


class Account(models.Model):
    """One AWS account, how to reach it, and what the product may do in it."""

    account_id = models.CharField(max_length=12, unique=True, validators=[RegexValidator(r"^\d{12}$")])
    name = models.CharField(max_length=128)
    partition = models.CharField(max_length=16, choices=Partition, default=Partition.AWS)
    environment = models.CharField(max_length=64, blank=True)
    organizational_unit = models.CharField(max_length=512, blank=True)  # path of names, "Root/Workloads/Prod"
    change_window = models.CharField(max_length=128, blank=True)  # "mon-fri 09:00-17:00 Europe/London"; empty: at any time
    read_role_arn = models.CharField(
        max_length=2048, blank=True, help_text="Empty: the worker's own identity is used, for the account it lives in."
    )
    act_role_arn = models.CharField(max_length=2048, blank=True, help_text="Empty: this account is read-only here.")
    external_id = models.CharField(max_length=1224, default=new_external_id)
    owner_email = models.EmailField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    is_polled = models.BooleanField(default=True)
    allows_remediation = models.BooleanField(default=False)
    organization_state = models.CharField(max_length=24, choices=OrganizationState, default=OrganizationState.NONE, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("see_every_account", "Can see every account, whatever the scope"),
            ("manage_accounts", "Can add, change and pause accounts"),
            ("see_own_audit", "Can see the audit events of one's own actions"),
            ("see_audit", "Can see every audit event in scope"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})"

    @property
    def is_pollable(self) -> bool:
        """Whether the poller may go there; the same condition as `AccountQuerySet.pollable`."""
        known = self.organization_state in (OrganizationState.NONE, OrganizationState.ACTIVE)
        return self.is_polled and known and self.removed_at is None


class ScopeGrant(models.Model):
    """Narrows a user to named accounts. A user without any grant sees all accounts."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="scope_grants")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="scope_grants")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "account"], name="scope_grant_once")]

    def __str__(self) -> str:
        return f"{self.user_id} sees {self.account_id}"


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Read-only: rows are added by `accounts.audit.record` and never changed."""

    def visible_to(self, user: User | AnonymousUser) -> AuditEventQuerySet:
        """Own events for those who may see their own; events of accounts in scope, and of no account, for those who may see all."""
        if not user.is_authenticated:
            return self.none()
        if user.has_perm("accounts.see_audit"):
            if user.has_perm("accounts.see_every_account"):
                return self
            return self.filter(Q(account__isnull=True) | Q(account__in=Account.objects.visible_to(user)))
        if user.has_perm("accounts.see_own_audit"):
            return self.filter(actor_id=user.pk)
        return self.none()

    def update(self, **kwargs: Any) -> int:
        """Refused: the audit log is append-only."""
        raise AuditIsAppendOnly

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused: the audit log is append-only."""
        raise AuditIsAppendOnly


class AuditIsAppendOnly(Exception):
    """Somebody tried to change or delete an audit event."""

    def __init__(self) -> None:
        super().__init__("Audit events are only added, never changed or deleted.")


class AuditEvent(models.Model):
    """One thing that a person or the product did, with copied names so that it reads the same after a rename or removal."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    sequence = models.PositiveBigIntegerField(unique=True)  # from 1, without gaps: the place in the chain
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    occurred_at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor_name = models.CharField(max_length=150)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    account_number = models.CharField(max_length=12, blank=True)
    account_name = models.CharField(max_length=128, blank=True)
    action = models.CharField(max_length=64, db_index=True)
    outcome = models.CharField(max_length=32)
    target = models.CharField(max_length=2048, blank=True)
    reason = models.CharField(max_length=64, blank=True)
    note = models.TextField(blank=True)
    ticket = models.CharField(max_length=128, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    message = models.TextField(blank=True)
    correlation_id = models.UUIDField(null=True, blank=True, db_index=True)
    aws_request_id = models.CharField(max_length=128, blank=True)

    objects = AuditEventQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d %H:%M} {self.actor_name} {self.action} {self.target}: {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only. Raises AuditIsAppendOnly for a row that exists."""
        if not self._state.adding:
            raise AuditIsAppendOnly
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused: the audit log is append-only."""
        raise AuditIsAppendOnly


class AuditAnchor(models.Model):
    """Number and hash of an audit event that left the house in a mail, whose reader can show that the chain was not written anew."""

    sequence = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)
    recipient = models.CharField(max_length=254)
    sent_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["sequence"], name="audit_anchor_sequence")]

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"


class AuditCheckpoint(models.Model):
    """The last event that the retention rule removed: the chain that is kept begins after it."""

    sequence = models.PositiveBigIntegerField(unique=True)
    hash = models.CharField(max_length=64)
    removed = models.PositiveBigIntegerField()  # how many events this step removed
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"
