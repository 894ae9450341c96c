"""What the terms of the filter line select: kinds of conditions, and which list knows which."""

from hygiene.filters.conditions import Scene, keys_of, narrow
from hygiene.filters.exemptions import EXEMPTIONS
from hygiene.filters.lists import ACCOUNTS, AUDIT, FINDINGS, KEYS, USERS
from hygiene.filters.queue import CHANGES

__all__ = ["ACCOUNTS", "AUDIT", "CHANGES", "EXEMPTIONS", "FINDINGS", "KEYS", "USERS", "Scene", "keys_of", "narrow"]
