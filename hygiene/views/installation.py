"""What administrators are told of the environment beside the rest: each with the name of its setting, and never a secret."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from hygiene.domain.profiles import TITLES
from hygiene.domain.wording import plural
from hygiene.environment import WEEKDAYS
from hygiene.services import invitations, policies


@dataclass(frozen=True, slots=True)
class Line:
    """One setting: what it is about, how it stands, and its name."""

    label: str
    value: str
    setting: str
    note: str = ""


def lines() -> list[Line]:
    """All of them, in the order of the panel. No query beyond the policy's, which is kept."""
    return [_sign_on(), _mail(), *_records(), _digest(), _profile()]


def _sign_on() -> Line:
    apps = settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", [])
    return Line("Single sign-on", f"on: {apps[0]['name']}" if apps else "off", "OIDC_ISSUER")


def _mail() -> Line:
    value = "handed to a mail server" if invitations.can_mail() else "printed in the log, none is sent"
    return Line("Mail", value, "EMAIL_URL")


def _records() -> list[Line]:
    days = settings.AUDIT_RETENTION_DAYS
    return [
        Line("Metrics token", "set" if settings.METRICS_TOKEN else "not set, so metrics are closed", "METRICS_TOKEN"),
        Line("Audit log", f"kept for {plural(days, 'day')}" if days else "kept for ever", "AUDIT_RETENTION_DAYS"),
    ]


def _digest() -> Line:
    slot = settings.DIGEST_SCHEDULE
    when = f"{WEEKDAYS[slot.weekday].capitalize()} {slot.at:%H:%M} {slot.zone.key}"
    return Line("Digest", when, "DIGEST_SCHEDULE", "unless a role or a person has another slot")


def _profile() -> Line:
    book = policies.current()
    note = "chosen on the policy page; the setting is not used" if book.is_chosen else "nobody has chosen one on the policy page"
    return Line("Policy profile", TITLES[book.profile], "POLICY_PROFILE", note)
