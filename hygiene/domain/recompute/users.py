"""Outcomes of the rules about users: passwords, MFA, other credentials, permissions and owners, from evidence alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hygiene.domain.recompute.evidence import FAIL, NO_USE, NOT_APPLICABLE, PASS, UNKNOWN, Evidence, at_least, oldest, over, read_time
from hygiene.domain.verdicts import Outcome


def _password_no_mfa(e: Evidence) -> Outcome:
    if e["console password"] == "none":
        return NOT_APPLICABLE
    if e["mfa"] == "on":
        return PASS
    return FAIL if (e["console password"], e["mfa"]) == ("enabled", "off") else UNKNOWN


def _password_unused(e: Evidence) -> Outcome:
    if e["console password"] == "none":
        return NOT_APPLICABLE
    if e["console password"] == "unknown":
        return UNKNOWN
    return at_least(e.days("password last changed" if e["last sign-in"] in NO_USE else "last sign-in"), e.numbers["days"])


def _password_too_old(e: Evidence) -> Outcome:
    if e["console password"] == "none":
        return NOT_APPLICABLE
    due = e.moment("next rotation")
    if e["console password"] == "enabled" and due is not None and due < e.now:
        return FAIL
    return UNKNOWN if e["console password"] == "unknown" else over(e.days("password last changed"), e.numbers["days"])


def _mfa_virtual_only(e: Evidence) -> Outcome:
    if e["console password"] == "none" or e["mfa"] in ("off", "n/a"):
        return NOT_APPLICABLE
    if "unknown" in (e["console password"], e["mfa"], e["mfa kinds"]) or not e["mfa kinds"] or "others unknown" in e["mfa kinds"]:
        return UNKNOWN
    return FAIL if e["mfa kinds"] == "virtual" else PASS


def _certificate_old(e: Evidence) -> Outcome:
    return UNKNOWN if e.has("certificates") else oldest(e, "active certificate ")


def _ssh_key_old(e: Evidence) -> Outcome:
    return UNKNOWN if e.has("SSH keys") else oldest(e, "active SSH key ")


def _service_credential(e: Evidence) -> Outcome:
    if e.has("service-specific credentials"):
        return UNKNOWN
    ends = e.all("active Bedrock API key ")
    if not ends:
        return NOT_APPLICABLE
    lasting = [end for end in ends if end == "never" or ((moment := read_time(end)) is not None and moment > e.now)]
    return FAIL if lasting else PASS


def _key_admin(e: Evidence) -> Outcome:
    return {"yes": FAIL, "no": PASS}.get(e["administrator"], UNKNOWN) if e.is_active() else NOT_APPLICABLE


def _own_policies(e: Evidence) -> list[str]:
    """Those on the user itself, each with how it comes to the user."""
    return [name for name in e["policies"].split("; ") if name.endswith(("(user)", "(inline)"))]


def _key_quarantined(e: Evidence) -> Outcome:
    if e["policies"] == "unknown":
        return UNKNOWN
    return FAIL if any(name.startswith("AWSCompromisedKeyQuarantine") for name in _own_policies(e)) else PASS


def _user_direct_policy(e: Evidence) -> Outcome:
    if e["policies"] == "unknown":
        return UNKNOWN
    return FAIL if _own_policies(e) else PASS


def _user_no_owner(e: Evidence) -> Outcome:
    if e["owner"] == "unknown":
        return UNKNOWN
    return FAIL if e["owner"] == "none" or e["found by"] == "account" else PASS


def _key_shared(e: Evidence) -> Outcome:
    if not e.is_active() or e["applications"] in ("not looked for", "none seen"):
        return NOT_APPLICABLE
    if len(e["applications"].split("; ")) > 1:
        return FAIL
    return PASS if e["whole history read"] == "yes" else UNKNOWN


def _user_role_would_do(e: Evidence) -> Outcome:
    return NOT_APPLICABLE if e["places of use"] == "none seen" else FAIL


CHECKS: Mapping[str, Callable[[Evidence], Outcome]] = {
    "key.admin": _key_admin,
    "key.quarantined": _key_quarantined,
    "key.shared": _key_shared,
    "password.no_mfa": _password_no_mfa,
    "password.unused": _password_unused,
    "password.too_old": _password_too_old,
    "mfa.virtual_only": _mfa_virtual_only,
    "certificate.old": _certificate_old,
    "ssh_key.old": _ssh_key_old,
    "service_credential.long_lived": _service_credential,
    "user.no_owner": _user_no_owner,
    "user.direct_policy": _user_direct_policy,
    "user.role_would_do": _user_role_would_do,
}
