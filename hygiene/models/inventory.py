"""What AWS has: the state of each account's data, principals and access keys. Rows are marked gone, never deleted."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import Account
from hygiene.domain import facts
from hygiene.models.base import Viewer, choices, in_sight
from hygiene.models.orderings import eldest_first, latest_first, oldest_first, worst_first, youngest_first
from hygiene.models.polls import Poll, PollOutcome

PRESENT = Q(gone_at__isnull=True)
PRESENT_USER = PRESENT & Q(is_root=False)


UNKNOWN_USER = "?"  # whose key it is cannot be told, as ids of keys are not known


class AccountStatusQuerySet(models.QuerySet["AccountStatus"]):
    """Filters on the state of an account's data; the same conditions as `domain.states.account_state`."""

    def visible_to(self, user: Viewer) -> AccountStatusQuerySet:
        """Statuses of accounts in the user's scope, removed ones left out."""
        return in_sight(self, user)


class AccountStatus(models.Model):
    """What is known of one account now: how fresh its data is, why it is not, and the live facts of its root user."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="status", primary_key=True)
    next_poll_at = models.DateTimeField(db_index=True)
    report_generated_at = models.DateTimeField(null=True, blank=True)
    report_is_complete = models.BooleanField(default=False)
    last_polled_at = models.DateTimeField(null=True, blank=True)  # end of the last attempt, whatever came of it
    last_outcome = models.CharField(max_length=16, choices=PollOutcome, default=PollOutcome.NONE, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    list_keys_error = models.TextField(blank=True)  # why ids are unknown: refused, not told of some, another account's
    root_key_present = models.BooleanField(null=True)
    root_mfa_on = models.BooleanField(null=True)
    root_password_present = models.BooleanField(null=True)
    root_certificate_present = models.BooleanField(null=True)
    summary_users = models.PositiveIntegerField(null=True)
    summary_observed_at = models.DateTimeField(null=True, blank=True)
    root_has_virtual_mfa = models.BooleanField(null=True)
    mfa_devices_observed_at = models.DateTimeField(null=True, blank=True)
    password_policy = models.JSONField(null=True, blank=True)  # {"minimum_length", "reuse_prevention", …}; {} no policy set; null not known
    password_policy_observed_at = models.DateTimeField(null=True, blank=True)
    organization_role = models.CharField(max_length=16, choices=choices(facts.OrganizationRole), default=facts.OrganizationRole.UNKNOWN)
    organization_id = models.CharField(max_length=64, blank=True)
    central_root_features = models.JSONField(null=True, blank=True)  # list of AWS's words; null: not known
    organization_observed_at = models.DateTimeField(null=True, blank=True)
    worker_key_user = models.CharField(max_length=2048, blank=True)  # whose long-term key of this account we work with: ARN or UNKNOWN_USER
    users_listed_at = models.DateTimeField(null=True, blank=True)  # last ListUsers, answered or refused
    users_listed_digest = models.CharField(max_length=64, blank=True)  # of the report's users whose UserIds are known
    details_tried_at = models.DateTimeField(null=True, blank=True)  # last time that all details were read or refused
    details_observed_at = models.DateTimeField(null=True, blank=True)  # last GetAccountAuthorizationDetails
    credentials_observed_at = models.DateTimeField(null=True, blank=True)  # last listing of SSH keys and service-specific credentials
    missing_permissions = models.JSONField(default=list, blank=True)  # list of {"permission", "unknown", "since", "asked_at"}
    users = models.PositiveIntegerField(default=0)
    active_keys = models.PositiveIntegerField(default=0)
    findings_open = models.PositiveIntegerField(default=0)

    objects = AccountStatusQuerySet.as_manager()

    def __str__(self) -> str:
        return f"status of {self.account_id}"


class PrincipalQuerySet(models.QuerySet["Principal"]):
    """Filters that views, services and exports share."""

    def visible_to(self, user: Viewer) -> PrincipalQuerySet:
        """Principals of accounts in the user's scope, removed ones left out."""
        return in_sight(self, user)

    def present(self) -> PrincipalQuerySet:
        """Still in AWS as far as is known."""
        return self.filter(gone_at__isnull=True)

    def users(self) -> PrincipalQuerySet:
        """IAM users, without root."""
        return self.filter(is_root=False)


