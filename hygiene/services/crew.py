"""Threads that run polls: so many at a time, and one more for each that waits for an AWS that does not answer.

An account that hangs holds up nobody: after two seconds without an answer its poll does not count as running, and the next one starts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

from django.db import connections

from accounts.gateway import Gateway, Unreachable

PATIENCE = 2.0  # seconds of waiting after which a poll does not count as running
LOOKS_EVERY = 0.25  # seconds
LONGEST = 1500.0  # seconds of one poll: longer than any wait for a report and all lists of it take together
TOO_LONG = "AWS's answers took more than 25 minutes in all, so the poll was ended. What was read of the account is kept."
MOST_WAITING = 40  # polls that may wait at a time; beyond them, the others wait too
BESIDE = "poll"  # name of threads
END = object()
logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Watch:
    """What one thread is waiting for, seen from outside. Used by one thread at a time."""

    def __init__(self) -> None:
        self.waits_since: float | None = None
        self.is_left = False  # nobody waits for the thread any more

    @property
    def is_stuck(self) -> bool:
        """Whether the thread has waited longer than anybody should for it."""
        since = self.waits_since
        return since is not None and time.monotonic() - since > PATIENCE

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The thread waits for AWS, its pace or a report within this block."""
        self.waits_since = time.monotonic()
        try:
            yield
        finally:
            self.waits_since = None

    def sleep(self, seconds: float) -> None:
        """A pause that counts as waiting."""
        with self.waiting():
            time.sleep(seconds)

    def over(self, gateway: Gateway) -> Gateway:
        """The gateway, each of its calls seen as waiting. After `LONGEST` no call is begun: Unreachable, as if AWS did not answer."""
        return cast("Gateway", _Watched(gateway, self, time.monotonic() + LONGEST))


class _Watched:
    """Passes everything on to a gateway."""

    def __init__(self, gateway: Gateway, watch: Watch, ends_at: float) -> None:
        self._gateway, self._watch, self._ends_at = gateway, watch, ends_at

    def __getattr__(self, name: str) -> Any:
        told = getattr(self._gateway, name)
        if not callable(told):
            return told

        def call(*args: Any, **values: Any) -> Any:
            self._check_time()
            with self._watch.waiting():
                answer = told(*args, **values)
            return self._pages(answer) if isinstance(answer, Iterator) else answer

        return call

    def _pages(self, answers: Iterator[Any]) -> Iterator[Any]:
        """Of a list that is asked for page by page, each page counts as waiting."""
        while True:
            self._check_time()
            with self._watch.waiting():
                answer = next(answers, END)
            if answer is END:
                return
            yield answer

    def _check_time(self) -> None:
        if time.monotonic() > self._ends_at:
            raise Unreachable(TOO_LONG, code="OutOfTime")


class Crew(Generic[Item, Result]):
    """Runs `work` on items from `source` in threads, `size` of them at a time that are not stuck. `source` gives None when it is empty.

    Each thread keeps its own database connection until it ends.
    """

    def __init__(self, work: Callable[[Item, Watch], Result], source: Callable[[], Item | None], *, size: int) -> None:
        self.work, self.source, self.size = work, source, size
        self.results: SimpleQueue[Result | BaseException] = SimpleQueue()
        self._lock = threading.Lock()
        self._watches: list[Watch] = []
        self._is_empty = False

    def run(self) -> Iterator[Result]:
        """Results as they come, until the source is empty and everything is done. An error of `work` is raised here."""
        while True:
            self._fill()
            try:
                result = self.results.get(timeout=LOOKS_EVERY)
            except Empty:
                if not self._watches and self._is_empty and self.results.empty():
                    return
                continue
            if isinstance(result, BaseException):
                raise result
            yield result

    def _fill(self) -> None:
        """As many threads as the size asks for, those that are stuck aside."""
        with self._lock:
            stuck = sum(watch.is_stuck for watch in self._watches)
            missing = 0 if self._is_empty else self.size + min(stuck, MOST_WAITING) - len(self._watches)
            for _ in range(missing):
                watch = Watch()
                self._watches.append(watch)
                threading.Thread(target=self._serve, args=(watch,), daemon=True).start()

    def _serve(self, watch: Watch) -> None:
        """One thread: item after item, until there is none, or more threads than needed since one is stuck no longer."""
        try:
            while self._is_needed() and (item := self._next()) is not None:
                self.results.put(self.work(item, watch))
        except BaseException as error:  # raised again by whoever reads the results
            self.results.put(error)
        finally:
            connections.close_all()
            with self._lock:
                self._watches.remove(watch)

    def _is_needed(self) -> bool:
        with self._lock:
            return sum(not watch.is_stuck for watch in self._watches) <= self.size

    def _next(self) -> Item | None:
        item = self.source()
        self._is_empty = self._is_empty or item is None
        return item


def beside(work: Callable[[Watch], object]) -> bool:
    """Run `work` in a thread. True when it is done; False when it is stuck and goes on without the caller, whose turn is over.

    An error of `work` is raised here, or logged when nobody waits for it any more.
    """
    watch, ended, errors = Watch(), threading.Event(), list[Exception]()

    def serve() -> None:
        try:
            work(watch)
        except Exception as error:
            errors.append(error)
            if watch.is_left:
                logger.exception("A poll that nobody waits for ended with an error.")
        finally:
            connections.close_all()
            ended.set()

    threading.Thread(target=copy_context().run, args=(serve,), name=BESIDE, daemon=True).start()
    while not ended.wait(LOOKS_EVERY):
        if watch.is_stuck and sum(thread.name == BESIDE for thread in threading.enumerate()) <= MOST_WAITING:
            watch.is_left = True
            return False
    if errors:
        raise errors[0]
    return True


def from_list(items: Iterable[Item]) -> Callable[[], Item | None]:
    """A source that several threads may ask."""
    queue: SimpleQueue[Item] = SimpleQueue()
    for item in items:
        queue.put(item)

    def take() -> Item | None:
        try:
            return queue.get_nowait()
        except Empty:
            return None

    return take
