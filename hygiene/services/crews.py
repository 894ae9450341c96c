"""Crews in processes of their own, one for each core: Python runs one thread of a process at a time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from django.db import connection, connections

from hygiene.services.crew import Crew, Watch, from_list
from hygiene.supervisor import end_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item, Watch], Result]


class CrewLost(Exception):
    """A process ended before its work did, as by a signal. What it had finished is kept."""


def run(work: Work[Item, Result], items: Sequence[Item], *, size: int) -> Iterator[Result]:
    """Results of `work` as they come, `size` items at a time. The processes are started before the first result is asked for.

    Where the database is this process's own (in memory, or an open transaction) everything is done here, one by one.
    """
    is_private = connection.in_atomic_block or (connection.vendor == "sqlite" and connection.is_in_memory_db())  # type: ignore[attr-defined]  # SQLite only
    if size == 1 or is_private:
        return (work(item, Watch()) for item in items)
    count = min(size, len(items), os.cpu_count() or 1)
    if count <= 1:
        return Crew(work, from_list(items), size=size).run()
    return _results(_started(work, items, size, count))


@dataclass(frozen=True, slots=True)
class _Share(Generic[Item, Result]):
    """What one process does: its part of the size, on items that it takes by a number shared with the others."""

    work: Work[Item, Result]
    items: Sequence[Item]
    size: int
    taken: Any  # multiprocessing's shared number

    def take(self) -> Item | None:
        """The next item that no process has."""
        with self.taken.get_lock():
            place = self.taken.value
            self.taken.value += 1
        return self.items[place] if place < len(self.items) else None


def _started(work: Work[Item, Result], items: Sequence[Item], size: int, count: int) -> dict[Connection, BaseProcess]:
    """Forked, so that nothing is loaded again; a connection to the database is never shared."""
    context = multiprocessing.get_context("fork")
    taken = context.Value("Q", 0)
    connections.close_all()
    processes: dict[Connection, BaseProcess] = {}
    for place in range(count):
        share = _Share(work, items, size // count + (place < size % count), taken)
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=_serve, args=(share, writer), daemon=True)
        process.start()
        writer.close()
        processes[reader] = process
    return processes


def _serve(share: _Share[Item, Result], writer: Connection) -> None:
    end_with_parent()
    for result in Crew(share.work, share.take, size=share.size).run():
        writer.send(result)


def _results(processes: dict[Connection, BaseProcess]) -> Iterator[Any]:
    lost = False
    while processes:
        for reader in wait(list(processes)):
            assert isinstance(reader, Connection)  # noqa: S101  # nothing else was waited for
            try:
                yield reader.recv()
            except EOFError:
                process = processes.pop(reader)
                process.join()
                lost = lost or process.exitcode != 0
    if lost:
        raise CrewLost