class Principal(models.Model):
    """Root or one IAM user. Identity is the IAM UserId where known, else ARN and creation time."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="principals")
    is_root = models.BooleanField(default=False)
    user_id = models.CharField(max_length=128, blank=True)
    arn = models.CharField(max_length=2048)
    name = models.CharField(max_length=128)
    created_at = models.DateTimeField(null=True, blank=True)
    password_state = models.CharField(max_length=16, choices=choices(facts.PasswordState), default=facts.PasswordState.UNKNOWN)
    password_last_used_at = models.DateTimeField(null=True, blank=True)
    password_last_used_state = models.CharField(max_length=16, choices=choices(facts.UseState), default=facts.UseState.UNKNOWN)
    password_last_changed_at = models.DateTimeField(null=True, blank=True)
    password_next_rotation_at = models.DateTimeField(null=True, blank=True)
    password_changed_here_at = models.DateTimeField(null=True, blank=True)  # by our own recorded action: an older report is not believed
    mfa_state = models.CharField(max_length=16, choices=choices(facts.MfaState), default=facts.MfaState.UNKNOWN)
    mfa_kinds = models.JSONField(null=True, blank=True)  # list of kinds, see domain.mfa; null: not known
    mfa_fingerprint = models.CharField(max_length=64, blank=True)  # of a user with virtual devices; see services.mfa_devices
    mfa_listed_fingerprint = models.CharField(max_length=64, blank=True)  # the fingerprint at the last ListMFADevices
    mfa_listed_at = models.DateTimeField(null=True, blank=True)
    mfa_listed_others = models.PositiveIntegerField(null=True, blank=True)  # devices of other kinds in the account at that time
    certificates = models.JSONField(null=True, blank=True)  # list of {"slot", "active", "last_rotated_at"}; null: not known
    fingerprint = models.CharField(max_length=64, blank=True)  # of the report's slots; see services.inventory
    listed_fingerprint = models.CharField(max_length=64, blank=True)  # the fingerprint at the last live list
    listed_at = models.DateTimeField(null=True, blank=True)
    keys_known = models.BooleanField(default=True)  # False: the report lacks or garbles key columns, and no live list said since
    ambiguous_slots = models.PositiveSmallIntegerField(default=0)
    has_data_warning = models.BooleanField(default=False)
    warnings = models.JSONField(default=list, blank=True)
    extra = models.JSONField(default=dict, blank=True)  # report columns that we do not know, as text
    owner = models.CharField(max_length=254, blank=True)
    owner_source = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(null=True, blank=True)  # null: not read
    user_class = models.CharField(max_length=16, choices=choices(facts.UserClass), default=facts.UserClass.MACHINE)
    groups = models.JSONField(null=True, blank=True)  # list of names; null: not read
    policies = models.JSONField(
        null=True, blank=True
    )  # list of {"name", "arn", "via"}: via "user", "inline" or "group NAME"; null: not read
    reach = models.JSONField(null=True, blank=True)  # {"services": [prefixes], "is_admin": bool}; null: not known
    is_admin = models.BooleanField(null=True)
    quarantine_policy = models.CharField(max_length=2048, blank=True)
    boundary_arn = models.CharField(max_length=2048, blank=True)  # permissions boundary; "" with known policies: none
    details_observed_at = models.DateTimeField(null=True, blank=True)
    ssh_keys = models.JSONField(null=True, blank=True)  # list of {"id", "active", "uploaded_at"}; null: not read
    service_credentials = models.JSONField(
        null=True, blank=True
    )  # list of {"id", "service", "status", "created_at", "expires_at"}; null: not read
    service_credentials_observed_at = models.DateTimeField(null=True, blank=True)
    credentials_observed_at = models.DateTimeField(null=True, blank=True)  # last listing of its SSH keys
    signing_certificates = models.JSONField(null=True, blank=True)  # list of {"id", "active", "uploaded_at"}; null: not listed
    signing_certificates_observed_at = models.DateTimeField(null=True, blank=True)
    active_keys = models.PositiveSmallIntegerField(default=0)
    inactive_keys = models.PositiveSmallIntegerField(default=0)
    severity = models.PositiveSmallIntegerField(default=0)  # worst open failing finding of the principal and its keys
    failing_rules = models.JSONField(default=list, blank=True)  # of the principal and its keys, worst first
    report_generated_at = models.DateTimeField(null=True, blank=True)  # of the report that last had this row
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = PrincipalQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "arn"], condition=Q(gone_at__isnull=True), name="principal_one_present_per_arn"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "user_id"], name="principal_by_user_id"),
            models.Index(fields=["account", "is_root"], name="principal_by_account"),
            models.Index(fields=["-severity", "name", "id"], condition=PRESENT_USER, name="principal_worst_first"),
            models.Index(fields=["name", "id"], condition=PRESENT_USER, name="principal_by_name"),
            models.Index(
                *latest_first("password_last_used_at", "password_last_used_state"), condition=PRESENT_USER, name="principal_by_use"
            ),
            models.Index(
                *oldest_first("password_last_used_at", "password_last_used_state"), condition=PRESENT_USER, name="principal_by_idle"
            ),
        ]

    def __str__(self) -> str:
        return self.arn


class AccessKeyQuerySet(models.QuerySet["AccessKey"]):
    """Filters that views, services and exports share."""

    def visible_to(self, user: Viewer) -> AccessKeyQuerySet:
        """Keys of accounts in the user's scope, removed ones left out."""
        return in_sight(self, user)

    def present(self) -> AccessKeyQuerySet:
        """Still in AWS as far as is known."""
        return self.filter(gone_at__isnull=True)

    def active(self) -> AccessKeyQuerySet:
        """Present, and calls signed with it are accepted."""
        return self.present().filter(status=facts.KeyStatus.ACTIVE)

    def idle_since(self, moment: datetime) -> AccessKeyQuerySet:
        """Whose last use, or birth when AWS has no record of use, is at or before `moment`."""
        unused = Q(last_used_at__isnull=True, created_at__lte=moment) & ~Q(last_used_state=facts.UseState.UNKNOWN)
        return self.filter(Q(last_used_at__lte=moment) | unused)


