"""Use cases of the registry: open the way to an account, pause it, remove it, allow changes in it. Each change leaves an audit event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.aws import AwsGateway, AwsRootGateway, SessionSpec, long_term_key_id
from accounts.gateway import Gateway, Purpose, RootGateway, RootTask, UnexpectedAwsError
from accounts.models import Account
from accounts.pace import Pacer, pacer
from accounts.policies import (
    KEY_READS,
    OTHER_READS,
    act_session_policy,
    evidence_session_policy,
    read_session_policy,
    session_name,
    source_identity,
)
from accounts.roles import role_problems

if TYPE_CHECKING:
    from django.contrib.auth.models import User

POLL_SECONDS = 3600
ACT_SECONDS = 900
TRAIL_CALLS_PER_SECOND = 2.0  # AWS's own limit of LookupEvents in each account and Region


class NotPossible(Exception):
    """The account does not allow it; the message says why, for the person who asked."""


def open_gateway(
    account: Account, *, purpose: Purpose, operator: str = "", reference: str = "", user_arn: str = "", actions: tuple[str, ...] = ()
) -> Gateway:
    """A session in `account`, scoped by a session policy. It makes no call yet.

    For a poll and for evidence: the read role with read-only rights. For a change: the act role, with `actions` on exactly
    `user_arn`, in a session named after `operator` and `reference`. UnexpectedAwsError when the account has no act role.
    """
    spec = session_spec(account, purpose=purpose, operator=operator, reference=reference, user_arn=user_arn, actions=actions)
    return AwsGateway(spec, _pacer(account), trail_pacer=partial(_trail_pacer, account.account_id))


def session_spec(
    account: Account, *, purpose: Purpose, operator: str = "", reference: str = "", user_arn: str = "", actions: tuple[str, ...] = ()
) -> SessionSpec:
    """Which role is assumed for what, under which names and with which session policy."""
    if purpose is Purpose.REMEDIATE:
        if not account.act_role_arn:
            raise UnexpectedAwsError(f"{account.name} has no act role: it is read-only here.", code="NoActRole")
        role, name, seconds = account.act_role_arn, session_name(operator, reference), ACT_SECONDS
        session_policy = act_session_policy(user_arn, actions=actions)
    elif purpose is Purpose.EVIDENCE:
        role, name, seconds = account.read_role_arn, session_name(operator, "evidence"), ACT_SECONDS
        session_policy = evidence_session_policy()
    else:
        role, name, seconds = account.read_role_arn, session_name("poll"), POLL_SECONDS
        session_policy = read_session_policy()
    names_operator = purpose is Purpose.REMEDIATE and settings.AWS_SOURCE_IDENTITY
    return SessionSpec(
        account_id=account.account_id,
        partition=account.partition,
        role_arn=role,
        external_id=account.external_id,
        purpose=purpose,
        session_name=name,
        session_policy=session_policy,
        source_identity=source_identity(operator) if names_operator else "",
        duration_seconds=seconds,
        allows_custom_endpoint=settings.ALLOW_CUSTOM_AWS_ENDPOINT,
    )


def open_own_gateway(*, partition: str) -> Gateway:
    """A session with the worker's own identity, wherever it lives: for reading the organization. No call yet."""
    spec = SessionSpec(
        account_id="",
        partition=partition,
        role_arn="",
        external_id="",
        purpose=Purpose.POLL,
        session_name="",
        session_policy="",
        allows_custom_endpoint=settings.ALLOW_CUSTOM_AWS_ENDPOINT,
    )
    own = pacer(f"own:{partition}", rate=settings.AWS_CALLS_PER_SECOND, broker_url=settings.CELERY_BROKER_URL)
    return AwsGateway(spec, own)


def open_root_gateway(account: Account, *, task: RootTask) -> RootGateway:
    """A session of root in the member account `account` through central root access, with the worker's own identity. No call yet."""
    spec = SessionSpec(
        account_id=account.account_id,
        partition=account.partition,
        role_arn="",
        external_id="",
        purpose=Purpose.REMEDIATE,
        session_name="",
        session_policy="",
        duration_seconds=ACT_SECONDS,
        allows_custom_endpoint=settings.ALLOW_CUSTOM_AWS_ENDPOINT,
        task=task.value,
    )
    return AwsRootGateway(spec, _pacer(account))


