"""Polls side by side: an account that hangs holds up nobody."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator

import pytest

from accounts.gateway import Unreachable
from hygiene.services import collector, crew, crews
from hygiene.services.crew import Crew, Watch, beside, from_list
from tests.fakes import FakeAwsAccount


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "PATIENCE", 0.05)
    monkeypatch.setattr(crew, "LOOKS_EVERY", 0.01)


@pytest.fixture
def answer() -> Iterator[threading.Event]:
    """Set when AWS answers at last."""
    event = threading.Event()
    yield event
    event.set()


def test_more_hanging_accounts_than_slots_let_all_others_through(answer: threading.Event) -> None:
    def work(item: str, watch: Watch) -> str:
        if item.startswith("hangs"):
            with watch.waiting():
                answer.wait(10)
        return item

    items = ["hangs-1", "hangs-2", "hangs-3", *(f"answers-{n}" for n in range(20))]
    results = Crew(work, from_list(items), size=2).run()
    first = [next(results) for _ in range(20)]
    assert all(name.startswith("answers") for name in first)
    answer.set()
    assert sorted(results) == ["hangs-1", "hangs-2", "hangs-3"]


def test_no_more_run_at_a_time_than_there_are_slots() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(item: int, watch: Watch) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return item

    assert sorted(Crew(work, from_list(range(40)), size=4).run()) == list(range(40))
    assert most == 4


def test_an_error_is_raised_to_whoever_reads_the_results() -> None:
    def work(item: int, watch: Watch) -> int:
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        list(Crew(work, from_list([1]), size=1).run())


def test_a_workers_turn_is_over_when_its_account_hangs_and_the_poll_goes_on(answer: threading.Event) -> None:
    done = threading.Event()

    def work(watch: Watch) -> None:
        with watch.waiting():
            answer.wait(10)
        done.set()

    assert beside(work) is False
    assert not done.is_set()
    answer.set()
    assert done.wait(10)


def test_a_worker_sees_a_poll_through_that_gets_answers() -> None:
    seen = []
    assert beside(lambda watch: seen.append(threading.current_thread())) is True
    assert seen != [threading.current_thread()]
    with pytest.raises(ZeroDivisionError):
        beside(lambda watch: 1 / 0)


def test_calls_of_a_watched_gateway_count_as_waiting(now: object) -> None:
    world, watch = FakeAwsAccount(now=now), Watch()  # type: ignore[arg-type]  # the fixture's time
    waited: list[float | None] = []
    world.user("ci")
    gateway = world.gateway()
    original = gateway.list_access_keys

    def listed(user_name: str) -> object:
        waited.append(watch.waits_since)
        return original(user_name)

    gateway.list_access_keys = listed  # type: ignore[method-assign,assignment]  # to look inside
    assert watch.over(gateway).list_access_keys("ci") == ()
    assert waited[0] is not None
    assert watch.waits_since is None
    assert watch.over(gateway).calls == gateway.calls
    assert [details.user.user_name for details in watch.over(gateway).authorization_details()] == ["ci"]


def test_a_poll_that_is_over_its_time_begins_no_call(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    world, watch = FakeAwsAccount(now=now), Watch()  # type: ignore[arg-type]  # the fixture's time
    world.user("ci")
    gateway = watch.over(world.gateway())
    assert gateway.list_access_keys("ci") == ()
    details = gateway.authorization_details()
    began = time.monotonic()
    monkeypatch.setattr("hygiene.services.crew.time.monotonic", lambda: began + crew.LONGEST + 1)
    for call in (lambda: gateway.list_access_keys("ci"), lambda: next(details)):
        with pytest.raises(Unreachable, match="more than 25 minutes") as caught:
            call()
        assert (caught.value.code, caught.value.definite) == ("OutOfTime", False)
    assert world.calls("ListAccessKeys") == 1
    assert watch.over(world.gateway()).list_access_keys("ci") == ()


def _pid(item: int, watch: Watch) -> tuple[int, int]:
    if item == 99:
        os._exit(3)
    return item, os.getpid()


def test_processes_share_the_items_and_end_with_them() -> None:
    processes = crews._started(_pid, range(50), 4, 2)
    results = list(crews._results(dict(processes)))
    assert sorted(item for item, _ in results) == list(range(50))
    assert os.getpid() not in {pid for _, pid in results}
    assert [process.exitcode for process in processes.values()] == [0, 0]


def test_a_process_that_is_ended_is_said() -> None:
    with pytest.raises(crews.CrewLost):
        list(crews._results(crews._started(_pid, [1, 2, 99], 2, 2)))


def test_the_garbage_collector_is_held_back_until_the_last_poll_is_over() -> None:
    before = gc.get_threshold()
    with collector.held_back():
        with collector.held_back():
            assert gc.get_threshold()[0] == collector.RARELY
        assert gc.get_threshold()[0] == collector.RARELY
    assert gc.get_threshold() == before
