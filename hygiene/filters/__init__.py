"""What the terms of the filter line select: kinds of conditions, and which list knows which."""

from hygiene.filters.conditions import Scene, keys_of, narrow
from hygiene.filters.exemptions import EXEMPTIONS
from hygiene.filters.lists import ACCOUNTS, AUDIT, FINDINGS, KEYS, USERS

__all__ = ["ACCOUNTS", "AUDIT", "EXEMPTIONS", "FINDINGS", "KEYS", "USERS", "Scene", "keys_of", "narrow"]
