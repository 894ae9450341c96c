"""R4: PostgreSQL is stopped at once in mid-run: an error page, never a wrong answer, and everything goes on once it is back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster, cluster, programs
from tests.faults.laboratory import Laboratory, laboratory, stops
from tests.faults.long_form import FULL
from tests.faults.test_killed_changes import ACTIONS, complaints
from tests.faults.test_killed_polls import complaints as complaints_of_poll

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900), pytest.mark.xdist_group("laboratory")]
EVERY = 1 if FULL else 16


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    found = programs()
    if found is None:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("PostgreSQL's initdb was not found, and REQUIRE_SERVICES=1 makes that a failure.")
        pytest.skip("PostgreSQL's initdb was not found, so no database was stopped.")
    with cluster(found) as made:
        yield made


@pytest.fixture(scope="module")
def on_server(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder: Path = tmp_path_factory.mktemp("stopping")
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    with laboratory(folder, server.impatient_url, serial=2, users=30 if FULL else 6, accounts=4, **settings) as found:
        yield found


@pytest.mark.parametrize("action", ["disable", "delete"] if FULL else ["disable"])
def test_a_change_in_mid_run_is_settled_once_the_database_is_back(on_server: Laboratory, server: Cluster, action: str) -> None:
    call, _ = ACTIONS[action]
    dry = on_server.key_for(action)
    crossed = on_server.run("change", action=action, key=dry)["crossed"]
    found = complaints(on_server, action, dry, on_server.result("settle", key=dry))
    assert f"wire {call}" in crossed
    for stop in stops(crossed, every=EVERY, first=1):
        key = on_server.key_for(action)
        frozen = on_server.run("change", action=action, key=key, stop={**stop, "is_frozen": True})
        server.stop()
        on_server.order(wake=frozen["pid"])
        server.start()
        said = complaints(on_server, action, key, on_server.result("settle", key=key))
        found += [f"stopped {stop['side']} {stop['at']} ({crossed[stop['at'] - 1]}): {sentence}" for sentence in said]
    assert found == []
    assert on_server.result("verify") == ""


def test_pages_are_an_error_while_it_is_away_and_right_again_after(on_server: Laboratory, server: Cluster) -> None:
    before = on_server.run("pages", addresses=["/keys/", "/healthz/live", "/healthz/ready"])
    server.stop()
    during = on_server.order(wake=before["pid"])
    server.start()
    shown = on_server.order(wake=during["pid"])["result"]
    counts = [re.findall(r"(\d+) keys", page["/keys/"][1]) for page in shown]
    assert [shown[0]["/keys/"][0], shown[1]["/keys/"][0], shown[2]["/keys/"][0]] == [200, 500, 200]
    assert counts[0]
    assert counts == [counts[0], [], counts[0]]
    assert "Something failed" in shown[1]["/keys/"][1]
    assert [page["/healthz/live"][0] for page in shown] == [200, 200, 200]
    assert '"database": "no answer"' in shown[1]["/healthz/ready"][1]
    assert '"database": "ok"' in shown[2]["/healthz/ready"][1]


def test_a_poller_frozen_in_a_transaction_does_not_hold_its_account(on_server: Laboratory) -> None:
    account = on_server.account_for().number
    crossed = on_server.run("poll", account=on_server.account_for().number)["crossed"]
    commits = [at for at, name in enumerate(crossed, 1) if name == "commit"]
    frozen = on_server.run("poll", account=account, stop={"at": commits[1], "side": "before", "is_frozen": True})
    end = on_server.result("settle_poll", account=account)
    assert complaints_of_poll(on_server, account, end) == []
    on_server.order(wake=frozen["pid"])
    assert on_server.result("facts", account=account) == {name: value for name, value in end.items() if name != "seconds"}
