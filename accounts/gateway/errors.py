"""How AWS, or the way to it, fails: the port's errors, each with a sentence fit for an operator. Pure."""

from __future__ import annotations


class AwsError(Exception):
    """AWS, or the way to it, failed. `sentence` is fit for an operator; no secret and no traceback text is in it.

    `definite` tells whether AWS answered: after an indefinite error of a write nobody knows whether it was applied.
    """

    definite = True

    def __init__(self, sentence: str, *, operation: str = "", code: str = "", request_id: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.operation = operation
        self.code = code
        self.request_id = request_id


class AccessDenied(AwsError):
    """AWS refused: the role cannot be assumed, or lacks the permission for `operation`."""


class ReportNotReady(AwsError):
    """There is no report to get now. `code`: ReportNotPresent, ReportExpired or ReportInProgress."""


class Throttled(AwsError):
    """AWS asks for fewer calls: Throttling, or LimitExceeded on GenerateCredentialReport, after all retries."""


class NoSuchEntity(AwsError):
    """The user or key does not exist (any more)."""


class Unreachable(AwsError):
    """No answer: connection refused or reset, time-out, broken body, or a 5xx. A write may have been applied."""

    definite = False


class CredentialsExpired(AwsError):
    """The credentials that the worker holds are missing, expired or invalid."""


class RegionDisabled(AwsError):
    """STS is switched off in the home Region for the target account, and in the fallback Region too."""


class UnexpectedAwsError(AwsError):
    """Any other error answer of AWS; `code` is AWS's word."""


class FeatureOff(AwsError):
    """Something that must be switched on first is off: central root access, trusted access of IAM, an organization in all-features mode."""
