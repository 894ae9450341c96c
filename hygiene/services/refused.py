"""How a service says no to a person: not allowed, not any more, or something is missing."""

from __future__ import annotations


class NotAllowed(Exception):
    """The person lacks the role or the scope; the message names it."""


class Conflict(Exception):
    """The world is not as the person saw it; the message says what changed."""


class Invalid(Exception):
    """Something is missing or wrong in what the person gave: `errors` has one sentence for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors
