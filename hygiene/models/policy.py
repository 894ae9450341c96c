"""The installation's policy as people set it: profile, overrides of rules, and settings of changes. The profiles are `domain.policy`."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models

from accounts.models import Account


class OverrideScope(models.TextChoices):
    """Where an override holds; the last of these that applies wins."""

    INSTALLATION = "installation", "everywhere"
    USER_CLASS = "user_class", "a class of users"
    TAG = "tag", "users and accounts with a tag"
    ACCOUNT = "account", "one account"


class PolicyOverride(models.Model):
    """One value of one rule at one place. `name` is "is_on", "severity" or a number of the rule, such as "days"."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    scope = models.CharField(max_length=16, choices=OverrideScope)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="policy_overrides")
    target = models.CharField(max_length=400, blank=True)  # "human", "machine", "name=value" or "name"; empty for the other scopes
    rule = models.CharField(max_length=48)
    name = models.CharField(max_length=32)
    value = models.IntegerField()  # a number; 0 or 1 for is_on; a Severity for severity
    reason = models.TextField(blank=True)
    set_by_name = models.CharField(max_length=150)
    set_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("manage_policy", "Can change profiles, limits, approvals and the protected list")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "rule", "name"], name="policy_override_once_an_account"),
            models.UniqueConstraint(
                fields=["scope", "target", "rule", "name"], condition=models.Q(account__isnull=True), name="policy_override_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.name}={self.value} for {self.scope} {self.target or self.account_id or ''}"


class InstallationPolicy(models.Model):
    """The one row of the installation: profile in force, and how changes to AWS are governed. Missing values are the defaults."""

    profile = models.CharField(max_length=32, blank=True)  # empty: POLICY_PROFILE
    change_rules = models.JSONField(default=dict, blank=True)  # see services.change_rules: waits, approvals, caps, freeze days
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"installation policy, profile {self.profile or 'of the environment'}"
