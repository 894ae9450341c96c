"""Models, by subject. Import them from here."""

from hygiene.models.evidence import RequestState, RootInspection, UsageEvidence
from hygiene.models.exemptions import Exemption, ExemptionEnd, ExemptionScope
from hygiene.models.exports import ExportJob, ExportState
from hygiene.models.findings import DailyPosture, DueJudgement, Finding, FindingOutcome
from hygiene.models.inventory import (
    AccessKey,
    AccountStatus,
    KeyEvent,
    OwnerMapping,
    Principal,
    PrincipalEvent,
)
from hygiene.models.people import DeliveryState, DigestDefault, DigestDelivery, DigestSubscription, Preferences, SavedView, Weekday
from hygiene.models.plans import (
    IRREVERSIBLE,
    KEY_ACTIONS,
    ROOT_ACTIONS,
    TARGETS,
    Action,
    Disposition,
    Plan,
    PlanItem,
    Reason,
    TargetKind,
)
from hygiene.models.policy import InstallationPolicy, OverrideScope, PolicyOverride
from hygiene.models.polls import Poll, PollOutcome, PollRequest, PollTrigger
from hygiene.models.remediation import (
    OPEN_STATES,
    RUNNING_STATES,
    SUCCESS_STATES,
    WAITING_STATES,
    NoticeKind,
    NoticeState,
    OwnerNotice,
    Remediation,
    State,
)
from hygiene.models.runtime import CacheEntry, Heartbeat
from hygiene.models.safety import Alert, Approval, ChangeSwitch, Protection, ProtectionKind

__all__ = [
    "IRREVERSIBLE",
    "KEY_ACTIONS",
    "OPEN_STATES",
    "ROOT_ACTIONS",
    "RUNNING_STATES",
    "SUCCESS_STATES",
    "TARGETS",
    "WAITING_STATES",
    "AccessKey",
    "AccountStatus",
    "Action",
    "Alert",
    "Approval",
    "CacheEntry",
    "ChangeSwitch",
    "DailyPosture",
    "DeliveryState",
    "DigestDefault",
    "DigestDelivery",
    "DigestSubscription",
    "Disposition",
    "DueJudgement",
    "Exemption",
    "ExemptionEnd",
    "ExemptionScope",
    "ExportJob",
    "ExportState",
    "Finding",
    "FindingOutcome",
    "Heartbeat",
    "InstallationPolicy",
    "KeyEvent",
    "NoticeKind",
    "NoticeState",
    "OverrideScope",
    "OwnerMapping",
    "OwnerNotice",
    "Plan",
    "PlanItem",
    "PolicyOverride",
    "Poll",
    "PollOutcome",
    "PollRequest",
    "PollTrigger",
    "Preferences",
    "Principal",
    "PrincipalEvent",
    "Protection",
    "ProtectionKind",
    "Reason",
    "Remediation",
    "RequestState",
    "RootInspection",
    "SavedView",
    "State",
    "TargetKind",
    "UsageEvidence",
    "Weekday",
]
