"""Exemptions: accepted risks with an end. They cover findings, never resolve them."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from hygiene.models.base import Viewer
from hygiene.models.inventory import AccessKey, Principal


class ExemptionScope(models.TextChoices):
    """What an exemption covers."""

    KEY = "key", "one access key"
    USER = "user", "one user"
    TAG = "tag", "users and accounts with a tag"
    ACCOUNT = "account", "one account"


class ExemptionEnd(models.TextChoices):
    """Why an exemption does not hold any more."""

    NONE = "", "not ended"
    EXPIRED = "expired", "its end date came"
    WITHDRAWN = "withdrawn", "withdrawn"
    REPLACED = "replaced", "its key was replaced"
    GONE = "gone", "what it covered is gone"


class ExemptionQuerySet(models.QuerySet["Exemption"]):
    """Filters that views and services share."""

    def visible_to(self, user: Viewer) -> ExemptionQuerySet:
        """Those of accounts in scope, and those by tag, which name no account."""
        return self.filter(Q(account__isnull=True) | Q(account__in=Account.objects.visible_to(user)))

    def live(self) -> ExemptionQuerySet:
        """Not ended."""
        return self.filter(ended_at__isnull=True)


class Exemption(models.Model):
    """One accepted risk: scope x rules, why, who accepts it, until when."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    scope = models.CharField(max_length=8, choices=ExemptionScope)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="exemptions"
    )  # of key, user or itself
    principal = models.ForeignKey(Principal, null=True, blank=True, on_delete=models.CASCADE, related_name="exemptions")
    key = models.ForeignKey(AccessKey, null=True, blank=True, on_delete=models.CASCADE, related_name="exemptions")
    tag = models.CharField(max_length=400, blank=True)  # "name=value", or "name" for any value
    rules = models.JSONField(default=list)  # rule codes; empty: every rule
    reason = models.TextField()
    ticket = models.CharField(max_length=128, blank=True)
    accepted_by = models.CharField(max_length=254)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=16, choices=ExemptionEnd, default=ExemptionEnd.NONE, blank=True)
    ended_by_name = models.CharField(max_length=150, blank=True)

    objects = ExemptionQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("accept_risk", "Can make and withdraw exemptions")]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(ends_at__gt=F("created_at")), name="exemption_ends_after_start")]

    def __str__(self) -> str:
        return f"exemption of {self.scope} until {self.ends_at:%Y-%m-%d}"
