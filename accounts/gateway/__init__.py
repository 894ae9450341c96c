"""The port to AWS: what the product may ask of it, what comes back, and how it fails.

Pure: no Django, no Celery, no boto3, no clock. `accounts.aws` is the adapter over boto3; `tests.fakes.FakeGateway` is the
fake; `tests/contract/` runs the same cases over both. Facts about AWS follow its API references.
"""

from accounts.gateway.details import (
    AttachedPolicy,
    ListedCertificate,
    ListedSshKey,
    ListedUser,
    OrganizationAccount,
    OrganizationFacts,
    PasswordPolicy,
    ServiceCredential,
    UserDetails,
)
from accounts.gateway.errors import (
    AccessDenied,
    AwsError,
    CredentialsExpired,
    FeatureOff,
    NoSuchEntity,
    RegionDisabled,
    ReportNotReady,
    Throttled,
    UnexpectedAwsError,
    Unreachable,
)
from accounts.gateway.evidence import ServiceUse, TrailEvent, TrailPage
from accounts.gateway.facts import (
    AccountSummary,
    CallerIdentity,
    CredentialReport,
    KeyLastUse,
    ListedKey,
    Purpose,
    ReportState,
    VirtualMfaDevice,
)
from accounts.gateway.ports import Gateway
from accounts.gateway.root import RootGateway, RootTask

__all__ = [
    "AccessDenied",
    "AccountSummary",
    "AttachedPolicy",
    "AwsError",
    "CallerIdentity",
    "CredentialReport",
    "CredentialsExpired",
    "FeatureOff",
    "Gateway",
    "KeyLastUse",
    "ListedCertificate",
    "ListedKey",
    "ListedSshKey",
    "ListedUser",
    "NoSuchEntity",
    "OrganizationAccount",
    "OrganizationFacts",
    "PasswordPolicy",
    "Purpose",
    "RegionDisabled",
    "ReportNotReady",
    "ReportState",
    "RootGateway",
    "RootTask",
    "ServiceCredential",
    "ServiceUse",
    "Throttled",
    "TrailEvent",
    "TrailPage",
    "UnexpectedAwsError",
    "Unreachable",
    "UserDetails",
    "VirtualMfaDevice",
]
