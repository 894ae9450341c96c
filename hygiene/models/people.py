"""What the product keeps for each person who logs in: preferences and the digest. People themselves are auth users."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models

from hygiene.models.remediation import NoticeState


class Preferences(models.Model):
    """How one person wants to see pages. Without a row the defaults hold."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences", primary_key=True)
    theme = models.CharField(max_length=8, choices=[("auto", "As the system"), ("light", "Light"), ("dark", "Dark")], default="auto")
    density = models.CharField(max_length=12, choices=[("comfortable", "Comfortable"), ("compact", "Compact")], default="comfortable")
    time_zone = models.CharField(max_length=64, default="UTC")
    has_shortcuts = models.BooleanField(default=True)
    start_view = models.ForeignKey("hygiene.SavedView", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class SavedView(models.Model):
    """A list as somebody wants to see it again: filter line, sort, columns, density; never the page number."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=16)  # name of the list's URL: keys, users, accounts, findings, …
    name = models.CharField(max_length=64)
    query = models.TextField(blank=True)
    view = models.CharField(max_length=32, blank=True)  # the built-in view that it starts from
    sort = models.CharField(max_length=64, blank=True)
    columns = models.CharField(max_length=512, blank=True)
    density = models.CharField(max_length=12, blank=True)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return f"{self.page}: {self.name}"


class Invitation(models.Model):
    """The newest mail with a one-time link to set a password for one person. The link itself is kept nowhere: whoever sends it makes it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitation", primary_key=True)
    asked_at = models.DateTimeField()
    try_at = models.DateTimeField(null=True, blank=True)  # not before, as the mail server could not be asked
    state = models.CharField(max_length=16, choices=NoticeState, default=NoticeState.CLAIMED)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        permissions: ClassVar = [("manage_people", "Can add people and set their roles and scope")]

    def __str__(self) -> str:
        return f"link for {self.user_id}: {self.state}"


class Weekday(models.IntegerChoices):
    """Monday is 0, as in `datetime.weekday`."""

    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


class DigestChoices(models.Model):
    """How one person, or the people of one role, get the digest. The slot is local time in `time_zone`."""

    is_on = models.BooleanField(default=True)
    frequency = models.CharField(max_length=8, choices=[("weekly", "Every week"), ("daily", "Every day")], default="weekly")
    weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)  # of a weekly one
    hour = models.PositiveSmallIntegerField(default=8)
    minute = models.PositiveSmallIntegerField(default=0)
    time_zone = models.CharField(max_length=64, default="UTC")
    send_when_unchanged = models.BooleanField(default=True)
    is_plain = models.BooleanField(default=False)  # plain text alone
    scope = models.CharField(max_length=512, blank=True)  # see services.scope: "", "mine", "ou:PATH", "tag:k=v", or account numbers

    class Meta:
        abstract = True


class DigestDefault(DigestChoices):
    """What the people of one role get until they choose for themselves; set by an administrator."""

    role = models.CharField(max_length=32, unique=True)

    def __str__(self) -> str:
        return f"digest of every {self.role}"


class DigestSubscription(DigestChoices):
    """Whether, when and of what one person gets a digest."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)  # also the token of the unsubscribe link
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digest_subscription")
    saved_view = models.ForeignKey(SavedView, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")  # a section of its own
    is_own = models.BooleanField(default=False)  # chosen by the person, so a new default of the role leaves it alone
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"digest of {self.user_id}"


class DeliveryState(models.TextChoices):
    """Every (recipient, week) ends SENT, SKIPPED, FAILED or UNCERTAIN; UNCERTAIN is never sent again by itself."""

    CLAIMED = "claimed", "claimed"
    SENDING = "sending", "sending"
    SENT = "sent", "sent"
    SKIPPED = "skipped", "nothing to say"
    FAILED = "failed", "failed"
    UNCERTAIN = "uncertain", "uncertain: the sender died while sending"


class DigestDelivery(models.Model):
    """The digest of one recipient for one ISO week or day: claimed before it is composed, so that it is never sent twice."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="digest_deliveries")
    address = models.EmailField()
    week = models.CharField(max_length=16)  # ISO week "2026-W47", day "2026-11-23", or "N…" for one asked for by a press
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.CLAIMED)
    claimed_at = models.DateTimeField()
    lease_token = models.UUIDField(default=uuid4)
    lease_expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    error = models.TextField(blank=True)
    numbers = models.JSONField(default=dict, blank=True)  # state that the next digest compares with

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["address", "week"], name="digest_once_a_week")]
        indexes: ClassVar = [models.Index(fields=["user", "-claimed_at"], name="digest_history")]

    def __str__(self) -> str:
        return f"digest {self.week} to {self.address}: {self.state}"
