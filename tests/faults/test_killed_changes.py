"""R1: SIGKILL at every boundary of a change, whatever became of its call. AWS's own log is the oracle.

`make faults` kills at every boundary, on both sides of it; the ordinary run takes every n-th, another one for each action and fate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.fake_aws import Fault
from tests.faults.laboratory import Laboratory, stops
from tests.faults.long_form import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("laboratory")]
ACTIONS = {"disable": ("UpdateAccessKey", "Inactive"), "enable": ("UpdateAccessKey", "Active"), "delete": ("DeleteAccessKey", None)}
FATES = {"answered": "", "not sent": "reset", "answer lost": "applied-then-reset"}
CASES = [(action, fate) for action in ACTIONS for fate in FATES]
DONE = ("succeeded", "succeeded_observed")
SHOWN = {"Active": "active", "Inactive": "inactive", None: "deleted"}
EVERY = 1 if FULL else 20


@pytest.fixture
def clear(laboratory: Laboratory) -> Iterator[None]:
    laboratory.aws.world.faults.clear()
    yield
    laboratory.aws.world.faults.clear()


def one_case(laboratory: Laboratory, action: str, fate: str, stop: dict[str, Any] | None) -> tuple[str, dict[str, Any], list[str]]:
    """A change of a fresh key, its kill and its settling: the key, how it ended, and what was crossed."""
    call, _ = ACTIONS[action]
    key = laboratory.key_for(action)
    laboratory.aws.world.faults.clear()
    if FATES[fate]:
        laboratory.aws.world.fail(Fault(laboratory.number, call, kind=FATES[fate]))
    crossed = laboratory.run("change", action=action, key=key, stop=stop)["crossed"]
    return key, laboratory.result("settle", key=key), crossed


def complaints(laboratory: Laboratory, action: str, key: str, end: dict[str, Any]) -> list[str]:
    """Every way in which this end breaks the promise."""
    _, wanted = ACTIONS[action]
    calls, status, told = laboratory.calls(key), laboratory.aws.world.status_of(key), end["told"]
    is_done = status == wanted
    checks = {
        f"{len(calls)} calls changed it in AWS": len(calls) <= 1,
        f"AWS shows {status} after {len(calls)} calls": is_done == bool(calls),
        f"ended {end['state']} while AWS shows {status}": end["state"] in (DONE if is_done else ("not_applied",)),
        f"took {end['seconds']:.0f} s": end["seconds"] <= 120,
        f"pages show {end['shown']}": end["shown"] == SHOWN[status],
        f"the audit log ends with {told[-1:]}": bool(told) and told[-1] == end["state"],
        f"the audit log tells of {told.count('calling')} calls": told.count("calling") == 1,
        "AWS was called before the audit event was committed": all(call["committed"] in (1, None) for call in calls),
        "the session may act on others": all(laboratory.reaches(call) == [call["parameters"]["UserName"]] for call in calls),
        "the session does not lead to the operator": all(_leads_to_operator(call, end) for call in calls),
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def _leads_to_operator(call: dict[str, Any], end: dict[str, Any]) -> bool:
    return bool(call["session"] == f"hygiene-o_brien__ops_-{end['reference']}" and call["source_identity"] == "o_brien__ops_")


@pytest.mark.parametrize(("action", "fate"), CASES)
@pytest.mark.usefixtures("clear")
def test_a_killed_worker_never_loses_repeats_or_hides_a_change(laboratory: Laboratory, action: str, fate: str) -> None:
    key, end, crossed = one_case(laboratory, action, fate, None)
    found = [f"undisturbed: {sentence}" for sentence in complaints(laboratory, action, key, end)]
    assert [name for name in crossed if name.startswith("wire")].count(f"wire {ACTIONS[action][0]}") <= 1
    for stop in stops(crossed, every=EVERY, first=CASES.index((action, fate)) * 7):
        key, end, _ = one_case(laboratory, action, fate, stop)
        where = f"killed {stop['side']} {stop['at']} ({crossed[stop['at'] - 1]})"
        found += [f"{where}: {sentence}: {end['told']}" for sentence in complaints(laboratory, action, key, end)]
    assert found == []
