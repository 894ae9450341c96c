"""The shape of a rule's words. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """Words of one rule. `how`: the exact condition for failure; `fix_*`: steps and texts to copy, "" where there is no such way."""

    title: str
    why: str
    how: str
    standards: str = ""
    fix_console: str = ""
    fix_cli: str = ""
    fix_terraform: str = ""