class AccessKey(models.Model):
    """One access key. Identity is (account, access key id); until the id is known, and for root, principal, birth and twin."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="access_keys")
    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="access_keys")
    description = models.CharField(max_length=256, blank=True)  # the user's tag named after the key id
    access_key_id = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001  # null is "not known", and unique
    twin = models.PositiveSmallIntegerField(default=0)  # tells apart keys of the same second whose ids are not known
    match = models.CharField(max_length=16, choices=choices(facts.KeyMatch), default=facts.KeyMatch.ID_PENDING)
    status = models.CharField(max_length=16, choices=choices(facts.KeyStatus))
    status_raw = models.CharField(max_length=32, blank=True)
    status_observed_at = models.DateTimeField()
    status_source = models.CharField(max_length=32, choices=choices(facts.Source), default=facts.Source.REPORT)
    created_at = models.DateTimeField(null=True, blank=True)
    last_used_state = models.CharField(max_length=16, choices=choices(facts.UseState), default=facts.UseState.UNKNOWN)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_region = models.CharField(max_length=64, blank=True)
    last_used_service = models.CharField(max_length=128, blank=True)
    last_used_observed_at = models.DateTimeField(null=True, blank=True)
    last_used_source = models.CharField(max_length=32, choices=choices(facts.Source), default=facts.Source.REPORT)
    has_data_warning = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()
    first_inactive_at = models.DateTimeField(null=True, blank=True)
    acted_here_at = models.DateTimeField(null=True, blank=True)  # our own last change of its status
    disabled_here_at = models.DateTimeField(null=True, blank=True)  # by our own recorded action; cleared when active again
    changed_outside_at = models.DateTimeField(null=True, blank=True)  # status changed by somebody else after our own last action
    gone_at = models.DateTimeField(null=True, blank=True)
    gone_reason = models.CharField(max_length=64, blank=True)
    severity = models.PositiveSmallIntegerField(default=0)  # worst open failing finding of this key
    failing_rules = models.JSONField(default=list, blank=True)  # worst first

    objects = AccessKeyQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "access_key_id"], name="access_key_identity"),
            models.UniqueConstraint(fields=["access_key_id"], name="access_key_id_given_once"),  # see services.key_ids
            models.UniqueConstraint(
                fields=["principal", "created_at", "twin"],
                condition=Q(access_key_id__isnull=True, gone_at__isnull=True),
                name="access_key_identity_without_id",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "status"], name="access_key_by_account"),
            models.Index(fields=["account"], condition=Q(gone_at__isnull=False), name="access_key_gone"),
            models.Index(*worst_first(), condition=PRESENT, name="access_key_worst_first"),
            models.Index(*eldest_first("created_at"), condition=PRESENT, name="access_key_by_birth"),
            models.Index(*youngest_first("created_at"), condition=PRESENT, name="access_key_by_youth"),
            models.Index(*latest_first("last_used_at", "last_used_state"), condition=PRESENT, name="access_key_by_use"),
            models.Index(*oldest_first("last_used_at", "last_used_state"), condition=PRESENT, name="access_key_by_idle"),
        ]

    def __str__(self) -> str:
        return self.access_key_id or f"key {self.uuid}"


class KeyEvent(models.Model):
    """One line of a key's timeline: what changed, when, and how we know. Added only."""

    key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, related_name="events")
    occurred_at = models.DateTimeField()  # when it happened as far as is known, else when it was observed
    kind = models.CharField(max_length=32)  # created, first_seen, used, disabled, enabled, gone, reappeared
    summary = models.CharField(max_length=255)
    source = models.CharField(max_length=32, choices=choices(facts.Source))
    poll = models.ForeignKey(Poll, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    remediation = models.ForeignKey("hygiene.Remediation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["key", "-occurred_at"], name="key_timeline"),
            models.Index(fields=["-occurred_at"], name="key_events_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d} {self.summary}"


class PrincipalEvent(models.Model):
    """One line of a user's or root's own timeline: what changed, when, and how we know. Added only."""

    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="events")
    occurred_at = models.DateTimeField()  # when it happened as far as is known, else when it was observed
    kind = models.CharField(max_length=32)  # first_seen, renamed, password_set, password_removed, signed_in, mfa_on, mfa_off, gone, …
    summary = models.CharField(max_length=255)
    source = models.CharField(max_length=32, choices=choices(facts.Source))
    poll = models.ForeignKey(Poll, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    remediation = models.ForeignKey("hygiene.Remediation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["principal", "-occurred_at"], name="principal_timeline")]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d} {self.summary}"


class OwnerMapping(models.Model):
    """Who owns a user, by a list that people keep (`import_owners`). An empty account means every account."""

    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="owner_mappings")
    pattern = models.CharField(max_length=2048)  # a user name, a name with * in it, or a user ARN
    owner = models.CharField(max_length=254)
    imported_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "pattern"], name="owner_mapping_once"),
            models.UniqueConstraint(fields=["pattern"], condition=Q(account__isnull=True), name="owner_mapping_once_everywhere"),
        ]

    def __str__(self) -> str:
        return f"{self.pattern} is owned by {self.owner}"
