"""AWS Organizations and CloudTrail, which speak JSON."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

from demo.fake_aws.answers import Call, Refused
from demo.fake_aws.organization import AwsAccount
from demo.fake_aws.world import World

PAGE = 20
EMPTY_PAGE = "empty"
EVENTS_KEPT = timedelta(days=90)
LOOKUPS_PER_SECOND = 2


class JsonCalls:
    """Handlers named `_json_` and the snake-cased action. `account` None: the worker itself, in the management account."""

    world: World

    def _members(self) -> list[AwsAccount]:
        organization = self.world.organization
        return [account for account in (*organization.accounts, *organization.spare) if account.partition == "aws"]

    def _json_describe_organization(self, account: AwsAccount | None, call: Call) -> dict[str, Any]:
        if account is not None and account.partition != "aws":
            raise Refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.", 400)
        organization = self.world.organization
        return {"Organization": {"Id": organization.organization_id, "FeatureSet": "ALL", "MasterAccountId": organization.management}}

    def _json_list_accounts(self, account: AwsAccount | None, call: Call) -> dict[str, Any]:
        """Pages of at most 20; the second is empty, as AWS's may be."""
        place = call.parameters.get("NextToken", "0")
        if place == EMPTY_PAGE:
            return {"Accounts": [], "NextToken": str(PAGE)}
        begin, listed = int(place), self._members()
        answer: dict[str, Any] = {"Accounts": [self._entry_of(one) for one in listed[begin : begin + PAGE]]}
        if begin == 0:
            answer["NextToken"] = EMPTY_PAGE
        elif begin + PAGE < len(listed):
            answer["NextToken"] = str(begin + PAGE)
        return answer

    def _entry_of(self, account: AwsAccount) -> dict[str, Any]:
        organization = self.world.organization
        arn = f"arn:aws:organizations::{organization.management}:account/{organization.organization_id}/{account.number}"
        return {"Id": account.number, "Arn": arn, "Email": f"{account.name}@example.com", "Name": account.name, "State": account.state}

    def _json_list_parents(self, account: AwsAccount | None, call: Call) -> dict[str, Any]:
        child = call.parameters.get("ChildId", "")
        if child.startswith("ou-"):
            return {"Parents": [{"Id": "r-demo", "Type": "ROOT"}]}
        found = self.world.account(child)
        if found is None:
            raise Refused("ChildNotFoundException", "The child cannot be found.", 400)
        return {"Parents": [{"Id": f"ou-demo-{found.environment:0>8}", "Type": "ORGANIZATIONAL_UNIT"}]}

    def _json_describe_organizational_unit(self, account: AwsAccount | None, call: Call) -> dict[str, Any]:
        unit = call.parameters.get("OrganizationalUnitId", "")
        return {"OrganizationalUnit": {"Id": unit, "Name": unit.rsplit("-", 1)[-1].lstrip("0").capitalize()}}

    def _json_list_tags_for_resource(self, account: AwsAccount | None, call: Call) -> dict[str, Any]:
        found = self.world.account(call.parameters.get("ResourceId", ""))
        tags = {**found.tags, "environment": found.environment} if found else {}
        return {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}

    def _json_lookup_events(self, account: AwsAccount | None, call: Call) -> dict[str, Any]:
        """One event for each last use within 90 days. Two calls a second in each account and Region."""
        if account is None:
            raise Refused("AccessDeniedException", "Not authorized to perform: cloudtrail:LookupEvents", 400)
        self._slow_down(account.number, call.region)
        attributes = call.parameters.get("LookupAttributes") or []
        if len(attributes) != 1:
            raise Refused("InvalidLookupAttributesException", "Exactly one lookup attribute is allowed.", 400)
        wanted, since = attributes[0]["AttributeValue"], self.world.clock() - EVENTS_KEPT
        events = [
            {
                "EventId": f"{key.access_key_id}-1",
                "EventName": "DescribeInstances" if key.service == "ec2" else "GetCallerIdentity",
                "ReadOnly": "true",
                "AccessKeyId": key.access_key_id,
                "EventTime": key.last_used_at.timestamp(),
                "EventSource": f"{key.service}.amazonaws.com",
                "Username": user.name,
                "CloudTrailEvent": json.dumps(
                    {"awsRegion": call.region, "sourceIPAddress": "203.0.113.24", "userAgent": "aws-sdk-go/1.44.2", "errorCode": None}
                ),
            }
            for user in account.users
            for key in user.keys
            if key.last_used_at and key.last_used_at >= since and wanted in (key.access_key_id, user.name)
            if call.region == (key.region if key.region != "N/A" else "us-east-1") and key.service != "s3"
        ]
        return {"Events": sorted(events, key=lambda event: -float(str(event["EventTime"])))[: int(call.parameters.get("MaxResults", 50))]}

    def _slow_down(self, number: str, region: str) -> None:
        now = time.monotonic()
        with self.world.lock:
            recent = [moment for moment in self.world.lookups.get((number, region), []) if now - moment < 1]
            self.world.lookups[number, region] = [*recent, now]
        if len(recent) >= LOOKUPS_PER_SECOND:
            raise Refused("ThrottlingException", "Rate exceeded", 400)
