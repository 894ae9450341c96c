"""Use of one key or user on demand: CloudTrail's event history and IAM's service last accessed."""

from __future__ import annotations

import json
from typing import Any

from accounts.aws.connection import IAM, Api, Connection, needed, utc
from accounts.gateway import ServiceUse, TrailEvent, TrailPage, UnexpectedAwsError, Unreachable

EVENTS_PER_PAGE = 50
JOB_WAITS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0)  # seconds between looks at a job of Access Advisor


class EvidenceCalls(Connection):
    """Reads that cost much: only when a person asks."""

    def trail_events(self, *, region: str, access_key_id: str = "", user_name: str = "", most: int = 50) -> TrailPage:
        """cloudtrail:LookupEvents in one Region by exactly one of key id and user name (ValueError otherwise), newest first."""
        if bool(access_key_id) == bool(user_name):
            raise ValueError("LookupEvents takes exactly one of access_key_id and user_name")
        name, value = ("AccessKeyId", access_key_id) if access_key_id else ("Username", user_name)
        parameters = {
            "LookupAttributes": [{"AttributeKey": name, "AttributeValue": value}],
            "MaxResults": max(1, min(EVENTS_PER_PAGE, most)),
        }
        events: list[TrailEvent] = []
        for page in self.token_pages(Api("cloudtrail", region=region), "lookup_events", "LookupEvents", **parameters):
            events += [_event(entry, region) for entry in page.get("Events") or []]
            if len(events) >= most:
                return TrailPage(tuple(events[:most]), is_cut_short=len(events) > most or bool(page.get("NextToken")))
        return TrailPage(tuple(events))

    def service_uses(self, user_arn: str) -> tuple[ServiceUse, ...]:
        """iam:GenerateServiceLastAccessedDetails, then its details in the same session; services with a use only."""
        answer = self.call(IAM, "generate_service_last_accessed_details", "GenerateServiceLastAccessedDetails", Arn=user_arn)
        job = str(needed(answer, "JobId", "GenerateServiceLastAccessedDetails"))
        self._wait_for(job)
        return tuple(
            ServiceUse(
                str(entry.get("ServiceNamespace", "")), utc(entry["LastAuthenticated"]), str(entry.get("LastAuthenticatedRegion", ""))
            )
            for page in self.pages("get_service_last_accessed_details", "GetServiceLastAccessedDetails", JobId=job)
            for entry in page.get("ServicesLastAccessed") or []
            if entry.get("LastAuthenticated")
        )

    def _wait_for(self, job: str) -> None:
        operation = "GetServiceLastAccessedDetails"
        for seconds in (*JOB_WAITS, 0.0):
            status = self.call(IAM, "get_service_last_accessed_details", operation, JobId=job, MaxItems=1).get("JobStatus")
            if status == "COMPLETED":
                return
            if status == "FAILED":
                raise UnexpectedAwsError("AWS could not tell which services the user has used.", operation=operation, code="JobFailed")
            self._sleep(seconds)
        raise Unreachable("AWS is still collecting which services the user has used. Try again.", operation=operation, code="NotReady")


def _event(entry: dict[str, Any], region: str) -> TrailEvent:
    """One event; what its JSON does not tell is empty. AWS leaves the key id blank at times."""
    occurred_at = utc(needed(entry, "EventTime", "LookupEvents"))
    if occurred_at is None:
        raise Unreachable("An event of CloudTrail came without its time.", operation="LookupEvents", code="MissingField")
    inside = _parsed(entry.get("CloudTrailEvent"))
    identity = inside.get("userIdentity")
    key_id = entry.get("AccessKeyId") or (identity.get("accessKeyId") if isinstance(identity, dict) else "") or ""
    return TrailEvent(
        occurred_at=occurred_at,
        region=str(inside.get("awsRegion") or region),
        source=str(entry.get("EventSource") or inside.get("eventSource") or ""),
        name=str(entry.get("EventName") or inside.get("eventName") or ""),
        source_address=str(inside.get("sourceIPAddress") or ""),
        user_agent=str(inside.get("userAgent") or ""),
        access_key_id=str(key_id),
        user_name=str(entry.get("Username") or ""),
        error_code=str(inside.get("errorCode") or ""),
        read_only={"true": True, "false": False}.get(str(entry.get("ReadOnly", "")).lower()),
        event_id=str(entry.get("EventId") or ""),
    )


def _parsed(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
