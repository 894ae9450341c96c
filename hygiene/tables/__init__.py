"""The tables of list pages: columns, cells and orderings."""

from hygiene.tables.accounts import AccountTable, RootTable
from hygiene.tables.changes import ChangeTable
from hygiene.tables.credentials import KeyTable
from hygiene.tables.exemptions import ExemptionTable
from hygiene.tables.records import AuditTable, FindingTable
from hygiene.tables.users import UserTable

__all__ = ["AccountTable", "AuditTable", "ChangeTable", "ExemptionTable", "FindingTable", "KeyTable", "RootTable", "UserTable"]
