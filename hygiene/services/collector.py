"""Python's cyclic garbage collector, held back while an account's rows are in memory.

It looks through everything that is alive whenever enough new objects were made: for thousands of rows a fifth of the time, for nothing.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = 200_000  # new objects between two looks; 700 is Python's own number


class _Held:
    """How many blocks run now, and the thresholds from before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.blocks = 0
        self.before = gc.get_threshold()


_held = _Held()


@contextmanager
def held_back() -> Iterator[None]:
    """Collect rarely until the last of all such blocks in this process, whichever thread has it, is left."""
    with _held.lock:
        _held.blocks += 1
        if _held.blocks == 1:
            _held.before = gc.get_threshold()
            gc.set_threshold(RARELY, *_held.before[1:])
    try:
        yield
    finally:
        with _held.lock:
            _held.blocks -= 1
            if not _held.blocks:
                gc.set_threshold(*_held.before)