def open_check_gateway(account: Account, *, purpose: Purpose, user_arn: str = "", is_bare: bool = False) -> Gateway:
    """A session for a check of access, with rights to read only; `is_bare`: without the external id, so that AWS must refuse it."""
    actions = KEY_READS + OTHER_READS if purpose is Purpose.REMEDIATE else ()
    spec = session_spec(account, purpose=purpose, operator="check_access", reference="check", user_arn=user_arn, actions=actions)
    return AwsGateway(replace(spec, external_id="", source_identity="") if is_bare else spec, _pacer(account))


def worker_key_id() -> str:
    """The id of the long-term key that this process signs with; empty when it uses temporary credentials or none. May ask the machine."""
    return long_term_key_id()


def _pacer(account: Account) -> Pacer:
    return pacer(account.account_id, rate=settings.AWS_CALLS_PER_SECOND, broker_url=settings.CELERY_BROKER_URL)


def _trail_pacer(account_id: str, region: str) -> Pacer:
    name = f"{account_id}:trail:{region}"
    return pacer(name, rate=TRAIL_CALLS_PER_SECOND, broker_url=settings.CELERY_BROKER_URL, burst=0.0)


@transaction.atomic
def set_polled(account: Account, *, is_polled: bool, actor: User, now: datetime) -> None:
    """Pause or resume polling."""
    _change(account, {"is_polled": is_polled}, action="account.resume" if is_polled else "account.pause", actor=actor, now=now)


@transaction.atomic
def set_allows_remediation(account: Account, *, allows: bool, actor: User, now: datetime) -> None:
    """Allow or forbid changes in the account. NotPossible without an act role."""
    if allows and not account.act_role_arn:
        raise NotPossible(f"{account.name} has no act role. Set one first; then changes can be allowed.")
    action = "account.allow_changes" if allows else "account.forbid_changes"
    _change(account, {"allows_remediation": allows}, action=action, actor=actor, now=now)


@transaction.atomic
def remove_account(account: Account, *, actor: User, now: datetime, note: str = "") -> None:
    """Take the account out of the registry; its history stays, and registering it again brings it back. NotPossible when it is out."""
    if not Account.objects.filter(pk=account.pk, removed_at__isnull=True).update(removed_at=now, updated_at=now):
        raise NotPossible(f"{account.name} is removed already.")
    account.removed_at = account.updated_at = now
    told: dict[str, Any] = {"before": {"is_removed": False}, "after": {"is_removed": True}, "note": note}
    audit.record(action="account.remove", outcome="succeeded", now=now, actor=actor, account=account, target=str(account), **told)


@transaction.atomic
def set_details(account: Account, *, owner_email: str, environment: str, tags: Mapping[str, str], actor: User, now: datetime) -> None:
    """Who owns the account, what it is for, and its tags here (not AWS's). The caller has checked their shape."""
    values = {"owner_email": owner_email, "environment": environment, "tags": dict(tags)}
    _change(account, values, action="account.change", actor=actor, now=now)


@transaction.atomic
def set_act_role(account: Account, *, arn: str, actor: User, now: datetime) -> None:
    """Set the role that changes use, or clear it: then nothing may be changed. NotPossible for what is no role of this account."""
    if problems := role_problems({"act_role_arn": arn, "partition": account.partition}, account.account_id):
        raise NotPossible(f"{problems[0][:1].upper()}{problems[0][1:]}.".replace("Act_role_arn", "This"))
    values: dict[str, Any] = {"act_role_arn": arn} | ({} if arn else {"allows_remediation": False})
    _change(account, values, action="account.set_act_role" if arn else "account.clear_act_role", actor=actor, now=now)


def _change(account: Account, values: dict[str, Any], *, action: str, actor: User, now: datetime) -> None:
    before = {name: getattr(account, name) for name in values}
    for name, value in values.items():
        setattr(account, name, value)
    account.updated_at = now
    account.save(update_fields=[*values, "updated_at"])
    audit.record(
        action=action, outcome="succeeded", now=now, actor=actor, account=account, target=str(account), before=before, after=values
    )
