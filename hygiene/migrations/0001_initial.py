import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.models
import hygiene.domain.facts


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_audit_keeping_is_guarded"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountStatus",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="status",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("next_poll_at", models.DateTimeField(db_index=True)),
                ("report_generated_at", models.DateTimeField(blank=True, null=True)),
                ("report_is_complete", models.BooleanField(default=False)),
                ("last_polled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "last_outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not finished"),
                            ("complete", "complete"),
                            ("partial", "partial"),
                            ("not_ready", "report not ready"),
                            ("rejected", "report rejected"),
                            ("access_lost", "access lost"),
                            ("failed", "failed"),
                            ("abandoned", "abandoned"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error", models.TextField(blank=True)),
                ("list_keys_error", models.TextField(blank=True)),
                ("root_key_present", models.BooleanField(null=True)),
                ("root_mfa_on", models.BooleanField(null=True)),
                ("root_password_present", models.BooleanField(null=True)),
                ("root_certificate_present", models.BooleanField(null=True)),
                ("summary_users", models.PositiveIntegerField(null=True)),
                ("summary_observed_at", models.DateTimeField(blank=True, null=True)),
                ("root_has_virtual_mfa", models.BooleanField(null=True)),
                ("mfa_devices_observed_at", models.DateTimeField(blank=True, null=True)),
                ("password_policy", models.JSONField(blank=True, null=True)),
                ("password_policy_observed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organization_role",
                    models.CharField(
                        choices=[
                            ("management", "management"),
                            ("delegated", "delegated"),
                            ("member", "member"),
                            ("none", "none"),
                            ("unknown", "unknown"),
                        ],
                        default=hygiene.domain.facts.OrganizationRole["UNKNOWN"],
                        max_length=16,
                    ),
                ),
                ("organization_id", models.CharField(blank=True, max_length=64)),
                ("central_root_features", models.JSONField(blank=True, null=True)),
                ("organization_observed_at", models.DateTimeField(blank=True, null=True)),
                ("worker_key_user", models.CharField(blank=True, max_length=2048)),
                ("users_listed_at", models.DateTimeField(blank=True, null=True)),
                ("users_listed_digest", models.CharField(blank=True, max_length=64)),
                ("details_tried_at", models.DateTimeField(blank=True, null=True)),
                ("details_observed_at", models.DateTimeField(blank=True, null=True)),
                ("credentials_observed_at", models.DateTimeField(blank=True, null=True)),
                ("missing_permissions", models.JSONField(blank=True, default=list)),
                ("users", models.PositiveIntegerField(default=0)),
                ("active_keys", models.PositiveIntegerField(default=0)),
                ("findings_open", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="CacheEntry",
            fields=[
                ("cache_key", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("value", models.TextField()),
                ("expires", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "hygiene_cache",
            },
        ),
        migrations.CreateModel(
            name="ChangeSwitch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_killed", models.BooleanField(default=False)),
                ("is_broken", models.BooleanField(default=False)),
                ("reason", models.TextField(blank=True)),
                ("set_by_name", models.CharField(blank=True, max_length=150)),
                ("set_at", models.DateTimeField(blank=True, null=True)),
                ("resumed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "permissions": [("stop_changes", "Can stop all changes at once"), ("resume_changes", "Can let changes go on")],
            },
        ),
        migrations.CreateModel(
            name="DigestDefault",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_on", models.BooleanField(default=True)),
                ("frequency", models.CharField(choices=[("weekly", "Every week"), ("daily", "Every day")], default="weekly", max_length=8)),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ],
                        default=0,
                    ),
                ),
                ("hour", models.PositiveSmallIntegerField(default=8)),
                ("minute", models.PositiveSmallIntegerField(default=0)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("send_when_unchanged", models.BooleanField(default=True)),
                ("is_plain", models.BooleanField(default=False)),
                ("scope", models.CharField(blank=True, max_length=512)),
                ("role", models.CharField(max_length=32, unique=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DueJudgement",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="due_judgement",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("due_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("beaten_at", models.DateTimeField()),
                ("access_key_id", models.CharField(blank=True, max_length=128)),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="invitation",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("claimed", "claimed"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("uncertain", "uncertain: the sender died while sending"),
                        ],
                        default="claimed",
                        max_length=16,
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "permissions": [("manage_people", "Can add people and set their roles and scope")],
            },
        ),
        migrations.CreateModel(
            name="AccountDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.CharField(default=accounts.models.new_external_id, max_length=64)),
                ("answers", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="account_draft", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="InstallationPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("profile", models.CharField(blank=True, max_length=32)),
                ("change_rules", models.JSONField(blank=True, default=dict)),
                ("set_at", models.DateTimeField()),
                (
                    "set_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("disable", "Disable"),
                            ("enable", "Enable"),
                            ("delete", "Delete"),
                            ("delete_password", "Delete console password"),
                            ("deactivate_certificate", "Deactivate certificate"),
                            ("activate_certificate", "Activate certificate"),
                            ("delete_certificate", "Delete certificate"),
                            ("delete_root_key", "Delete root access key"),
                            ("delete_root_password", "Delete root password"),
                            ("delete_root_certificate", "Delete root certificate"),
                            ("deactivate_root_mfa", "Deactivate root MFA"),
                        ],
                        max_length=32,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("query", models.TextField(blank=True)),
                ("is_all_matching", models.BooleanField(default=False)),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unused", "Unused"),
                            ("owner-confirmed", "Owner confirmed"),
                            ("suspected-leak", "Suspected leak"),
                            ("leaver", "Leaver"),
                            ("undo", "Undo"),
                            ("other", "Other"),
                        ],
                        max_length=24,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("ticket", models.CharField(blank=True, max_length=128)),
                ("run_at", models.DateTimeField(blank=True, null=True)),
                ("grace_days", models.PositiveSmallIntegerField(default=0)),
                ("notifies_owners", models.BooleanField(default=False)),
                ("cycle", models.PositiveSmallIntegerField(default=1)),
                ("warned", models.JSONField(blank=True, default=list)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("approvals_needed", models.PositiveSmallIntegerField(default=0)),
                ("approval_why", models.TextField(blank=True)),
                ("change_hash", models.CharField(blank=True, max_length=64)),
                (
                    "created_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "undo_of",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="undone_by", to="hygiene.plan"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PollRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("requested_at", models.DateTimeField()),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Poll",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "trigger",
                    models.CharField(
                        choices=[("schedule", "schedule"), ("manual", "Poll now"), ("command", "command")],
                        default="schedule",
                        max_length=16,
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("phase", models.CharField(blank=True, max_length=24)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not finished"),
                            ("complete", "complete"),
                            ("partial", "partial"),
                            ("not_ready", "report not ready"),
                            ("rejected", "report rejected"),
                            ("access_lost", "access lost"),
                            ("failed", "failed"),
                            ("abandoned", "abandoned"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error", models.TextField(blank=True)),
                ("aws_request_id", models.CharField(blank=True, max_length=128)),
                ("report_generated_at", models.DateTimeField(blank=True, null=True)),
                ("report_sha256", models.CharField(blank=True, max_length=64)),
                ("warnings", models.JSONField(blank=True, default=list)),
                ("users_total", models.PositiveIntegerField(default=0)),
                ("users_changed", models.PositiveIntegerField(default=0)),
                ("users_listed", models.PositiveIntegerField(default=0)),
                ("rows_quarantined", models.PositiveIntegerField(default=0)),
                ("calls", models.PositiveIntegerField(default=0)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="polls", to="accounts.account")),
                (
                    "request",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="polls", to="hygiene.pollrequest"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-queued_at"], name="poll_history")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True)), fields=("account",), name="poll_one_unfinished"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Principal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("is_root", models.BooleanField(default=False)),
                ("user_id", models.CharField(blank=True, max_length=128)),
                ("arn", models.CharField(max_length=2048)),
                ("name", models.CharField(max_length=128)),
                ("created_at", models.DateTimeField(blank=True, null=True)),
                (
                    "password_state",
                    models.CharField(
                        choices=[("enabled", "enabled"), ("none", "none"), ("unknown", "unknown")],
                        default=hygiene.domain.facts.PasswordState["UNKNOWN"],
                        max_length=16,
                    ),
                ),
                ("password_last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "password_last_used_state",
                    models.CharField(
                        choices=[("used", "used"), ("never", "never"), ("no_data", "no_data"), ("n/a", "n/a"), ("unknown", "unknown")],
                        default=hygiene.domain.facts.UseState["UNKNOWN"],
                        max_length=16,
                    ),
                ),
                ("password_last_changed_at", models.DateTimeField(blank=True, null=True)),
                ("password_next_rotation_at", models.DateTimeField(blank=True, null=True)),
                ("password_changed_here_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mfa_state",
                    models.CharField(
                        choices=[("on", "on"), ("off", "off"), ("unknown", "unknown"), ("n/a", "n/a")],
                        default=hygiene.domain.facts.MfaState["UNKNOWN"],
                        max_length=16,
                    ),
                ),
                ("mfa_kinds", models.JSONField(blank=True, null=True)),
                ("mfa_fingerprint", models.CharField(blank=True, max_length=64)),
                ("mfa_listed_fingerprint", models.CharField(blank=True, max_length=64)),
                ("mfa_listed_at", models.DateTimeField(blank=True, null=True)),
                ("mfa_listed_others", models.PositiveIntegerField(blank=True, null=True)),
                ("certificates", models.JSONField(blank=True, null=True)),
                ("fingerprint", models.CharField(blank=True, max_length=64)),
                ("listed_fingerprint", models.CharField(blank=True, max_length=64)),
                ("listed_at", models.DateTimeField(blank=True, null=True)),
                ("keys_known", models.BooleanField(default=True)),
                ("ambiguous_slots", models.PositiveSmallIntegerField(default=0)),
                ("has_data_warning", models.BooleanField(default=False)),
                ("warnings", models.JSONField(blank=True, default=list)),
                ("extra", models.JSONField(blank=True, default=dict)),
                ("owner", models.CharField(blank=True, max_length=254)),
                ("owner_source", models.CharField(blank=True, max_length=64)),
                ("tags", models.JSONField(blank=True, null=True)),
                (
                    "user_class",
                    models.CharField(
                        choices=[("human", "human"), ("machine", "machine")],
                        default=hygiene.domain.facts.UserClass["MACHINE"],
                        max_length=16,
                    ),
                ),
                ("groups", models.JSONField(blank=True, null=True)),
                ("policies", models.JSONField(blank=True, null=True)),
                ("reach", models.JSONField(blank=True, null=True)),
                ("is_admin", models.BooleanField(null=True)),
                ("quarantine_policy", models.CharField(blank=True, max_length=2048)),
                ("boundary_arn", models.CharField(blank=True, max_length=2048)),
                ("details_observed_at", models.DateTimeField(blank=True, null=True)),
                ("ssh_keys", models.JSONField(blank=True, null=True)),
                ("service_credentials", models.JSONField(blank=True, null=True)),
                ("service_credentials_observed_at", models.DateTimeField(blank=True, null=True)),
                ("credentials_observed_at", models.DateTimeField(blank=True, null=True)),
                ("signing_certificates", models.JSONField(blank=True, null=True)),
                ("signing_certificates_observed_at", models.DateTimeField(blank=True, null=True)),
                ("active_keys", models.PositiveSmallIntegerField(default=0)),
                ("inactive_keys", models.PositiveSmallIntegerField(default=0)),
                ("severity", models.PositiveSmallIntegerField(default=0)),
                ("failing_rules", models.JSONField(blank=True, default=list)),
                ("report_generated_at", models.DateTimeField(blank=True, null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="principals", to="accounts.account"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "user_id"], name="principal_by_user_id"),
                    models.Index(fields=["account", "is_root"], name="principal_by_account"),
                    models.Index(
                        condition=models.Q(("gone_at__isnull", True), ("is_root", False)),
                        fields=["-severity", "name", "id"],
                        name="principal_worst_first",
                    ),
                    models.Index(
                        condition=models.Q(("gone_at__isnull", True), ("is_root", False)), fields=["name", "id"], name="principal_by_name"
                    ),
                    models.Index(
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("password_last_used_state", "unknown")), output_field=models.BooleanField())
                        ),
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("password_last_used_at__isnull", True)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(models.F("password_last_used_at"), descending=True),
                        models.OrderBy(models.F("id")),
                        condition=models.Q(("gone_at__isnull", True), ("is_root", False)),
                        name="principal_by_use",
                    ),
                    models.Index(
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("password_last_used_state", "unknown")), output_field=models.BooleanField())
                        ),
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("password_last_used_at__isnull", False)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(models.F("password_last_used_at")),
                        models.OrderBy(models.F("id")),
                        condition=models.Q(("gone_at__isnull", True), ("is_root", False)),
                        name="principal_by_idle",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("gone_at__isnull", True)), fields=("account", "arn"), name="principal_one_present_per_arn"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("description", models.CharField(blank=True, max_length=256)),
                ("access_key_id", models.CharField(blank=True, max_length=128, null=True)),
                ("twin", models.PositiveSmallIntegerField(default=0)),
                (
                    "match",
                    models.CharField(
                        choices=[
                            ("exact", "exact"),
                            ("ambiguous", "ambiguous"),
                            ("id_pending", "id_pending"),
                            ("live_only", "live_only"),
                            ("unlistable", "unlistable"),
                        ],
                        default=hygiene.domain.facts.KeyMatch["ID_PENDING"],
                        max_length=16,
                    ),
                ),
                ("status", models.CharField(choices=[("active", "active"), ("inactive", "inactive"), ("other", "other")], max_length=16)),
                ("status_raw", models.CharField(blank=True, max_length=32)),
                ("status_observed_at", models.DateTimeField()),
                (
                    "status_source",
                    models.CharField(
                        choices=[
                            ("credential report", "credential report"),
                            ("ListAccessKeys", "ListAccessKeys"),
                            ("GetAccessKeyLastUsed", "GetAccessKeyLastUsed"),
                            ("GetAccountSummary", "GetAccountSummary"),
                            ("ListVirtualMFADevices", "ListVirtualMFADevices"),
                            ("ListUsers", "ListUsers"),
                            ("GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails"),
                            ("GetAccountPasswordPolicy", "GetAccountPasswordPolicy"),
                            ("ListSSHPublicKeys", "ListSSHPublicKeys"),
                            ("ListServiceSpecificCredentials", "ListServiceSpecificCredentials"),
                            ("ListOrganizationsFeatures", "ListOrganizationsFeatures"),
                            ("central root access", "central root access"),
                            ("CloudTrail LookupEvents", "CloudTrail LookupEvents"),
                            ("poll", "poll"),
                            ("own action", "own action"),
                        ],
                        default=hygiene.domain.facts.Source["REPORT"],
                        max_length=32,
                    ),
                ),
                ("created_at", models.DateTimeField(blank=True, null=True)),
                (
                    "last_used_state",
                    models.CharField(
                        choices=[("used", "used"), ("never", "never"), ("no_data", "no_data"), ("n/a", "n/a"), ("unknown", "unknown")],
                        default=hygiene.domain.facts.UseState["UNKNOWN"],
                        max_length=16,
                    ),
                ),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_region", models.CharField(blank=True, max_length=64)),
                ("last_used_service", models.CharField(blank=True, max_length=128)),
                ("last_used_observed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "last_used_source",
                    models.CharField(
                        choices=[
                            ("credential report", "credential report"),
                            ("ListAccessKeys", "ListAccessKeys"),
                            ("GetAccessKeyLastUsed", "GetAccessKeyLastUsed"),
                            ("GetAccountSummary", "GetAccountSummary"),
                            ("ListVirtualMFADevices", "ListVirtualMFADevices"),
                            ("ListUsers", "ListUsers"),
                            ("GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails"),
                            ("GetAccountPasswordPolicy", "GetAccountPasswordPolicy"),
                            ("ListSSHPublicKeys", "ListSSHPublicKeys"),
                            ("ListServiceSpecificCredentials", "ListServiceSpecificCredentials"),
                            ("ListOrganizationsFeatures", "ListOrganizationsFeatures"),
                            ("central root access", "central root access"),
                            ("CloudTrail LookupEvents", "CloudTrail LookupEvents"),
                            ("poll", "poll"),
                            ("own action", "own action"),
                        ],
                        default=hygiene.domain.facts.Source["REPORT"],
                        max_length=32,
                    ),
                ),
                ("has_data_warning", models.BooleanField(default=False)),
                ("first_seen_at", models.DateTimeField()),
                ("first_inactive_at", models.DateTimeField(blank=True, null=True)),
                ("acted_here_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_here_at", models.DateTimeField(blank=True, null=True)),
                ("changed_outside_at", models.DateTimeField(blank=True, null=True)),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                ("gone_reason", models.CharField(blank=True, max_length=64)),
                ("severity", models.PositiveSmallIntegerField(default=0)),
                ("failing_rules", models.JSONField(blank=True, default=list)),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="access_keys", to="accounts.account"),
                ),
                (
                    "principal",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="access_keys", to="hygiene.principal"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "status"], name="access_key_by_account"),
                    models.Index(condition=models.Q(("gone_at__isnull", False)), fields=["account"], name="access_key_gone"),
                    models.Index(
                        models.OrderBy(models.F("severity"), descending=True),
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("last_used_at__isnull", False)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("created_at__isnull", True)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(models.F("created_at")),
                        models.OrderBy(models.F("id")),
                        condition=models.Q(("gone_at__isnull", True)),
                        name="access_key_worst_first",
                    ),
                    models.Index(
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("created_at__isnull", True)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(models.F("created_at")),
                        models.OrderBy(models.F("id")),
                        condition=models.Q(("gone_at__isnull", True)),
                        name="access_key_by_birth",
                    ),
                    models.Index(
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("created_at__isnull", True)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id")),
                        condition=models.Q(("gone_at__isnull", True)),
                        name="access_key_by_youth",
                    ),
                    models.Index(
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("last_used_state", "unknown")), output_field=models.BooleanField())
                        ),
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("last_used_at__isnull", True)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(models.F("last_used_at"), descending=True),
                        models.OrderBy(models.F("id")),
                        condition=models.Q(("gone_at__isnull", True)),
                        name="access_key_by_use",
                    ),
                    models.Index(
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("last_used_state", "unknown")), output_field=models.BooleanField())
                        ),
                        models.OrderBy(
                            models.ExpressionWrapper(models.Q(("last_used_at__isnull", False)), output_field=models.BooleanField())
                        ),
                        models.OrderBy(models.F("last_used_at")),
                        models.OrderBy(models.F("id")),
                        condition=models.Q(("gone_at__isnull", True)),
                        name="access_key_by_idle",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "access_key_id"), name="access_key_identity"),
                    models.UniqueConstraint(fields=("access_key_id",), name="access_key_id_given_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("access_key_id__isnull", True), ("gone_at__isnull", True)),
                        fields=("principal", "created_at", "twin"),
                        name="access_key_identity_without_id",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Exemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("key", "one access key"),
                            ("user", "one user"),
                            ("tag", "users and accounts with a tag"),
                            ("account", "one account"),
                        ],
                        max_length=8,
                    ),
                ),
                ("tag", models.CharField(blank=True, max_length=400)),
                ("rules", models.JSONField(default=list)),
                ("reason", models.TextField()),
                ("ticket", models.CharField(blank=True, max_length=128)),
                ("accepted_by", models.CharField(max_length=254)),
                ("created_by_name", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(db_index=True)),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not ended"),
                            ("expired", "its end date came"),
                            ("withdrawn", "withdrawn"),
                            ("replaced", "its key was replaced"),
                            ("gone", "what it covered is gone"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("ended_by_name", models.CharField(blank=True, max_length=150)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="exemptions", to="accounts.account"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exemptions",
                        to="hygiene.accesskey",
                    ),
                ),
                (
                    "principal",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exemptions",
                        to="hygiene.principal",
                    ),
                ),
            ],
            options={
                "permissions": [("accept_risk", "Can make and withdraw exemptions")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("ends_at__gt", models.F("created_at"))), name="exemption_ends_after_start")
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("target_id", models.CharField(blank=True, max_length=256)),
                (
                    "disposition",
                    models.CharField(
                        choices=[("will_do", "will be done"), ("in_use", "used in the last 90 days"), ("skipped", "skipped")], max_length=16
                    ),
                ),
                ("skip_code", models.CharField(blank=True, max_length=48)),
                ("skip_reason", models.TextField(blank=True)),
                ("cautions", models.JSONField(blank=True, default=list)),
                (
                    "seen_status",
                    models.CharField(
                        blank=True, choices=[("active", "active"), ("inactive", "inactive"), ("other", "other")], max_length=16
                    ),
                ),
                ("seen_created_at", models.DateTimeField(blank=True, null=True)),
                (
                    "seen_last_used_state",
                    models.CharField(
                        choices=[("used", "used"), ("never", "never"), ("no_data", "no_data"), ("n/a", "n/a"), ("unknown", "unknown")],
                        default=hygiene.domain.facts.UseState["UNKNOWN"],
                        max_length=16,
                    ),
                ),
                ("seen_last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_items",
                        to="hygiene.accesskey",
                    ),
                ),
                ("plan", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="items", to="hygiene.plan")),
                (
                    "principal",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="plan_items", to="hygiene.principal"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "key"), name="plan_item_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("key__isnull", True)),
                        fields=("plan", "principal", "target_id"),
                        name="plan_item_once_without_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("subject", models.CharField(max_length=32)),
                ("rule", models.CharField(max_length=48)),
                ("rule_version", models.PositiveSmallIntegerField(default=1)),
                ("profile", models.CharField(max_length=32)),
                ("outcome", models.CharField(choices=[("fail", "fail"), ("exempt", "exempt"), ("unknown", "unknown")], max_length=16)),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "none"), (10, "info"), (20, "low"), (30, "medium"), (40, "high"), (50, "critical")]
                    ),
                ),
                ("explanation", models.TextField()),
                ("comparison", models.CharField(blank=True, max_length=255)),
                ("numbers", models.JSONField(blank=True, default=dict)),
                ("set_in", models.CharField(blank=True, max_length=160)),
                ("evidence", models.JSONField(blank=True, default=list)),
                ("opened_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolution", models.CharField(blank=True, max_length=64)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="accounts.account")),
                (
                    "exemption",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="findings", to="hygiene.exemption"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="hygiene.accesskey"
                    ),
                ),
                (
                    "principal",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="hygiene.principal"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", True)), fields=["account", "rule"], name="finding_open_by_rule"
                    ),
                    models.Index(
                        condition=models.Q(("outcome", "exempt"), ("resolved_at__isnull", True)), fields=["rule"], name="finding_exempt"
                    ),
                    models.Index(
                        condition=models.Q(("outcome", "fail"), ("resolved_at__isnull", True)),
                        fields=["-severity", "rule", "opened_at", "id"],
                        name="finding_worst_first",
                    ),
                    models.Index(condition=models.Q(("resolved_at__isnull", True)), fields=["outcome"], name="finding_open_by_outcome"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at__isnull", True)), fields=("account", "subject", "rule"), name="finding_one_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.CharField(max_length=32)),
                ("subject", models.CharField(max_length=128)),
                ("sentence", models.TextField()),
                ("raised_at", models.DateTimeField()),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_by_name", models.CharField(blank=True, max_length=150)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="alerts", to="accounts.account"
                    ),
                ),
                (
                    "principal",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="alerts", to="hygiene.principal"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("acknowledged_at__isnull", True)), fields=("kind", "subject"), name="alert_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Protection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("arn", "a user ARN"), ("tag", "users with a tag"), ("account", "an account"), ("key", "an access key")],
                        max_length=8,
                    ),
                ),
                ("value", models.CharField(max_length=2048)),
                ("reason", models.TextField()),
                ("set_by_name", models.CharField(max_length=150)),
                ("set_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "value"), name="protection_once")],
            },
        ),
        migrations.CreateModel(
            name="Remediation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "target_kind",
                    models.CharField(
                        choices=[
                            ("access_key", "access key"),
                            ("password", "console password"),
                            ("certificate", "signing certificate"),
                            ("mfa_device", "MFA device"),
                        ],
                        default="access_key",
                        max_length=16,
                    ),
                ),
                ("target_id", models.CharField(blank=True, max_length=256)),
                ("access_key_id", models.CharField(blank=True, max_length=128)),
                ("user_name", models.CharField(max_length=128)),
                ("user_arn", models.CharField(max_length=2048)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("disable", "Disable"),
                            ("enable", "Enable"),
                            ("delete", "Delete"),
                            ("delete_password", "Delete console password"),
                            ("deactivate_certificate", "Deactivate certificate"),
                            ("activate_certificate", "Activate certificate"),
                            ("delete_certificate", "Delete certificate"),
                            ("delete_root_key", "Delete root access key"),
                            ("delete_root_password", "Delete root password"),
                            ("delete_root_certificate", "Delete root certificate"),
                            ("deactivate_root_mfa", "Deactivate root MFA"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "requested"),
                            ("awaiting_approval", "awaiting approval"),
                            ("approved", "approved"),
                            ("claimed", "claimed"),
                            ("checked", "checked"),
                            ("calling", "calling AWS"),
                            ("verifying", "verifying"),
                            ("unknown", "outcome unknown, being read"),
                            ("succeeded", "succeeded"),
                            ("succeeded_observed", "succeeded, seen by reading"),
                            ("failed", "failed"),
                            ("refused", "refused"),
                            ("not_applied", "not applied"),
                            ("needs_human", "needs a person"),
                            ("denied", "denied"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                        ],
                        default="requested",
                        max_length=24,
                    ),
                ),
                (
                    "seen_status",
                    models.CharField(
                        blank=True, choices=[("active", "active"), ("inactive", "inactive"), ("other", "other")], max_length=16
                    ),
                ),
                ("seen_created_at", models.DateTimeField(blank=True, null=True)),
                (
                    "seen_last_used_state",
                    models.CharField(
                        choices=[("used", "used"), ("never", "never"), ("no_data", "no_data"), ("n/a", "n/a"), ("unknown", "unknown")],
                        default=hygiene.domain.facts.UseState["UNKNOWN"],
                        max_length=16,
                    ),
                ),
                ("seen_last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("unused", "Unused"),
                            ("owner-confirmed", "Owner confirmed"),
                            ("suspected-leak", "Suspected leak"),
                            ("leaver", "Leaver"),
                            ("undo", "Undo"),
                            ("other", "Other"),
                        ],
                        max_length=24,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("ticket", models.CharField(blank=True, max_length=128)),
                ("requested_by_name", models.CharField(max_length=150)),
                ("requested_at", models.DateTimeField()),
                ("ticked", models.JSONField(blank=True, default=list)),
                ("is_early", models.BooleanField(default=False)),
                ("needs_second_person", models.BooleanField(default=False)),
                ("second_look_at", models.DateTimeField(blank=True, null=True)),
                ("second_looked_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(db_index=True)),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("reads_after", models.PositiveSmallIntegerField(default=0)),
                ("called_at", models.DateTimeField(blank=True, null=True)),
                ("second_called_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("result_code", models.CharField(blank=True, max_length=48)),
                ("result", models.TextField(blank=True)),
                ("live_before", models.JSONField(blank=True, default=dict)),
                ("live_after", models.JSONField(blank=True, default=dict)),
                ("correlation_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("aws_request_id", models.CharField(blank=True, max_length=128)),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="remediations", to="accounts.account"),
                ),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remediations",
                        to="hygiene.accesskey",
                    ),
                ),
                ("plan", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="remediations", to="hygiene.plan")),
                (
                    "principal",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="remediations", to="hygiene.principal"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "undo_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="undone_by",
                        to="hygiene.remediation",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("view_inventory", "Can see the inventory and its findings"),
                    ("poll_now", "Can start a poll"),
                    ("request_change", "Can plan and request disable and enable"),
                    ("request_deletion", "Can request deletions"),
                    ("request_root_removal", "Can request removal of root credentials"),
                    ("approve_change", "Can approve or deny the requests of others"),
                ],
                "indexes": [
                    models.Index(fields=["state", "due_at"], name="remediation_due"),
                    models.Index(fields=["called_at"], name="remediation_called"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ("requested", "awaiting_approval", "approved", "claimed", "checked", "calling", "verifying", "unknown"),
                            )
                        ),
                        fields=("principal", "target_kind", "target_id"),
                        name="remediation_one_open_per_target",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PrincipalEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("occurred_at", models.DateTimeField()),
                ("kind", models.CharField(max_length=32)),
                ("summary", models.CharField(max_length=255)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("credential report", "credential report"),
                            ("ListAccessKeys", "ListAccessKeys"),
                            ("GetAccessKeyLastUsed", "GetAccessKeyLastUsed"),
                            ("GetAccountSummary", "GetAccountSummary"),
                            ("ListVirtualMFADevices", "ListVirtualMFADevices"),
                            ("ListUsers", "ListUsers"),
                            ("GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails"),
                            ("GetAccountPasswordPolicy", "GetAccountPasswordPolicy"),
                            ("ListSSHPublicKeys", "ListSSHPublicKeys"),
                            ("ListServiceSpecificCredentials", "ListServiceSpecificCredentials"),
                            ("ListOrganizationsFeatures", "ListOrganizationsFeatures"),
                            ("central root access", "central root access"),
                            ("CloudTrail LookupEvents", "CloudTrail LookupEvents"),
                            ("poll", "poll"),
                            ("own action", "own action"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "poll",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="hygiene.poll"
                    ),
                ),
                (
                    "principal",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="events", to="hygiene.principal"),
                ),
                (
                    "remediation",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="hygiene.remediation"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["principal", "-occurred_at"], name="principal_timeline")],
            },
        ),
        migrations.CreateModel(
            name="KeyEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("occurred_at", models.DateTimeField()),
                ("kind", models.CharField(max_length=32)),
                ("summary", models.CharField(max_length=255)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("credential report", "credential report"),
                            ("ListAccessKeys", "ListAccessKeys"),
                            ("GetAccessKeyLastUsed", "GetAccessKeyLastUsed"),
                            ("GetAccountSummary", "GetAccountSummary"),
                            ("ListVirtualMFADevices", "ListVirtualMFADevices"),
                            ("ListUsers", "ListUsers"),
                            ("GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails"),
                            ("GetAccountPasswordPolicy", "GetAccountPasswordPolicy"),
                            ("ListSSHPublicKeys", "ListSSHPublicKeys"),
                            ("ListServiceSpecificCredentials", "ListServiceSpecificCredentials"),
                            ("ListOrganizationsFeatures", "ListOrganizationsFeatures"),
                            ("central root access", "central root access"),
                            ("CloudTrail LookupEvents", "CloudTrail LookupEvents"),
                            ("poll", "poll"),
                            ("own action", "own action"),
                        ],
                        max_length=32,
                    ),
                ),
                ("key", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="events", to="hygiene.accesskey")),
                (
                    "poll",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="hygiene.poll"
                    ),
                ),
                (
                    "remediation",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="hygiene.remediation"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["key", "-occurred_at"], name="key_timeline"),
                    models.Index(fields=["-occurred_at"], name="key_events_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RootInspection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("requested_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "queued"), ("running", "running"), ("done", "done"), ("failed", "failed")],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("result", models.JSONField(blank=True, default=dict)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="root_inspections", to="accounts.account"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-requested_at"], name="root_inspection_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])), fields=("account",), name="root_inspection_one_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("page", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=64)),
                ("query", models.TextField(blank=True)),
                ("view", models.CharField(blank=True, max_length=32)),
                ("sort", models.CharField(blank=True, max_length=64)),
                ("columns", models.CharField(blank=True, max_length=512)),
                ("density", models.CharField(blank=True, max_length=12)),
                ("is_shared", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="saved_views", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "page", "name"), name="saved_view_once")],
            },
        ),
        migrations.CreateModel(
            name="Preferences",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="preferences",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "theme",
                    models.CharField(
                        choices=[("auto", "As the system"), ("light", "Light"), ("dark", "Dark")], default="auto", max_length=8
                    ),
                ),
                (
                    "density",
                    models.CharField(
                        choices=[("comfortable", "Comfortable"), ("compact", "Compact")], default="comfortable", max_length=12
                    ),
                ),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("has_shortcuts", models.BooleanField(default=True)),
                (
                    "start_view",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="hygiene.savedview"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DigestSubscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_on", models.BooleanField(default=True)),
                ("frequency", models.CharField(choices=[("weekly", "Every week"), ("daily", "Every day")], default="weekly", max_length=8)),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ],
                        default=0,
                    ),
                ),
                ("hour", models.PositiveSmallIntegerField(default=8)),
                ("minute", models.PositiveSmallIntegerField(default=0)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("send_when_unchanged", models.BooleanField(default=True)),
                ("is_plain", models.BooleanField(default=False)),
                ("scope", models.CharField(blank=True, max_length=512)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("is_own", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="digest_subscription", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "saved_view",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="hygiene.savedview"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UsageEvidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("requested_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "queued"), ("running", "running"), ("done", "done"), ("failed", "failed")],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("regions", models.JSONField(blank=True, default=list)),
                ("result", models.JSONField(blank=True, default=dict)),
                ("error", models.TextField(blank=True)),
                (
                    "key",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="usage_evidence", to="hygiene.accesskey"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["key", "-requested_at"], name="usage_evidence_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])), fields=("key",), name="usage_evidence_one_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("spec", models.JSONField(default=dict)),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("read", "read role"),
                            ("act", "act role"),
                            ("root", "central root access"),
                            ("list", "organization"),
                            ("add", "adding accounts"),
                        ],
                        default="read",
                        max_length=8,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "queued"), ("running", "running"), ("done", "done"), ("failed", "failed")],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("steps", models.JSONField(blank=True, default=list)),
                ("user", models.JSONField(blank=True, default=list)),
                ("error", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_checks",
                        to="accounts.account",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="access_checks",
                        to="hygiene.accountdraft",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-requested_at"], name="access_check_newest"),
                    models.Index(fields=["draft", "-requested_at"], name="access_check_newest_draft"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])), fields=("account",), name="access_check_one_open"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])), fields=("draft",), name="access_check_one_open_draft"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DailyPosture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(db_index=True)),
                ("measured_at", models.DateTimeField()),
                ("users", models.PositiveIntegerField(default=0)),
                ("console_users", models.PositiveIntegerField(default=0)),
                ("active_keys", models.PositiveIntegerField(default=0)),
                ("root_keys", models.PositiveIntegerField(default=0)),
                ("never_used", models.PositiveIntegerField(default=0)),
                ("unused_45", models.PositiveIntegerField(default=0)),
                ("unused_90", models.PositiveIntegerField(default=0)),
                ("over_age", models.PositiveIntegerField(default=0)),
                ("no_mfa", models.PositiveIntegerField(default=0)),
                ("exempt", models.PositiveIntegerField(default=0)),
                ("keys_eliminated", models.PositiveIntegerField(default=0)),
                ("findings_open", models.PositiveIntegerField(default=0)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="posture", to="accounts.account")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "day"), name="posture_once_a_day")],
            },
        ),
        migrations.CreateModel(
            name="DigestDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("address", models.EmailField(max_length=254)),
                ("week", models.CharField(max_length=16)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("claimed", "claimed"),
                            ("sending", "sending"),
                            ("sent", "sent"),
                            ("skipped", "nothing to say"),
                            ("failed", "failed"),
                            ("uncertain", "uncertain: the sender died while sending"),
                        ],
                        default="claimed",
                        max_length=16,
                    ),
                ),
                ("claimed_at", models.DateTimeField()),
                ("lease_token", models.UUIDField(default=uuid.uuid4)),
                ("lease_expires_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("message_id", models.CharField(blank=True, max_length=255)),
                ("subject", models.CharField(blank=True, max_length=255)),
                ("error", models.TextField(blank=True)),
                ("numbers", models.JSONField(blank=True, default=dict)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="digest_deliveries",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["user", "-claimed_at"], name="digest_history")],
                "constraints": [models.UniqueConstraint(fields=("address", "week"), name="digest_once_a_week")],
            },
        ),
        migrations.CreateModel(
            name="ExportJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.CharField(max_length=16)),
                ("title", models.CharField(max_length=64)),
                ("style", models.CharField(max_length=8)),
                ("columns", models.JSONField(default=list)),
                ("about", models.JSONField(default=list)),
                ("row_ids", models.BinaryField(default=bytes)),
                ("rows", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("requested", "waiting"), ("done", "ready"), ("failed", "failed"), ("gone", "let go")],
                        default="requested",
                        max_length=16,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("content", models.BinaryField(default=bytes)),
                ("error", models.CharField(blank=True, max_length=255)),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="export_jobs", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["user", "-requested_at"], name="export_job_of_user")],
            },
        ),
        migrations.CreateModel(
            name="OwnerMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pattern", models.CharField(max_length=2048)),
                ("owner", models.CharField(max_length=254)),
                ("imported_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="owner_mappings",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "pattern"), name="owner_mapping_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("account__isnull", True)), fields=("pattern",), name="owner_mapping_once_everywhere"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnerNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("owner", models.CharField(max_length=254)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("first", "at once"),
                            ("seven_days", "7 days before"),
                            ("one_day", "1 day before"),
                            ("done", "after it was done"),
                            ("ask", "asked whether it is in use"),
                        ],
                        max_length=16,
                    ),
                ),
                ("cycle", models.PositiveSmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("claimed", "claimed"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("uncertain", "uncertain: the sender died while sending"),
                        ],
                        default="claimed",
                        max_length=16,
                    ),
                ),
                ("claimed_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("answer", models.CharField(blank=True, max_length=16)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by_name", models.CharField(blank=True, max_length=150)),
                ("answer_note", models.TextField(blank=True)),
                (
                    "key",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="hygiene.accesskey"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="hygiene.plan"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("plan__isnull", False)), fields=("plan", "owner", "kind", "cycle"), name="owner_notice_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("approver_name", models.CharField(max_length=150)),
                ("is_approved", models.BooleanField()),
                ("comment", models.TextField(blank=True)),
                ("change_hash", models.CharField(max_length=64)),
                ("decided_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("approver", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("plan", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="approvals", to="hygiene.plan")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("plan", "approver", "change_hash"), name="approval_once")],
            },
        ),
        migrations.CreateModel(
            name="PolicyOverride",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("installation", "everywhere"),
                            ("user_class", "a class of users"),
                            ("tag", "users and accounts with a tag"),
                            ("account", "one account"),
                        ],
                        max_length=16,
                    ),
                ),
                ("target", models.CharField(blank=True, max_length=400)),
                ("rule", models.CharField(max_length=48)),
                ("name", models.CharField(max_length=32)),
                ("value", models.IntegerField()),
                ("reason", models.TextField(blank=True)),
                ("set_by_name", models.CharField(max_length=150)),
                ("set_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="policy_overrides",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "permissions": [("manage_policy", "Can change profiles, limits, approvals and the protected list")],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "rule", "name"), name="policy_override_once_an_account"),
                    models.UniqueConstraint(
                        condition=models.Q(("account__isnull", True)),
                        fields=("scope", "target", "rule", "name"),
                        name="policy_override_once",
                    ),
                ],
            },
        ),
    ]
