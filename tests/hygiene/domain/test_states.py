"""State of an account's data: only a current complete report counts as reporting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hygiene.domain.states import STATE_WORDS, AccountState, account_state
from tests.hygiene.domain.cases import NOW, ago

GOOD: dict[str, Any] = {
    "is_polled": True,
    "is_suspended": False,
    "access_lost": False,
    "report_generated_at": ago(hours=1),
    "report_is_complete": True,
    "now": NOW,
}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, AccountState.OK),
        ({"report_generated_at": ago(hours=12)}, AccountState.OK),
        ({"report_generated_at": ago(hours=12, seconds=1)}, AccountState.STALE),
        ({"report_generated_at": ago(hours=3), "stale_after": timedelta(hours=2)}, AccountState.STALE),
        ({"report_is_complete": False}, AccountState.STALE),
        ({"report_generated_at": None}, AccountState.NEVER_POLLED),
        ({"access_lost": True, "report_generated_at": None}, AccountState.ACCESS_LOST),
        ({"is_polled": False, "access_lost": True}, AccountState.PAUSED),
        ({"is_suspended": True, "is_polled": False}, AccountState.SUSPENDED),
    ],
)
def test_the_first_state_that_applies_holds(facts: dict[str, Any], state: AccountState) -> None:
    assert account_state(**{**GOOD, **facts}) is state


def test_every_state_has_a_word() -> None:
    assert set(STATE_WORDS) == set(AccountState)
