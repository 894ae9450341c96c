"""What became of an account's last credential report, in words for its page: complete, partial or rejected, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Account
from hygiene.domain.wording import plural
from hygiene.models import AccountStatus, Poll, PollOutcome

JUDGED = (PollOutcome.COMPLETE, PollOutcome.PARTIAL, PollOutcome.REJECTED)
WORDS = {PollOutcome.COMPLETE: "Complete", PollOutcome.PARTIAL: "Partial", PollOutcome.REJECTED: "Rejected"}
MEANING = {
    PollOutcome.COMPLETE: "Users that are not in it are gone.",
    PollOutcome.PARTIAL: "Users that are not in it are not taken for gone. Counts of the account are unknown until a complete one comes.",
    PollOutcome.REJECTED: "Nothing of it was used: what was known before stands, and is not counted as current.",
}
SHOWN = 10


@dataclass(frozen=True, slots=True)
class ToldReport:
    """One report as the page tells it. `made_at` None: a rejected report whose answer gave no time. `reasons`: sentences."""

    outcome: PollOutcome
    read_at: datetime | None
    made_at: datetime | None
    contents: str
    reasons: tuple[str, ...]
    more: int

    @property
    def word(self) -> str:
        """Complete, Partial or Rejected."""
        return WORDS[self.outcome]

    @property
    def is_complete(self) -> bool:
        """Whether it tells of everybody."""
        return self.outcome is PollOutcome.COMPLETE

    @property
    def meaning(self) -> str:
        """What follows from it for users that are not in it."""
        return MEANING[self.outcome]


def last_report(account: Account, status: AccountStatus | None, recent: Sequence[Poll]) -> ToldReport | None:
    """The newest report that came, by the poll that read it; None when none ever came. `recent`: the newest polls, newest first.

    One query where none of them read a report.
    """
    found = (poll for poll in recent if poll.outcome in JUDGED)
    poll = next(found, None) or account.polls.filter(outcome__in=JUDGED).order_by("-pk").first()
    if poll is None or status is None:
        return None
    outcome = _of_report(poll, status)
    reasons = [poll.error] if outcome is PollOutcome.REJECTED else list(poll.warnings)
    contents = plural(poll.users_total, "user")
    contents += f", {plural(poll.rows_quarantined, 'row')} set aside" if poll.rows_quarantined else ""
    return ToldReport(
        outcome,
        poll.finished_at,
        poll.report_generated_at,
        "" if outcome is PollOutcome.REJECTED else contents,
        tuple(reasons[:SHOWN]),
        max(0, len(reasons) - SHOWN),
    )


def _of_report(poll: Poll, status: AccountStatus) -> PollOutcome:
    """A poll may be partial for another reason than its report, such as a list of keys that is refused."""
    is_rejected = poll.outcome == PollOutcome.REJECTED
    is_whole = poll.outcome == PollOutcome.COMPLETE or (not poll.rows_quarantined and status.report_is_complete)
    return PollOutcome.REJECTED if is_rejected else PollOutcome.COMPLETE if is_whole else PollOutcome.PARTIAL
