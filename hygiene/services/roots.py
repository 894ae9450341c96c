"""What is known of a root user: the live account summary wins over the credential report; unknown stays unknown."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Account, Partition
from hygiene.domain.facts import KeyStatus, MfaState, OrganizationRole, PasswordState
from hygiene.models import AccessKey, AccountStatus, PollOutcome, Principal

CREDENTIALS = "RootCredentialsManagement"  # AWS's word for the feature that lets root's credentials be removed centrally


@dataclass(frozen=True, slots=True)
class RootFacts:
    """One account's root user. `key_present` and `password_present` None: not known. `mfa_kind` "": not known or no MFA."""

    key_present: bool | None
    password_present: bool | None
    mfa: MfaState
    mfa_kind: str
    certificate_present: bool | None

    @property
    def has_nothing(self) -> bool:
        """Whether root certainly has no credential at all, as a new member of an organisation."""
        return self.key_present is False and self.password_present is False and self.mfa is not MfaState.ON


def root_facts(
    account: Account, status: AccountStatus | None, root: Principal | None, keys: list[AccessKey], *, is_current: bool = True
) -> RootFacts:
    """Facts of `account`'s root from its stored status, its report row and its key rows. No query.

    Where access is lost, or what is stored is not current, nothing is known but keys that were seen.
    """
    if status is not None and status.root_key_present and not keys:
        keys = [AccessKey(status=KeyStatus.ACTIVE)]
    if not is_current or (status is not None and status.last_outcome == PollOutcome.ACCESS_LOST):
        return RootFacts(True if keys else None, None, MfaState.UNKNOWN, "", None)
    row = None if root is None or root.has_data_warning or root.report_generated_at is None else root
    key = _key(status, row, keys)
    password = status.root_password_present if status else None
    if password is None and row is not None:
        password = {PasswordState.ENABLED: True, PasswordState.NONE: False}.get(PasswordState(row.password_state))
    on = status.root_mfa_on if status else None
    if on is None and row is not None:
        on = {MfaState.ON: True, MfaState.OFF: False}.get(MfaState(row.mfa_state))
    return RootFacts(key, password, _mfa(account, on, password, keys, key), _kind(status, on), _certificate(status, row))


def _key(status: AccountStatus | None, row: Principal | None, keys: list[AccessKey]) -> bool | None:
    live = status.root_key_present if status else None
    if keys:
        return True
    return None if live is None and (row is None or not row.keys_known) else False


def _mfa(account: Account, on: bool | None, password: bool | None, keys: list[AccessKey], key: bool | None) -> MfaState:
    """Not applicable where root has nothing to protect: no password and no active key, or a partition without root sign-in."""
    has_active_key = any(row.status == KeyStatus.ACTIVE for row in keys) or (bool(key) and not keys)
    can_sign_in = False if account.partition == Partition.GOVCLOUD else password
    if on:
        return MfaState.ON
    if can_sign_in is False and key is not None and not has_active_key:
        return MfaState.NOT_APPLICABLE
    return MfaState.UNKNOWN if on is None else MfaState.OFF


def _kind(status: AccountStatus | None, on: bool | None) -> str:
    virtual = status.root_has_virtual_mfa if status else None
    if not on or virtual is None:
        return ""
    return "virtual" if virtual else "hardware"


def _certificate(status: AccountStatus | None, row: Principal | None) -> bool | None:
    live = status.root_certificate_present if status else None
    if live is None and row is not None and row.certificates is not None:
        return bool(row.certificates)
    return live


def with_central_root(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """The accounts with `central_features`: what the account in charge of their organization last said is on; None: not known."""
    told = AccountStatus.objects.filter(organization_id=OuterRef("status__organization_id"), central_root_features__isnull=False)
    newest = told.exclude(organization_id="").order_by("-organization_observed_at")
    return accounts.annotate(central_features=Subquery(newest.values("central_root_features")[:1]))


def central_root_words(account: Account) -> tuple[str, str]:
    """Whether central root access reaches an account of `with_central_root`, and why it does not."""
    role = OrganizationRole(getattr(getattr(account, "status", None), "organization_role", OrganizationRole.UNKNOWN))
    if role is OrganizationRole.MANAGEMENT:
        return "n/a", "management account"
    if role is OrganizationRole.NONE:
        return "n/a", "in no organization"
    features: list[str] | None = account.central_features  # type: ignore[attr-defined]  # annotated
    if role is OrganizationRole.UNKNOWN or features is None:
        return "unknown", "not read"
    return ("on", "for its organization") if CREDENTIALS in features else ("off", "for its organization")
