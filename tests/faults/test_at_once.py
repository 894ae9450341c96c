"""R9 and R11: several beats, more executors than a cap allows, and the kill switch in the midst. AWS's own log is the oracle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.long_form import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("laboratory")]
EXECUTORS = 50 if FULL else 8
WORKERS, EACH = (10, 12) if FULL else (4, 4)
HOUR = 3600.0


@pytest.fixture
def quiet(laboratory: Laboratory) -> Iterator[Laboratory]:
    """Nothing of earlier cases counts any more, and nothing of these later."""
    laboratory.aws.world.faults.clear()
    laboratory.move(25 * HOUR)
    yield laboratory
    laboratory.result("rules", values={"operator_hour_disable": 1000})
    laboratory.move(25 * HOUR)
    laboratory.result("drain")


@pytest.mark.parametrize("beats", [2, 5])
def test_several_beats_poll_each_account_once_in_a_period(quiet: Laboratory, beats: int) -> None:
    number = quiet.account_for().number
    quiet.result("poll", account=number)
    asked = []
    for _ in range(4 if FULL else 2):
        quiet.move(9 * HOUR)  # over the interval of four hours and its whole jitter
        before = quiet.asked("GetCredentialReport", number)
        quiet.together([("beat", {"ticks": 2})] * beats)
        asked.append(quiet.asked("GetCredentialReport", number) - before)
    quiet.result("rest", account=number)
    assert asked == [1] * len(asked)
    assert set(quiet.result("facts", account=number)["polls"]) == {"complete"}


def test_executors_at_the_cap_never_exceed_it(quiet: Laboratory) -> None:
    cap = EXECUTORS // 7 + 2
    keys = [quiet.key_for("disable") for _ in range(EXECUTORS)]
    quiet.result("rules", values={"operator_hour_disable": cap})
    pks = quiet.result("ask", action="disable", keys=keys)
    states = [state for (state,) in quiet.together([("execute", {"pks": [pk]}) for pk in pks])]
    done = [key for key in keys if quiet.calls(key)]
    assert (len(done), states.count("succeeded"), states.count("requested")) == (cap, cap, EXECUTORS - cap)
    assert all(len(quiet.calls(key)) == 1 for key in done)
    assert quiet.result("verify") == ""


def test_the_kill_switch_stops_new_calls_within_five_seconds(quiet: Laboratory) -> None:
    keys = [quiet.key_for("disable") for _ in range(WORKERS * EACH)]
    pks = quiet.result("ask", action="disable", keys=keys)
    orders = [("execute", {"pks": pks[place::WORKERS]}) for place in range(WORKERS)]
    *ended, stopped_at = quiet.together([*orders, ("stop", {"pks": pks, "after": 2})])
    quiet.result("resume")
    calls = [call for key in keys for call in quiet.calls(key)]
    states = [state for worker in ended for state in worker]
    assert [call["time"] - stopped_at for call in calls if call["time"] > stopped_at + 5] == []
    assert set(states) == {"succeeded", "refused"}
    assert states.count("succeeded") == len(calls)
