"""A look into CloudTrail: asked for once, done by whichever worker lives, honest about what it could not read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from accounts.gateway import AccessDenied, ServiceUse, TrailEvent, TrailPage
from accounts.models import AuditEvent
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Poll, RequestState, UsageEvidence
from hygiene.services import advice, looks, usage_evidence
from hygiene.services.clock import Clock
from tests.fakes import FakeAwsAccount

DENIED = AccessDenied("The role lacks cloudtrail:LookupEvents.", operation="LookupEvents", code="AccessDenied")


class FakeTrail:
    """Event history in memory, by Region, with a log of what was asked."""

    def __init__(self, *events: TrailEvent, denied: tuple[str, ...] = ()) -> None:
        self.events, self.denied = events, denied
        self.asked: list[tuple[str, str]] = []

    def trail_events(self, *, region: str, access_key_id: str = "", user_name: str = "", most: int = 50) -> TrailPage:
        self.asked.append((region, access_key_id or user_name))
        if region in self.denied:
            raise DENIED
        found = [event for event in self.events if event.region == region and access_key_id in ("", event.access_key_id)]
        return TrailPage(tuple(found[:most]), is_cut_short=len(found) > most)

    def service_uses(self, user_arn: str) -> tuple[ServiceUse, ...]:
        if "all" in self.denied:
            raise DENIED
        return (ServiceUse("s3", datetime.fromisoformat("2026-11-20T10:00:00+00:00"), "eu-west-1"),)


@pytest.fixture
def key(world: FakeAwsAccount, poll: Callable[[], Poll]) -> AccessKey:
    world.user("lake")
    world.key("lake", created_at=world.now - timedelta(days=300), last_used_at=world.now - timedelta(days=120), region="eu-central-1")
    poll()
    return AccessKey.objects.select_related("account__status", "principal").get(principal__name="lake")


def event(key: AccessKey, at: datetime, *, region: str = "us-east-1", error_code: str = "") -> TrailEvent:
    number = key.access_key_id or ""
    return TrailEvent(at, region, "s3.amazonaws.com", "ListBuckets", "198.51.100.7", "aws-cli/2.15", number, "lake", error_code)


def look(key: AccessKey, trail: FakeTrail, *, actor: User, clock: Clock) -> UsageEvidence:
    asked, _ = usage_evidence.request(key, actor=actor, now=clock.now())
    return usage_evidence.run(asked.pk, open_trail=lambda _: trail, clock=clock)


def test_global_last_used_and_configured_regions_are_asked_by_key_and_by_user(key: AccessKey, operator: User, clock: Clock) -> None:
    trail = FakeTrail()
    done = look(key, trail, actor=operator, clock=clock)
    assert done.state == RequestState.DONE
    assert list(dict.fromkeys(region for region, _ in trail.asked)) == ["us-east-1", "eu-central-1", "us-west-2", "eu-west-1"]
    assert {word for _, word in trail.asked} == {key.access_key_id, "lake"}
    usage = usage_evidence.usage(key)
    assert usage is not None
    assert usage.sentence == "no management events in 90 days in 4 regions"


def test_both_ends_of_a_look_are_in_the_audit_log(key: AccessKey, operator: User, clock: Clock) -> None:
    done = look(key, FakeTrail(), actor=operator, clock=clock)
    events = AuditEvent.objects.filter(action="key.look_into_trail", correlation_id=done.uuid).order_by("sequence")
    assert [(event.outcome, event.actor_name) for event in events] == [("requested", "operator"), ("succeeded", "operator")]


def test_a_second_request_joins_the_first_and_an_answer_is_fresh_for_an_hour(key: AccessKey, operator: User, clock: Clock) -> None:
    first, is_new = usage_evidence.request(key, actor=operator, now=clock.now())
    assert is_new
    assert usage_evidence.request(key, actor=operator, now=clock.now()) == (first, False)
    usage_evidence.run(first.pk, open_trail=lambda _: FakeTrail(), clock=clock)
    assert usage_evidence.request(key, actor=operator, now=clock.now() + timedelta(minutes=59)) == (first, False)
    again, is_new = usage_evidence.request(key, actor=operator, now=clock.now() + timedelta(minutes=61))
    assert (again == first, is_new) == (False, True)


def test_a_key_whose_id_is_not_known_cannot_be_looked_for(key: AccessKey, operator: User, clock: Clock) -> None:
    key.access_key_id = None
    with pytest.raises(usage_evidence.CannotLook):
        usage_evidence.request(key, actor=operator, now=clock.now())


def test_a_region_that_refuses_leaves_the_others_standing(key: AccessKey, operator: User, clock: Clock) -> None:
    done = look(key, FakeTrail(event(key, clock.now()), denied=("us-west-2",)), actor=operator, clock=clock)
    usage = usage_evidence.usage(key)
    assert usage is not None
    assert done.state == RequestState.DONE
    assert [(failed.region, failed.error) for failed in usage.failed] == [("us-west-2", DENIED.sentence)]
    assert usage.sentence == "1 management event in 90 days in 3 regions"


def test_a_look_that_could_read_nothing_fails_and_may_be_asked_again_at_once(key: AccessKey, operator: User, clock: Clock) -> None:
    trail = FakeTrail(denied=("us-east-1", "eu-central-1", "us-west-2", "eu-west-1", "all"))
    done = look(key, trail, actor=operator, clock=clock)
    assert (done.state, done.error) == (RequestState.FAILED, DENIED.sentence)
    assert usage_evidence.usage(key) is None
    assert usage_evidence.request(key, actor=operator, now=clock.now())[1]


def test_a_look_of_a_killed_worker_is_taken_up_again_and_the_late_one_writes_nothing(key: AccessKey, operator: User, clock: Clock) -> None:
    asked, _ = usage_evidence.request(key, actor=operator, now=clock.now())
    late = UsageEvidence.objects.get(pk=asked.pk)
    assert looks.claim(late, now=clock.now())
    assert looks.due(UsageEvidence, now=clock.now()) == []
    assert not looks.claim(UsageEvidence.objects.get(pk=asked.pk), now=clock.now())
    clock.sleep(looks.LEASE.total_seconds())
    assert looks.due(UsageEvidence, now=clock.now()) == [asked.pk]
    done = usage_evidence.run(asked.pk, open_trail=lambda _: FakeTrail(), clock=clock)
    assert done.state == RequestState.DONE
    assert not looks.finish(late, RequestState.FAILED, now=clock.now(), error="late")
    assert UsageEvidence.objects.get(pk=asked.pk).state == RequestState.DONE


def test_a_lost_wake_up_is_found_and_a_hopeless_look_is_closed(key: AccessKey, operator: User, clock: Clock) -> None:
    asked, _ = usage_evidence.request(key, actor=operator, now=clock.now())
    assert looks.due(UsageEvidence, now=clock.now() + timedelta(seconds=59)) == []
    assert looks.due(UsageEvidence, now=clock.now() + timedelta(seconds=60)) == [asked.pk]
    assert looks.due(UsageEvidence, now=clock.now() + looks.GIVE_UP_AFTER) == []
    assert UsageEvidence.objects.get(pk=asked.pk).state == RequestState.FAILED


@pytest.mark.parametrize(
    ("days_ago", "error_code", "verdict"),
    [
        (None, "", "Nothing is known to break."),
        (1, "", "In use, will break."),
        (30, "", "Used rarely, check first."),
        (1, "AccessDenied", "Used rarely, check first."),
    ],
)
def test_an_event_turns_the_verdict_and_no_event_proves_nothing(
    key: AccessKey, operator: User, clock: Clock, policy: Policy, days_ago: int | None, error_code: str, verdict: str
) -> None:
    events = [] if days_ago is None else [event(key, clock.now() - timedelta(days=days_ago), error_code=error_code)]
    look(key, FakeTrail(*events), actor=operator, clock=clock)
    said = advice.for_disabling(key, usage=usage_evidence.usage(key), policy=policy, now=clock.now())
    assert said.verdict == verdict
    assert "unused" not in said.reason


def test_an_event_proves_use_even_where_the_account_is_not_reporting(key: AccessKey, operator: User, clock: Clock, policy: Policy) -> None:
    clock.sleep(5 * 86400)
    assert advice.for_disabling(key, usage=None, policy=policy, now=clock.now()).verdict == "Cannot tell, data missing."
    look(key, FakeTrail(event(key, clock.now())), actor=operator, clock=clock)
    said = advice.for_disabling(key, usage=usage_evidence.usage(key), policy=policy, now=clock.now())
    assert said.verdict == "In use, will break."


def test_rules_get_applications_and_places(key: AccessKey, operator: User, clock: Clock) -> None:
    look(key, FakeTrail(event(key, clock.now())), actor=operator, clock=clock)
    facts = usage_evidence.facts_of([key.pk])[key.pk]
    assert (facts.applications, facts.source_addresses, facts.is_complete) == (("aws-cli",), ("198.51.100.7",), True)
