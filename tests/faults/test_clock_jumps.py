"""R8: a worker whose clock jumps by an hour or by 26 deletes nothing early. Digests under such clocks: tests of their services."""

from __future__ import annotations

import pytest

from tests.faults.laboratory import Laboratory

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("laboratory")]


@pytest.mark.parametrize("hours", [-26.0, -1.0, 1.0, 26.0])
def test_a_worker_whose_clock_jumped_deletes_nothing_early(laboratory: Laboratory, hours: float) -> None:
    laboratory.aws.world.faults.clear()
    key = laboratory.key_for("delete")
    laboratory.result("disabled", key=key, days=15)
    (pk,) = laboratory.result("ask", action="delete", keys=[key])
    laboratory.result("disabled", key=key, days=13.1)  # 22 hours must pass yet
    laboratory.move(-laboratory.offset)
    (ended,) = laboratory.result("execute_by_wrong_clock", pks=[pk], hours=hours)
    assert ended in ("refused: waiting", "refused: unreadable:SignatureDoesNotMatch", "requested: ")
    assert laboratory.calls(key) == []
    assert laboratory.aws.world.status_of(key) == "Inactive"
