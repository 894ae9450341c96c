"""The gateway port over boto3, put together from its subjects."""

from __future__ import annotations

from accounts.aws.credentials import CredentialCalls
from accounts.aws.details import DetailCalls
from accounts.aws.evidence import EvidenceCalls
from accounts.aws.organization import OrganizationCalls
from accounts.aws.reports import ReportCalls


class AwsGateway(ReportCalls, CredentialCalls, DetailCalls, OrganizationCalls, EvidenceCalls):
    """One assumed session in one AWS account."""
