"""People who sign in: who they are, their roles, and which accounts they see. Every change is an audit event of the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts import audit
from accounts.models import Account, ScopeGrant
from hygiene.people import ROLES, roles_with
from hygiene.services import invitations, scope_grants
from hygiene.services.refused import Conflict, Invalid, NotAllowed

PERMISSION = "hygiene.manage_people"
EVERY_ACCOUNT = "every account"
LAST = "{} the last active administrator who sees every account. Give somebody else that role first, so that people can still be managed."


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may do, and see: `accounts` None is every account."""

    roles: tuple[str, ...]
    accounts: tuple[Account, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """For the audit log."""
        scope = EVERY_ACCOUNT if self.accounts is None else sorted(account.account_id for account in self.accounts)
        return {"roles": list(self.roles), "scope": scope}


def managers() -> QuerySet[User]:
    """Active people who may manage people: administrators who see every account, and superusers."""

    def holds(permission: str) -> Exists:
        label, code = permission.split(".")
        given = Permission.objects.filter(content_type__app_label=label, codename=code, group__user=OuterRef("pk"))
        return Exists(given)

    is_narrowed = Exists(ScopeGrant.objects.filter(user=OuterRef("pk"))) & ~holds("accounts.see_every_account")
    return User.objects.filter(Q(is_superuser=True) | (Q(holds(PERMISSION)) & ~Q(is_narrowed)), is_active=True)


def require(actor: User) -> None:
    """Raises NotAllowed unless the person may manage people, as the database says now."""
    if managers().filter(pk=actor.pk).exists():
        return
    if actor.is_active and actor.has_perm(PERMISSION):
        raise NotAllowed("People are managed by administrators who see every account; your scope is narrower.")
    raise NotAllowed(f"This needs the role {roles_with(PERMISSION)}.")


def listed(words: str = "") -> QuerySet[User]:
    """Everybody whose names or address hold every word, with what the pages show of them; active ones first, by name."""
    grants = ScopeGrant.objects.filter(user=OuterRef("pk")).order_by().values("user")
    second = Authenticator.objects.filter(user=OuterRef("pk"), type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
    found = User.objects.annotate(
        grants=grants.annotate(count=Count("pk")).values("count"),
        has_second_step=Exists(second),
        has_single_sign_on=Exists(SocialAccount.objects.filter(user=OuterRef("pk"))),
    )
    for word in words.split():
        names = ("username", "first_name", "last_name", "email", "groups__name")
        matching = User.objects.filter(Q(*((f"{name}__icontains", word) for name in names), _connector=Q.OR)).values("pk")
        found = found.filter(pk__in=matching)
    return found.select_related("invitation").prefetch_related("groups").order_by("-is_active", "username", "pk")


def roles_given(person: User) -> tuple[str, ...]:
    """Names of the roles that the person was given, in the order of `ROLES`. No query after `prefetch_related("groups")`."""
    names = {group.name for group in person.groups.all()}
    return tuple(role for role in ROLES if role in names)


def standing_of(person: User) -> Standing:
    """Roles and scope as they are given."""
    return Standing(roles_given(person), tuple(scope_grants.granted(person)) or None)


@transaction.atomic
def add(*, fields: dict[str, str], roles: Collection[str], scope: str | None, reason: str, actor: User, now: datetime) -> User:
    """Make a login without a password; `scope` as in `change`. The caller asks for the mail with the link.

    Raises NotAllowed, or Invalid by field.
    """
    _lock()
    require(actor)
    person = User(**{name: value.strip() for name, value in fields.items()}, date_joined=now)
    person.set_unusable_password()
    accounts, errors = _accounts(scope)
    errors |= _errors(person) | _role_errors(roles)
    if errors:
        raise Invalid(errors)
    person.save()
    _give(person, roles, accounts)
    _record("person.add", person, actor, now, reason, {}, standing_of(person).as_json())
    return person


@transaction.atomic
def change(person: User, *, roles: Collection[str], scope: str | None, reason: str, actor: User, now: datetime) -> bool:
    """Set roles and scope; groups that are no roles stay. Says whether anything changed. Raises NotAllowed, or Invalid by field.

    `scope` None is every account, else lines as `scope_grants.accounts_in` takes them. What somebody gives to themselves has an action
    word of its own in the audit log.
    """
    _check(person, actor)
    accounts, errors = _accounts(scope)
    errors |= _role_errors(roles)
    if errors:
        raise Invalid(errors)
    old = standing_of(person)
    _give(person, roles, accounts)
    new = standing_of(person)
    if not managers().exists():
        raise Invalid({"roles" if old.roles != new.roles else "accounts": LAST.format("You are")})
    if old == new:
        return False
    gains = set(new.roles) - set(old.roles)
    action = "person.grant_self" if person.pk == actor.pk and gains else "person.change"
    _record(action, person, actor, now, reason, old.as_json(), new.as_json())
    return True


@transaction.atomic
def deactivate(person: User, *, reason: str, actor: User, now: datetime) -> None:
    """Nothing of the person works from now on: their sessions end. Raises NotAllowed, or Conflict for the last administrator."""
    _check(person, actor)
    if not User.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
        return
    if not managers().exists():
        raise Conflict(LAST.format("You are"))
    _end_sessions(person, now)
    _record("person.deactivate", person, actor, now, reason, {"active": True}, {"active": False})


@transaction.atomic
def reactivate(person: User, *, reason: str, actor: User, now: datetime) -> None:
    """The person may sign in again, with the roles and the scope they had. Raises NotAllowed."""
    _check(person, actor)
    if User.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
        _record("person.reactivate", person, actor, now, reason, {"active": False}, {"active": True})


@transaction.atomic
def invite(person: User, *, actor: User, now: datetime) -> None:
    """Claim a mail with a link to set a password; the caller wakes the sender. Raises NotAllowed or Conflict."""
    _check(person, actor)
    invitations.ask(person, actor=actor, now=now)


def may_change(person: User, actor: User) -> bool:
    """A superuser is changed by superusers alone."""
    return actor.is_superuser or not person.is_superuser


def _lock() -> None:
    """Changes of people go one after the other, so that two administrators cannot take the role from each other at once."""
    list(Group.objects.select_for_update().filter(name__in=ROLES).order_by("pk").values_list("pk", flat=True))


def _check(person: User, actor: User) -> None:
    _lock()
    require(actor)
    if not may_change(person, actor):
        raise NotAllowed(f"{person.get_username()} is a superuser, whom only a superuser changes.")


def _accounts(scope: str | None) -> tuple[list[Account] | None, dict[str, str]]:
    try:
        return (None if scope is None else scope_grants.accounts_in(scope)), {}
    except Invalid as error:
        return None, error.errors


def _errors(person: User) -> dict[str, str]:
    errors = {}
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        errors = {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
    if not person.username:
        errors["username"] = "Give the name that they sign in with."
    elif User.objects.filter(username__iexact=person.username).exists():
        errors["username"] = "Somebody has this name already."
    if not person.email:
        errors["email"] = "Give the address that the link to set a password is sent to."
    elif "email" not in errors and User.objects.filter(email__iexact=person.email).exists():
        errors["email"] = "Somebody has this address already."
    return errors


def _role_errors(roles: Collection[str]) -> dict[str, str]:
    if unknown := set(roles) - set(ROLES):
        return {"roles": f"There is no role {', '.join(sorted(unknown))}."}
    missing = set(roles) - set(Group.objects.filter(name__in=roles).values_list("name", flat=True))
    return {"roles": "The roles are not made yet: run manage.py create_roles."} if missing else {}


def _give(person: User, roles: Collection[str], accounts: Iterable[Account] | None) -> None:
    person.groups.remove(*person.groups.filter(name__in=set(ROLES) - set(roles)))
    person.groups.add(*Group.objects.filter(name__in=roles))
    scope_grants.narrow(person, accounts)


def _end_sessions(person: User, now: datetime) -> None:
    """So that none of them works again once the person is reactivated."""
    for session in Session.objects.filter(expire_date__gt=now).iterator():
        if str(session.get_decoded().get(SESSION_KEY)) == str(person.pk):
            session.delete()


def _record(action: str, person: User, actor: User, now: datetime, reason: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    target, note = person.get_username(), reason.strip()[:2000]
    audit.record(action=action, outcome="succeeded", now=now, actor=actor, target=target, note=note, before=before, after=after)
