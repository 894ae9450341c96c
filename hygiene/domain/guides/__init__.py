"""What each rule means to a person: plain name, why, how it is told, standards, and how to fix it. Pure, and words only."""

from __future__ import annotations

from collections.abc import Mapping

from hygiene.domain.guides import accounts, keys, root, users
from hygiene.domain.guides.base import Guide

GUIDES: Mapping[str, Guide] = {**root.GUIDES, **keys.GUIDES, **users.GUIDES, **accounts.GUIDES}

__all__ = ["GUIDES", "Guide"]
