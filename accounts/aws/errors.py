"""Errors of botocore and answers of AWS → the port's errors, each with a sentence fit for an operator and without AWS's own text."""

from __future__ import annotations

import binascii
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from accounts.aws.refusals import because, denied, is_feature_off
from accounts.gateway import (
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

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
REJECTED = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "InvalidAccessKeyId",
        "AuthFailure",
    }
)
SKEWED = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
NOT_READY = frozenset({"ReportNotPresent", "ReportExpired", "ReportInProgress"})
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
        "RequestThrottled",
    }
)
NO_ENTITY = frozenset({"NoSuchEntity", "NoSuchEntityException"})
SWITCHED_OFF = ("ServiceAccessNotEnabled", "OrganizationNotInAllFeaturesMode")
REPORT_LIMIT = ("GenerateCredentialReport", "LimitExceeded")
NOT_AWS = "NotAws"  # something on the way answered in AWS's place
CHECK_THE_WAY = "Check the worker's network, DNS, proxy and firewall, and that it may reach this host."


def translate(error: Exception, *, operation: str, who: str) -> AwsError:
    """The port's error for what botocore raised. `who` names the role and account in the sentence."""
    if isinstance(error, ClientError):
        return _answer(error.response, operation, who)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)):
        return CredentialsExpired(
            f"The worker has no usable AWS credentials for {operation}. Give it a role or keys by the SDK's ordinary chain.",
            operation=operation,
            code="NoCredentials",
        )
    if isinstance(error, ParamValidationError):
        return UnexpectedAwsError(
            f"{operation} was not sent: a parameter is not valid ({who}).", operation=operation, code="ParamValidation"
        )
    if isinstance(error, BotoCoreError):
        return _no_answer(error, operation, who)
    if isinstance(error, binascii.Error):
        return Unreachable(f"AWS's answer to {operation} was cut off on its way ({who}).", operation=operation, code="CutOffAnswer")
    if isinstance(error, (ResponseParserError, ValueError, LookupError, TypeError, AttributeError)):
        return Unreachable(f"AWS's answer to {operation} could not be read ({who}).", operation=operation, code="BrokenAnswer")
    return Unreachable(
        f"The connection to AWS failed during {operation} ({who}). {CHECK_THE_WAY}", operation=operation, code=type(error).__name__
    )


def _no_answer(error: BotoCoreError, operation: str, who: str) -> AwsError:
    """Nothing came back, or nothing was sent. The host is named, so that somebody can try it."""
    word, details = type(error).__name__, getattr(error, "kwargs", {})
    host = urlsplit(str(details.get("endpoint_url") or "")).hostname or "AWS"
    if word in ("InvalidRegionError", "UnknownRegionError", "UnknownEndpointError"):
        return UnexpectedAwsError(f"{operation} was not sent: AWS has no such Region ({who}).", operation=operation, code=word)
    if isinstance(error, SSLError):
        hint = "The certificate of the host was not accepted: check the proxy and the worker's certificate store."
    else:
        hint = CHECK_THE_WAY
    return Unreachable(f"No answer from {host} to {operation} ({who}): {word}. {hint}", operation=operation, code=word)


def _answer(response: Any, operation: str, who: str) -> AwsError:
    """AWS answered with an error. Real report errors carry no Message, so none is relied on."""
    details, meta = response.get("Error") or {}, response.get("ResponseMetadata") or {}
    code, status = str(details.get("Code") or ""), int(meta.get("HTTPStatusCode", 0) or 0)
    message = str(details.get("Message") or "")
    known = {"operation": operation, "code": code, "request_id": str(meta.get("RequestId", ""))}
    if not code:
        page = f"The answer to {operation} (HTTP {status}) is not AWS's: something on the way, such as a proxy, answered instead ({who})."
        return Unreachable(page, operation=operation, code=NOT_AWS)
    if code in NOT_READY:
        return ReportNotReady(f"AWS has no credential report to give yet ({code}).", **known)
    if code in THROTTLED or (operation, code) == REPORT_LIMIT:
        return Throttled(f"AWS asks for fewer calls of {operation} ({code}, {who}).", **known)
    if code in DENIED and is_feature_off(operation, message):
        return FeatureOff("Central root access is off in this organization. Switch on root credentials management in IAM first.", **known)
    if code in DENIED:
        return AccessDenied(denied(operation, who, because(message)), **known)
    if code in NO_ENTITY:
        return NoSuchEntity(f"What {operation} asks for does not exist in AWS ({who}).", **known)
    return _of_worker_or_state(known, status, message, who)


def _of_worker_or_state(known: dict[str, str], status: int, message: str, who: str) -> AwsError:
    """Errors of the worker's credentials or clock, of a Region or a feature that is off, of AWS itself, and all others."""
    operation, code = known["operation"], known["code"]
    is_late = code in REJECTED and ("Signature expired" in message or "Signature not yet current" in message)
    if code in SKEWED or is_late:
        return CredentialsExpired(f"AWS refused {operation} because the worker's clock is wrong ({code}). Set it by NTP.", **known)
    if code in EXPIRED:
        return CredentialsExpired(f"The credentials used for {operation} have expired ({code}, {who}).", **known)
    if code in REJECTED:
        return CredentialsExpired(f"AWS does not accept the worker's credentials ({code}, {who}).", **known)
    if code == "RegionDisabledException":
        return RegionDisabled(
            f"STS is switched off for {who} in every Region that was tried. Switch it on in IAM's account settings of that account.",
            **known,
        )
    if code.startswith(SWITCHED_OFF):
        return FeatureOff(f"{operation} needs IAM's trusted access and an organization with all features ({code}).", **known)
    if status >= 500:
        return Unreachable(f"AWS failed to answer {operation} ({code or status}, {who}).", **known)
    return UnexpectedAwsError(f"AWS refused {operation}: {code or status} ({who}).", **known)
