"""Ways to accounts that are being set up, and tests of them: what a person typed so far, and what a worker found step by step."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account, new_external_id
from hygiene.models.evidence import RequestState


class AccountDraft(models.Model):
    """The form "Add accounts" of one person as it stands, and the external id made for it. Gone once its account is added."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account_draft")
    external_id = models.CharField(max_length=64, default=new_external_id)
    answers = models.JSONField(default=dict, blank=True)  # as typed, by the names of the form's fields
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"draft of user {self.user_id}"


class CheckPart(models.TextChoices):
    """A part of a check; each is done by a worker whose identity may do it (hygiene.tasks)."""

    READ = "read", "read role"
    ACT = "act", "act role"
    ROOT = "root", "central root access"
    LIST = "list", "organization"
    ADD = "add", "adding accounts"


class AccessCheck(models.Model):
    """One test of the way to an account or an organization, of a draft or of an account: each step as AWS answered it."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="access_checks")
    draft = models.ForeignKey(AccountDraft, null=True, blank=True, on_delete=models.SET_NULL, related_name="access_checks")
    spec = models.JSONField(default=dict)  # what is tested: roles, external id, number; no secret
    part = models.CharField(max_length=8, choices=CheckPart, default=CheckPart.READ)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=RequestState, default=RequestState.QUEUED)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    steps = models.JSONField(default=list, blank=True)  # {"part", "name", "is_ok", "is_optional", "detail", "advice"}
    user = models.JSONField(default=list, blank=True)  # name and ARN of the user whose permissions are tried
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], condition=Q(state__in=["queued", "running"]), name="access_check_one_open"),
            models.UniqueConstraint(fields=["draft"], condition=Q(state__in=["queued", "running"]), name="access_check_one_open_draft"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-requested_at"], name="access_check_newest"),
            models.Index(fields=["draft", "-requested_at"], name="access_check_newest_draft"),
        ]

    def __str__(self) -> str:
        return f"check of {self.account_id or self.draft_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether a worker is at it, or is about to be."""
        return self.state in (RequestState.QUEUED, RequestState.RUNNING)

    @property
    def failed_steps(self) -> list[dict[str, Any]]:
        """Steps that must work and did not."""
        return [step for step in self.steps if not step["is_ok"] and not step["is_optional"]]

    @property
    def is_passed(self) -> bool:
        """Whether it is over and every step that must work did."""
        return self.state == RequestState.DONE and bool(self.steps) and not self.failed_steps
