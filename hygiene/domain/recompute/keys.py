"""Outcomes of the rules about access keys, from evidence alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hygiene.domain.recompute.evidence import FAIL, NO_USE, NOT_APPLICABLE, PASS, UNKNOWN, Evidence, at_least, over
from hygiene.domain.verdicts import Outcome


def _key_too_old(e: Evidence) -> Outcome:
    return over(e.days("created"), e.numbers["days"]) if e.is_active() else NOT_APPLICABLE


def _key_unused(e: Evidence) -> Outcome:
    if not e.is_active():
        return NOT_APPLICABLE
    return at_least(e.days("created" if e["last used"] in NO_USE else "last used"), e.numbers["days"])


def _key_never_used(e: Evidence) -> Outcome:
    if not e.is_active():
        return NOT_APPLICABLE
    if e["last used"] not in NO_USE:
        return UNKNOWN if e.moment("last used") is None else PASS
    return at_least(e.days("created"), e.numbers["days"])


def _key_inactive_left(e: Evidence) -> Outcome:
    return NOT_APPLICABLE if e.is_active() else over(e.days("first seen inactive"), e.numbers["days"])


def _key_status_other(e: Evidence) -> Outcome:
    return PASS if e["status"].lower() in ("active", "inactive") else FAIL


def _key_created_at_setup(e: Evidence) -> Outcome:
    if not e.is_active() or e["console password"] == "none":
        return NOT_APPLICABLE
    if e.moment("last used") is not None:
        return PASS
    return FAIL if e["console password"] == "enabled" and e["last used"] in NO_USE else UNKNOWN


def _key_superseded(e: Evidence) -> Outcome:
    if not e.has("other key created"):
        return UNKNOWN if e.is_active() and "no" in e.all("all keys known") else NOT_APPLICABLE
    born, other_born = e.moment("created"), e.moment("other key created")
    if born is None or other_born is None or None in (e.days("created"), e.days("other key created")):
        return UNKNOWN
    if born >= other_born:
        return NOT_APPLICABLE
    used, other_used = e.moment("last used"), e["other key last used"]
    if (used is not None and used > other_born) or other_used in NO_USE:
        return PASS
    return FAIL if (used is not None or e["last used"] in NO_USE) and e.days("other key last used") is not None else UNKNOWN


def _slot_ambiguous(e: Evidence) -> Outcome:
    return FAIL if e["match"] == "ambiguous" and e.is_active() else PASS


def _key_two_active(e: Evidence) -> Outcome:
    if sum(value.lower() == "active" for value in e.all("status")) >= 2:
        return FAIL
    return PASS if e["all keys known"] == "yes" else UNKNOWN


def _key_rotation_stalled(e: Evidence) -> Outcome:
    if e.has("all keys known"):
        return NOT_APPLICABLE if e["all keys known"] == "yes" or not e.all("status") else UNKNOWN
    if not e.has("newer key created"):
        return UNKNOWN
    newer = e.days("newer key created")
    if newer is None:
        return UNKNOWN
    if e.moment("created") == e.moment("newer key created"):
        return NOT_APPLICABLE
    if newer <= e.numbers["newer_older_than"] or e["last used"] in NO_USE:
        return PASS
    idle = e.days("last used")
    return UNKNOWN if idle is None else (FAIL if idle <= e.numbers["older_used_within"] else PASS)


def _key_with_password(e: Evidence) -> Outcome:
    has_active, is_sure = e["active keys"] != "0", e["all keys known"] == "yes"
    if not has_active and is_sure:
        return NOT_APPLICABLE
    if e["console password"] == "none":
        return PASS
    return FAIL if e["console password"] == "enabled" and has_active else UNKNOWN


CHECKS: Mapping[str, Callable[[Evidence], Outcome]] = {
    "key.too_old": _key_too_old,
    "key.unused": _key_unused,
    "key.unused_90": _key_unused,
    "key.never_used": _key_never_used,
    "key.two_active": _key_two_active,
    "key.rotation_stalled": _key_rotation_stalled,
    "key.superseded": _key_superseded,
    "key.inactive_left": _key_inactive_left,
    "key.with_password": _key_with_password,
    "key.created_at_setup": _key_created_at_setup,
    "key.status_other": _key_status_other,
    "slot.ambiguous": _slot_ambiguous,
}
