"""What a poll costs in calls to AWS: the first one, later ones, and after a change. The table of docs/aws-access.md says the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from hygiene.models import Poll
from tests.fakes import FakeAwsAccount

RunPoll = Callable[[], Poll]
LATER = timedelta(hours=5)
HOLDERS, OTHERS, VIRTUAL = 12, 8, 5
UNITS = {"each user that holds a key": HOLDERS, "each console user with a virtual device": VIRTUAL, "1,000 devices": 1, "1,000 users": 1}
CELL = re.compile(r"(?P<count>\d+)(?P<more> or more[^;]*)?(?: (?:for|per) (?P<unit>[^;]+))?(?:;.*)?")
PATIENT = "GenerateCredentialReport"  # asked until it is ready


def _table() -> dict[str, list[str]]:
    """Cells of the documented table by call."""
    text = (Path(settings.BASE_DIR) / "docs" / "aws-access.md").read_text().partition("## Calls that a poll makes")[2]
    rows = [line.strip("| ").split(" | ") for line in text.partition("\nOnce in")[0].splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows if not row[0].startswith(("---", "|")) and len(row) == 4}


def _told(cell: str) -> int:
    found = CELL.fullmatch(cell.strip())
    assert found is not None, cell
    return int(found["count"]) * UNITS.get(found["unit"] or "", 1)


def _counted(world: FakeAwsAccount, run: RunPoll) -> Counter[str]:
    before = len(world.log)
    done = run()
    assert done.outcome == "complete"
    made = Counter(name for name, _ in world.log[before:])
    assert done.calls == sum(made.values())
    assert 1 <= made[PATIENT] <= 2
    return made


def _staff(world: FakeAwsAccount) -> None:
    for place in range(HOLDERS):
        world.user(f"holder-{place}")
        world.key(f"holder-{place}")
    for place in range(OTHERS):
        serials = ["GAHT12345678"] if place == 0 else []
        world.user(f"other-{place}", password_enabled=True, mfa=place < VIRTUAL, virtual_mfa=place < VIRTUAL, other_mfa=serials)


def _assert_as_told(made: Counter[str], column: int) -> None:
    table = _table()
    assert {name: made[name] for name in table if name != PATIENT} == {
        name: _told(cells[column]) for name, cells in table.items() if name != PATIENT
    }


def test_a_first_poll_gets_one_report_and_lists_only_users_that_hold_a_key(poll: RunPoll, world: FakeAwsAccount) -> None:
    _staff(world)
    made = _counted(world, poll)
    _assert_as_told(made, 0)
    assert {parameters["user_name"] for name, parameters in world.log if name == "ListAccessKeys"} == {
        f"holder-{place}" for place in range(HOLDERS)
    }


@pytest.mark.parametrize("more", [0, 30])
def test_an_account_without_changes_costs_the_same_whatever_its_size(more: int, poll: RunPoll, world: FakeAwsAccount) -> None:
    _staff(world)
    for place in range(more):
        world.user(f"more-{place}")
        world.key(f"more-{place}")
    poll()
    world.now += LATER
    made = _counted(world, poll)
    _assert_as_told(made, 1)
    assert set(made) <= set(_table())


def test_after_one_rotation_one_user_is_listed(poll: RunPoll, world: FakeAwsAccount) -> None:
    _staff(world)
    poll()
    world.now += LATER
    world.key("holder-3", created_at=world.now - timedelta(minutes=5))
    _assert_as_told(_counted(world, poll), 2)
    assert world.log[-1][1] == {"user_name": "holder-3"}


def test_details_cost_calls_once_a_day(poll: RunPoll, world: FakeAwsAccount) -> None:
    _staff(world)
    poll()
    world.now += LATER
    poll()
    assert world.calls("GetAccountAuthorizationDetails") == 1
    world.now += timedelta(hours=24)
    made = _counted(world, poll)
    assert {name: made[name] for name in made if name not in _table()} == {
        "GetAccountPasswordPolicy": 1,
        "DescribeOrganization": 1,
        "GetAccountAuthorizationDetails": 1,
        "ListServiceSpecificCredentials": 1,
        "ListSSHPublicKeys": HOLDERS + OTHERS,
    }
