"""What every poll asks: who we are, the credential report, the account's summary and its MFA devices; password policy, users."""

from __future__ import annotations

from datetime import UTC, datetime

from accounts.aws.connection import IAM, STS, Connection, needed
from accounts.gateway import (
    AccountSummary,
    CallerIdentity,
    CredentialReport,
    NoSuchEntity,
    PasswordPolicy,
    ReportState,
    VirtualMfaDevice,
)


class ReportCalls(Connection):
    """Reads of the whole account."""

    def caller_identity(self) -> CallerIdentity:
        """sts:GetCallerIdentity of the assumed session."""
        answer = self.call(STS, "get_caller_identity", "GetCallerIdentity")
        return CallerIdentity(str(needed(answer, "Account", "GetCallerIdentity")), str(answer.get("Arn", "")))

    def generate_credential_report(self) -> ReportState:
        """iam:GenerateCredentialReport, once. Raises Throttled for LimitExceeded too. A word that is not known is not COMPLETE."""
        state = self.call(IAM, "generate_credential_report", "GenerateCredentialReport").get("State")
        return ReportState(state) if state in set(ReportState) else ReportState.IN_PROGRESS

    def get_credential_report(self) -> CredentialReport:
        """iam:GetCredentialReport. Raises ReportNotReady when there is none to get."""
        answer = self.call(IAM, "get_credential_report", "GetCredentialReport")
        generated_at: datetime = needed(answer, "GeneratedTime", "GetCredentialReport")
        return CredentialReport(answer.get("Content") or b"", generated_at.astimezone(UTC))

    def account_summary(self) -> AccountSummary:
        """iam:GetAccountSummary. Raises Unreachable when it came without its map."""
        answer = self.call(IAM, "get_account_summary", "GetAccountSummary")
        return AccountSummary(dict(needed(answer, "SummaryMap", "GetAccountSummary")))

    def virtual_mfa_devices(self) -> tuple[VirtualMfaDevice, ...]:
        """iam:ListVirtualMFADevices with AssignmentStatus=Assigned, all pages."""
        pages = self.pages("list_virtual_mfa_devices", "ListVirtualMFADevices", AssignmentStatus="Assigned")
        return tuple(
            VirtualMfaDevice(str(entry.get("SerialNumber", "")), (entry.get("User") or {}).get("Arn"))
            for page in pages
            for entry in page.get("VirtualMFADevices") or []
        )

    def password_policy(self) -> PasswordPolicy | None:
        """iam:GetAccountPasswordPolicy; None when the account has set none."""
        try:
            answer = self.call(IAM, "get_account_password_policy", "GetAccountPasswordPolicy")
        except NoSuchEntity:
            return None
        policy = needed(answer, "PasswordPolicy", "GetAccountPasswordPolicy")
        return PasswordPolicy(
            minimum_length=policy.get("MinimumPasswordLength"),
            reuse_prevention=policy.get("PasswordReusePrevention"),
            max_age_days=policy.get("MaxPasswordAge") or None,
            requires_symbols=policy.get("RequireSymbols") is True,
            requires_numbers=policy.get("RequireNumbers") is True,
            requires_uppercase=policy.get("RequireUppercaseCharacters") is True,
            requires_lowercase=policy.get("RequireLowercaseCharacters") is True,
            allows_change=policy.get("AllowUsersToChangePassword") is True,
            expires_hard=policy.get("HardExpiry") is True,
        )
