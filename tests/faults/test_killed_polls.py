"""R2: SIGKILL at every boundary of a poll, and a frozen poller that wakes after another took over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.laboratory import Laboratory, stops
from tests.faults.long_form import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("laboratory")]
WITHIN = 12 * 60
EVERY = 1 if FULL else 14


def crossed_by_a_poll(laboratory: Laboratory) -> list[str]:
    account = laboratory.account_for().number
    found: list[str] = laboratory.run("poll", account=account)["crossed"]
    laboratory.result("rest", account=account)
    return found


def complaints(laboratory: Laboratory, account: str, end: dict[str, Any]) -> list[str]:
    """Every way in which this end breaks the promise. The truth is the fake AWS's own."""
    truth = laboratory.aws.world.organization.account(account)
    keys = sorted([user.name, key.access_key_id, "active"] for user in truth.users for key in user.keys)
    checks = {
        f"pollable again after {end['seconds']:.0f} s": end["seconds"] <= WITHIN,
        f"polls ended {end['polls']}": end["polls"][-1] == "complete" and "unfinished" not in end["polls"],
        f"users {end['users']}": end["users"] == [user.name for user in truth.users],
        f"keys {end['keys']}": sorted(end["keys"]) == keys,
        "no findings": bool(end["findings"]),
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def half_done(laboratory: Laboratory, account: str) -> list[str]:
    """Users and findings come in one transaction: all of them or none."""
    now = laboratory.result("facts", account=account)
    return [] if (len(now["users"]), bool(now["findings"])) in ((0, False), (3, True)) else [f"half a report is shown: {now}"]


def test_a_killed_poller_corrupts_nothing_and_its_account_is_polled_again(laboratory: Laboratory) -> None:
    found, crossed = [], crossed_by_a_poll(laboratory)
    for stop in stops(crossed, every=EVERY, first=1):
        account = laboratory.account_for().number
        laboratory.run("poll", account=account, stop=stop)
        said = half_done(laboratory, account)
        said += complaints(laboratory, account, laboratory.result("settle_poll", account=account))
        laboratory.result("rest", account=account)
        found += [f"killed {stop['side']} {stop['at']} ({crossed[stop['at'] - 1]}): {sentence}" for sentence in said]
    assert found == []


def test_a_poller_that_wakes_after_another_took_over_writes_nothing(laboratory: Laboratory) -> None:
    found, crossed = [], crossed_by_a_poll(laboratory)
    outside = [at for at, name in enumerate(crossed, 1) if name.startswith("wire")]  # inside a transaction the database's lock is held
    for at in outside[1 :: 1 if FULL else 8]:
        account = laboratory.account_for().number
        frozen = laboratory.run("poll", account=account, stop={"at": at, "side": "after", "is_frozen": True})
        end = laboratory.result("settle_poll", account=account)
        said = complaints(laboratory, account, end)
        before = laboratory.result("facts", account=account)
        woken = laboratory.order(wake=frozen["pid"])
        after = laboratory.result("facts", account=account)
        if before != after or "error" in woken:
            said.append(f"the zombie changed {before} into {after} and said {woken}")
        laboratory.result("rest", account=account)
        found += [f"frozen after {at} ({crossed[at - 1]}): {sentence}" for sentence in said]
    assert found == []
