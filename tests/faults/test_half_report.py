"""A poll that fails between the first and the last row it writes leaves everything as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import models

from hygiene.models import AccessKey, AccountStatus, DailyPosture, Finding, KeyEvent, Principal
from hygiene.services import findings, posture, reconciling
from tests.factories import estate, poll

WRITTEN: tuple[type[models.Model], ...] = (Principal, AccessKey, KeyEvent, Finding, DailyPosture, AccountStatus)


class MachineGoesDown(Exception):
    """What a kill looks like from inside."""


def _everything() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in WRITTEN}


@pytest.mark.django_db
@pytest.mark.parametrize(("module", "step"), [(findings, "mark_worst"), (reconciling, "write"), (posture, "refresh")])
def test_a_report_that_fails_half_way_changes_nothing(module: Any, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    account, world = estate(users=8)
    world.now += timedelta(hours=5)
    world.user("newcomer")
    world.key("newcomer")
    del world.users["user-0001"]
    before = _everything()

    def fails(*_: object, **__: object) -> None:
        raise MachineGoesDown

    monkeypatch.setattr(module, step, fails)
    with pytest.raises(MachineGoesDown):
        poll(account, world)
    after = _everything()

    for rows in (before, after):  # the live summary is a step of its own, and its time may move
        for status in rows["AccountStatus"]:
            del status["summary_observed_at"], status["mfa_devices_observed_at"], status["summary_users"]
    assert after == before
