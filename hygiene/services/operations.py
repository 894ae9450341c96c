"""The table of operations: one for each action that a worker can carry out."""

from __future__ import annotations

from hygiene.models import Action, Remediation
from hygiene.services.credential_operations import CREDENTIAL_OPERATIONS
from hygiene.services.key_operations import KEY_OPERATIONS
from hygiene.services.operation import Operation
from hygiene.services.root_operations import ROOT_OPERATIONS

_ALL = (*KEY_OPERATIONS, *CREDENTIAL_OPERATIONS, *ROOT_OPERATIONS)
OPERATIONS: dict[Action, Operation] = {operation.action: operation for operation in _ALL}


def operation_of(remediation: Remediation) -> Operation:
    """How its action is carried out. KeyError for an action that no worker knows."""
    return OPERATIONS[Action(remediation.action)]
