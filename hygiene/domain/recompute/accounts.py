"""Outcomes of the rules about root, the organization and the account, from evidence alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hygiene.domain.ages import is_in_future
from hygiene.domain.recompute.evidence import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Evidence, read_time
from hygiene.domain.verdicts import Outcome


def _root_key_present(e: Evidence) -> Outcome:
    keys = e.all("root key created ")
    if e["root key present"] == "yes" or (e["root key present"] == "unknown" and keys) or any(value != "active" for value in keys):
        return FAIL
    return PASS if e["root key present"] == "no" or e["root slots readable"] == "yes" else UNKNOWN


def _root_certificate_present(e: Evidence) -> Outcome:
    return {"yes": FAIL, "no": PASS}.get(e["root certificate present"], UNKNOWN)


def _root_no_mfa(e: Evidence) -> Outcome:
    password, key = e["root password"], e["root active key"]
    if e["root can sign in"] == "no":
        if key == "no":
            return NOT_APPLICABLE
        ways = {key}
    else:
        ways = {password, key} if e.numbers["counts_keys"] else {password}
    if e["root MFA"] == "yes" or ways == {"no"}:
        return PASS
    return FAIL if e["root MFA"] == "no" and "yes" in ways else UNKNOWN


def _root_virtual_mfa(e: Evidence) -> Outcome:
    mfa, virtual, key = e["root MFA"], e["virtual device of root"], e["root active key"]
    if e["root can sign in"] == "no" and key != "yes":
        return NOT_APPLICABLE if key == "no" else UNKNOWN
    if mfa == "no" and virtual != "yes":
        return NOT_APPLICABLE
    return {"yes": FAIL, "no": PASS}.get(virtual, UNKNOWN) if mfa == "yes" else UNKNOWN


def _root_used(e: Evidence) -> Outcome:
    if e.has("root row"):
        return UNKNOWN
    uses = e.all("root key last used")
    if e["root can sign in"] == "yes" or e.moment("last root sign-in") is not None:
        uses.append(e["last root sign-in"])
    days = [e.age(use) for use in uses if read_time(use) is not None]
    if any(day is not None and day <= e.numbers["days"] for day in days):
        return FAIL
    return PASS if e["root slots readable"] == "yes" and None not in days and "unknown" not in uses else UNKNOWN


def _root_password_present(e: Evidence) -> Outcome:
    role, central, root = e["role in the organization"], e["central root management"], e["root password"]
    if role in ("none", "management"):
        return NOT_APPLICABLE
    if root == "no":
        return PASS
    if role != "unknown" and central == "no":
        return NOT_APPLICABLE
    return FAIL if role != "unknown" and (central, root) == ("yes", "yes") else UNKNOWN


def _org_central_root_off(e: Evidence) -> Outcome:
    if e["role in the organization"] in ("none", "member"):
        return NOT_APPLICABLE
    if "unknown" in (e["role in the organization"], e["features"]):
        return UNKNOWN
    return PASS if "RootCredentialsManagement" in e["features"].split(", ") else FAIL


def _account_password_policy(e: Evidence) -> Outcome:
    if e["password policy set"] != "yes":
        return FAIL if e["password policy set"] == "no" else UNKNOWN
    enough = [
        e[name].isdigit() and int(e[name]) >= e.numbers[number]
        for name, number in (("minimum length", "minimum_length"), ("reuse prevention", "reuse_prevention"))
    ]
    return PASS if all(enough) else FAIL


def _account_stale(e: Evidence) -> Outcome:
    if e["polled"] == "no":
        return NOT_APPLICABLE
    made = e.moment("newest report")
    if made is None:
        return FAIL
    if is_in_future(made, e.now):
        return UNKNOWN
    is_late = (e.now - made).total_seconds() > e.numbers["hours"] * 3600
    return FAIL if is_late or e["last poll complete"] == "no" else PASS


def _account_unreachable(e: Evidence) -> Outcome:
    if e["polled"] == "no":
        return NOT_APPLICABLE
    return PASS if e["readable"] == "yes" else FAIL


def _tool_long_term_key(e: Evidence) -> Outcome:
    return {"unknown": UNKNOWN, "none": NOT_APPLICABLE}.get(e["IAM user of our own key"], FAIL)


CHECKS: Mapping[str, Callable[[Evidence], Outcome]] = {
    "root.key_present": _root_key_present,
    "root.password_present": _root_password_present,
    "root.certificate_present": _root_certificate_present,
    "root.no_mfa": _root_no_mfa,
    "root.virtual_mfa": _root_virtual_mfa,
    "root.used": _root_used,
    "org.central_root_off": _org_central_root_off,
    "account.password_policy": _account_password_policy,
    "account.stale": _account_stale,
    "account.unreachable": _account_unreachable,
    "tool.long_term_key": _tool_long_term_key,
}
