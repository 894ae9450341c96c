"""The tables of list pages: columns, cells and orderings."""

from hygiene.tables.credentials import KeyTable, UserTable
from hygiene.tables.exemptions import ExemptionTable
from hygiene.tables.records import AccountTable, AuditTable, FindingTable, RootTable

__all__ = ["AccountTable", "AuditTable", "ExemptionTable", "FindingTable", "KeyTable", "RootTable", "UserTable"]
