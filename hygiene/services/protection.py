"""What is never changed here: the protected list, users who carry the tag hygiene-protected=true, and keys that workers sign with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Value

from accounts import audit
from accounts.models import Account
from hygiene.models import Heartbeat, Principal, Protection, ProtectionKind
from hygiene.people import roles_with
from hygiene.services.permissions import Refusal
from hygiene.services.refused import Invalid, NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SHAPES = {  # what each kind looks like: a typing error would protect nothing
    ProtectionKind.ARN: (
        r"arn:[a-z-]+:iam::\d{12}:(user/[\x21-\x7e]+|root)",
        "Give a whole ARN, such as arn:aws:iam::111122223333:user/admin.",
    ),
    ProtectionKind.ACCOUNT: (r"\d{12}", "Give the 12 digits of the account number."),
    ProtectionKind.KEY: (r"[A-Z0-9]{16,128}", "Give the whole ID of the key, such as AKIAIOSFODNN7EXAMPLE."),
}
OWN_KEY = Refusal("own_key", "Key Hygiene itself works with this key: change it where the worker gets its credentials.")
OWN = "own"  # beside the kinds of the list: a key that one of our workers signs with
TAG, TAG_VALUE = "hygiene-protected", "true"


@dataclass(frozen=True, slots=True)
class Shield:
    """What is read once for many keys: the protected list, reasons by kind and value; and ids of keys that our workers sign with."""

    reasons: Mapping[tuple[str, str], str]
    own_keys: frozenset[str] = frozenset()

    def refusal(self, principal: Principal, account: Account, access_key_id: str) -> Refusal | None:
        """Why this may not be changed, or None."""
        works_here = getattr(getattr(account, "status", None), "worker_key_user", "")
        if access_key_id in self.own_keys or (works_here and works_here == principal.arn):
            return OWN_KEY
        tags = principal.tags or {}
        if str(tags.get(TAG, "")).lower() == TAG_VALUE:
            return Refusal("protected", f"{principal.name} carries the tag {TAG}={TAG_VALUE}: it is never changed here.")
        places = [(ProtectionKind.ARN, principal.arn), (ProtectionKind.ACCOUNT, account.account_id), (ProtectionKind.KEY, access_key_id)]
        places += [(ProtectionKind.TAG, word) for name, value in tags.items() for word in (name, f"{name}={value}")]
        for kind, value in places:
            if (reason := self.reasons.get((kind, value))) is not None:
                return Refusal("protected", f"Protected ({ProtectionKind(kind).label}): {reason}")
        return None


def shield() -> Shield:
    """What is in force. One query."""
    own = Heartbeat.objects.exclude(access_key_id="").values_list(Value(OWN), "access_key_id", Value(""))
    rows = list(Protection.objects.values_list("kind", "value", "reason").union(own, all=True))
    listed = {(kind, value): reason for kind, value, reason in rows if kind != OWN}
    return Shield(listed, frozenset(value for kind, value, _ in rows if kind == OWN))


@transaction.atomic
def protect(*, kind: str, value: str, reason: str, actor: User, now: datetime) -> Protection:
    """Add to the list. Raises NotAllowed or Invalid."""
    _require(actor)
    errors = {}
    if kind not in ProtectionKind.values:
        errors["kind"] = "Choose what is protected."
    if not value.strip():
        errors["value"] = "Give the ARN, tag, account number or key ID."
    if not reason.strip():
        errors["reason"] = "Say why it is protected."
    if "kind" not in errors and "value" not in errors and (shape := SHAPES.get(ProtectionKind(kind))):
        pattern, words = shape
        if not re.fullmatch(pattern, value.strip()):
            errors["value"] = words
    if not errors and Protection.objects.filter(kind=kind, value=value.strip()).exists():
        errors["value"] = "This is protected already."
    if errors:
        raise Invalid(errors)
    values = {"kind": kind, "value": value.strip(), "reason": reason.strip()}
    row = Protection.objects.create(**values, set_by_name=actor.get_username(), set_at=now)
    audit.record(action="protection.add", outcome="succeeded", now=now, actor=actor, target=row.value, note=row.reason, after=values)
    return row


@transaction.atomic
def unprotect(row: Protection, *, actor: User, now: datetime) -> None:
    """Take off the list. Raises NotAllowed."""
    _require(actor)
    before = {"kind": row.kind, "value": row.value, "reason": row.reason}
    if Protection.objects.filter(pk=row.pk).delete()[0]:
        audit.record(action="protection.remove", outcome="succeeded", now=now, actor=actor, target=row.value, before=before)


def _require(actor: User) -> None:
    if not (actor.is_active and actor.has_perm("hygiene.manage_policy")):
        raise NotAllowed(f"This needs the role {roles_with('hygiene.manage_policy')}.")
