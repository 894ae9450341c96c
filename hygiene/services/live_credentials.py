"""What AWS shows of a password, a signing certificate or an MFA device just before it is changed, and whether the person saw that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.gateway import ListedCertificate
from hygiene.domain.facts import KeyStatus
from hygiene.domain.keys import key_status
from hygiene.models import Remediation
from hygiene.services.live_checks import DELETED, last_use_refusal
from hygiene.services.permissions import Refusal

ACTIVE, INACTIVE = "Active", "Inactive"


@dataclass(frozen=True, slots=True)
class LiveCredential:
    """`status`: Active, Inactive, or DELETED for what is not there. `of` holds everything of its kind that AWS listed."""

    status: str
    credential_id: str = ""
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    holder_created_at: datetime | None = None
    of: tuple[Any, ...] = ()
    blocker: Refusal | None = None

    def as_json(self) -> dict[str, Any]:
        """For the row and the audit log."""
        times = {"created_at": self.created_at, "last_used_at": self.last_used_at}
        known = {name: moment.isoformat() for name, moment in times.items() if moment is not None}
        return {"status": self.status} | ({"id": self.credential_id} if self.credential_id else {}) | known


def certificate_in(listed: Iterable[ListedCertificate], remediation: Remediation) -> LiveCredential:
    """The certificate of the change: by its id, else by the second of its upload and the status that was seen; two such are none.

    A report does not tell ids of certificates. Once a look has found the id it stays the one.
    """
    everything = tuple(listed)
    wanted = str(remediation.live_before.get("id") or remediation.target_id)
    found = [one for one in everything if one.certificate_id == wanted]
    if not found and remediation.seen_created_at is not None and not remediation.live_before.get("id"):
        born = _second(remediation.seen_created_at)
        same = [one for one in everything if one.uploaded_at is not None and _second(one.uploaded_at) == born]
        found = same if wanted == as_target(remediation.seen_created_at) else []
    if len(found) > 1:
        blocker = Refusal("ambiguous", "Two certificates of the same second cannot be told apart, so neither is changed here.")
        return LiveCredential(found[0].status, of=everything, blocker=blocker)
    if not found:
        return LiveCredential(DELETED, wanted, of=everything)
    return LiveCredential(found[0].status, found[0].certificate_id, found[0].uploaded_at, of=everything)


def as_target(uploaded_at: datetime) -> str:
    """How a certificate is named whose id is not known."""
    return f"of {uploaded_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def judge_credential(remediation: Remediation, live: LiveCredential, now: datetime, *, noun: str, wanted: str) -> Refusal | None:
    """The first difference between live AWS and what the person saw, or None."""
    if live.blocker is not None:
        return live.blocker
    if live.status == DELETED:
        return Refusal("gone", f"AWS no longer shows {noun}, so there is nothing to change.")
    born, known = live.holder_created_at, remediation.principal.created_at
    if born is not None and known is not None and _second(born) != _second(known):
        return Refusal(
            "created_differs", "AWS gives another creation date for this user than is known here: somebody may have made it anew."
        )
    if remediation.seen_created_at and live.created_at and _second(live.created_at) != _second(remediation.seen_created_at):
        return Refusal("created_differs", f"AWS gives another date for {noun} than you saw.")
    if live.status == wanted:
        return Refusal("already", f"Already {wanted.lower()}: somebody changed it since you looked. Nothing was done here.")
    if key_status(live.status) != KeyStatus(remediation.seen_status or KeyStatus.ACTIVE):
        return Refusal("status_changed", f"AWS shows {noun} as {live.status.lower()}, which is not what you saw.")
    return last_use_refusal(remediation, live.last_used_at, now)


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
