"""Looks at the root credentials of member accounts through central root access: asked for by a person, done by a worker. Only reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.gateway import AccessDenied, AwsError, FeatureOff, RootGateway
from accounts.models import Account, OrganizationState
from hygiene.domain.facts import OrganizationRole, UseState
from hygiene.models import RequestState, RootInspection
from hygiene.services import looks
from hygiene.services.clock import Clock
from hygiene.services.permissions import Refusal

if TYPE_CHECKING:
    from django.contrib.auth.models import User

OpenRoot: TypeAlias = Callable[[Account], RootGateway]

OFF = (
    "Central root access is off. In the management account open IAM, Account settings, Centralized root access for member accounts, and "
    "turn on root credentials management."
)
REFUSED = (
    "AWS refused. Either the worker's identity may not call sts:AssumeRoot for this account, or this is the management account, which "
    "central root access never reaches."
)
DENIED_BY_POLICY = (
    "A service control policy of the organization denies root in this account. Exempt central root access in that policy by the condition "
    "key aws:AssumedRoot."
)
NOT_OFFERED = "AWS does not offer central root access in this partition. Follow the numbered steps instead."
MANAGEMENT = "This is the management account of its organization: central root access never reaches it. Follow the numbered steps instead."
STANDALONE = "This account belongs to no organization, so there is no central root access. Follow the numbered steps instead."


class CannotInspect(Exception):
    """Central root access cannot reach this account; the message says why."""


def refusal(account: Account) -> Refusal | None:
    """Why central root access cannot reach the account, as far as stored facts tell; None when it may be tried."""
    role = getattr(getattr(account, "status", None), "organization_role", OrganizationRole.UNKNOWN)
    if role == OrganizationRole.MANAGEMENT:
        return Refusal("management", MANAGEMENT)
    if role == OrganizationRole.NONE:
        return Refusal("standalone", STANDALONE)
    if account.removed_at is not None:
        return Refusal("removed", f"{account.name} was removed here: its root user is not looked at.")
    if account.organization_state not in (OrganizationState.NONE, OrganizationState.ACTIVE):
        return Refusal("suspended", f"{account.name} is suspended or closed.")
    return None


def why_not(account: Account) -> str:
    """The sentence of `refusal`; "" when it may be tried."""
    found = refusal(account)
    return found.sentence if found else ""


@transaction.atomic
def request(account: Account, *, actor: User, now: datetime) -> tuple[RootInspection, bool]:
    """A new look (True), for which the caller wakes a worker, or the one under way. Raises CannotInspect."""
    if refusal := why_not(account):
        raise CannotInspect(refusal)
    try:
        with transaction.atomic():
            made = RootInspection.objects.create(account=account, requested_by=actor, requested_at=now)
    except IntegrityError:
        return RootInspection.objects.get(account=account, state__in=looks.OPEN), False
    _record(made, "requested", now)
    return made, True


def newest(account: Account) -> RootInspection | None:
    """The newest look, whatever came of it."""
    return RootInspection.objects.filter(account=account).order_by("-requested_at", "-pk").first()


def run(inspection_pk: int, *, open_root: OpenRoot, clock: Clock) -> RootInspection:
    """Do one look and return it as it then stands. Does nothing when it is finished or another worker has it."""
    look = RootInspection.objects.select_related("account", "requested_by").get(pk=inspection_pk)
    if looks.claim(look, now=clock.now()):
        try:
            result = _read(open_root(look.account))
        except AwsError as error:
            _finish(look, RequestState.FAILED, clock.now(), error_code=error.code[:64], error=explain(error))
        else:
            _finish(look, RequestState.DONE, clock.now(), result=result)
    return RootInspection.objects.select_related("account").get(pk=inspection_pk)


def explain(error: AwsError) -> str:
    """What somebody can do about it, with AWS's own words."""
    return refusal_of(error).sentence


def refusal_of(error: AwsError) -> Refusal:
    """What AWS's error means for central root access."""
    if isinstance(error, FeatureOff):
        return Refusal("feature_off", f"{OFF} ({error.sentence})")
    if isinstance(error, AccessDenied):
        by_policy = "service control policy" in error.sentence
        words = DENIED_BY_POLICY if by_policy else REFUSED
        return Refusal("denied_by_policy" if by_policy else "root_denied", f"{words} ({error.sentence})")
    if error.code == "InvalidAction":
        return Refusal("not_offered", NOT_OFFERED)
    return Refusal(f"unreadable:{error.code}"[:48], f"Root's credentials could not be read: {error.sentence}")


def _read(root: RootGateway) -> dict[str, Any]:
    """Everything that root has. A list that cannot be read fails the look: what is not listed would look like absent."""
    return {
        "keys": [
            {"id": key.access_key_id, "status": key.status, "created_at": _iso(key.created_at), **_use(root, key.access_key_id)}
            for key in root.list_access_keys()
        ],
        "has_password": root.has_login_profile(),
        "certificates": [
            {"id": entry.certificate_id, "status": entry.status, "uploaded_at": _iso(entry.uploaded_at)}
            for entry in root.list_signing_certificates()
        ],
        "mfa_devices": list(root.list_mfa_devices()),
    }


def _use(root: RootGateway, access_key_id: str) -> dict[str, str | None]:
    """In words for the page, and as a fact for a plan. A read that fails is not "never"."""
    try:
        used = root.access_key_last_used(access_key_id).last_used_at
    except AwsError:
        return {"use": "last use not known", "last_used_state": UseState.UNKNOWN, "last_used_at": None}
    words = f"last used {used.date().isoformat()}" if used else "no use on record"
    return {"use": words, "last_used_state": UseState.USED if used else UseState.NEVER, "last_used_at": _iso(used)}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


@transaction.atomic
def _finish(look: RootInspection, state: RequestState, now: datetime, **values: Any) -> None:
    if looks.finish(look, state, now=now, **values):
        _record(look, "succeeded" if state == RequestState.DONE else "failed", now, message=values.get("error", ""))


def _record(look: RootInspection, outcome: str, now: datetime, *, message: str = "") -> None:
    audit.record(
        action="root.inspect",
        outcome=outcome,
        now=now,
        actor=look.requested_by,
        account=look.account,
        target=f"root of {look.account}",
        message=message,
        correlation_id=look.uuid,
    )
