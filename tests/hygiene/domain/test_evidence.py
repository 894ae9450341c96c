"""What event history proves, and the words for what it does not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from accounts.gateway import ServiceUse, TrailEvent, TrailPage
from hygiene.domain.evidence import MOST_KEPT, RegionAnswer, RegionLook, Sighting, Usage, collect, regions_to_ask, usage_facts, usage_of
from hygiene.domain.facts import UsageFacts

KEY = "AKIA4FHKZJ2QEXAMPLE1"


def event(now: datetime, minutes: int, **fields: Any) -> TrailEvent:
    values: dict[str, Any] = {
        "occurred_at": now - timedelta(minutes=minutes),
        "region": "eu-west-1",
        "source": "s3.amazonaws.com",
        "name": "ListBuckets",
        "source_address": "198.51.100.7",
        "user_agent": "aws-cli/2.15",
        "access_key_id": KEY,
        "user_name": "lake",
    }
    return TrailEvent(**{**values, **fields})


def looked(now: datetime, *answers: RegionAnswer, services: list[ServiceUse] | None = None) -> Usage:
    stored = json.loads(json.dumps(collect(answers, services=services, services_error="" if services else "denied")))
    return usage_of(stored, looked_at=now)


def test_no_event_is_said_with_its_regions_and_never_as_unused(now: datetime) -> None:
    nothing = TrailPage(())
    usage = looked(now, *(RegionAnswer(region, nothing, nothing) for region in ("us-east-1", "us-west-2", "eu-west-1", "ap-south-1")))
    assert usage.sentence == "no management events in 90 days in 4 regions"
    assert usage.last_event is None
    assert usage_facts(usage).is_complete


def test_a_region_that_was_not_read_is_not_counted_as_asked(now: datetime) -> None:
    usage = looked(now, RegionAnswer("us-east-1", TrailPage(()), TrailPage(())), RegionAnswer("eu-west-1", error="AccessDenied"))
    assert usage.sentence == "no management events in 90 days in 1 region"
    assert usage.failed == (RegionLook("eu-west-1", error="AccessDenied"),)
    assert looked(now, RegionAnswer("eu-west-1")).failed == (RegionLook("eu-west-1", error="not asked"),)
    assert not usage_facts(usage).is_complete
    assert looked(now, RegionAnswer("us-east-1", error="AccessDenied")).sentence == "the event history could not be read"


def test_last_success_and_last_denial_are_kept_apart(now: datetime) -> None:
    page = TrailPage((event(now, 5, error_code="AccessDenied", name="CreateUser"), event(now, 60), event(now, 90)))
    usage = looked(now, RegionAnswer("eu-west-1", page, TrailPage(())))
    assert usage.last_success is not None
    assert usage.last_denial is not None
    assert (usage.last_success.name, usage.last_success.at) == ("ListBuckets", now - timedelta(minutes=60))
    assert (usage.last_denial.name, usage.last_denial.error_code) == ("CreateUser", "AccessDenied")
    assert usage.sentence == "3 management events in 90 days in 1 region, 1 of them denied"


def test_what_is_stored_comes_back_whole(now: datetime) -> None:
    page = TrailPage((event(now, 5, error_code="AccessDenied"), event(now, 60)), is_cut_short=True)
    services = [ServiceUse("s3", now, "eu-west-1"), ServiceUse("ec2", None, "")]
    usage = looked(now, RegionAnswer("eu-west-1", page, TrailPage(()), error="by the user's name: AccessDenied"), services=services)
    assert usage == Usage(
        looked_at=now,
        regions=(RegionLook("eu-west-1", 2, True, "by the user's name: AccessDenied"),),
        events=2,
        denied=1,
        sources={"s3.amazonaws.com": 2},
        addresses={"198.51.100.7": 2},
        user_agents={"aws-cli/2.15": 2},
        last_success=Sighting(now - timedelta(minutes=60), "eu-west-1", "s3.amazonaws.com", "ListBuckets", "198.51.100.7", "aws-cli/2.15"),
        last_denial=Sighting(
            now - timedelta(minutes=5), "eu-west-1", "s3.amazonaws.com", "ListBuckets", "198.51.100.7", "aws-cli/2.15", "AccessDenied"
        ),
        sessions=0,
        last_session=None,
        services=tuple(services),
    )
    assert collect([], services=[])["services_error"] == ""
    assert looked(now, services=None).services_error == "denied"


def test_a_service_without_a_region_stays_without_one(now: datetime) -> None:
    stored = collect([], services=[ServiceUse("s3", now, "")])
    assert usage_of(stored, looked_at=now).services == (ServiceUse("s3", now, ""),)


def test_only_the_most_frequent_names_are_kept(now: datetime) -> None:
    page = TrailPage(tuple(event(now, n, source=f"service-{n}.amazonaws.com", event_id=str(n)) for n in range(MOST_KEPT + 1)))
    assert len(looked(now, RegionAnswer("eu-west-1", page)).sources) == MOST_KEPT == 20


def test_more_than_was_read_is_called_at_least(now: datetime) -> None:
    usage = looked(now, RegionAnswer("eu-west-1", TrailPage((event(now, 5),), is_cut_short=True), TrailPage(())))
    assert usage.sentence == "at least 1 management event in 90 days in 1 region"


def test_the_same_event_in_two_answers_counts_once(now: datetime) -> None:
    one = event(now, 5, event_id="e-1")
    usage = looked(now, RegionAnswer("us-east-1", TrailPage((one,)), None), RegionAnswer("eu-west-1", TrailPage((one,)), None))
    assert usage.events == 1


def test_sessions_of_the_user_are_counted_apart_and_other_keys_are_not(now: datetime) -> None:
    by_user = TrailPage((event(now, 1, access_key_id="ASIA4FHKZJ2QEXAMPLE1"), event(now, 2, access_key_id="AKIA4FHKZJ2QOTHERKEY")))
    usage = looked(now, RegionAnswer("eu-west-1", TrailPage(()), by_user))
    assert (usage.events, usage.sessions) == (0, 1)
    assert usage.last_session is not None


def test_services_that_were_not_read_are_not_an_empty_list(now: datetime) -> None:
    assert looked(now, services=None).services is None
    assert looked(now, services=[ServiceUse("s3", now, "eu-west-1")]).services == (ServiceUse("s3", now, "eu-west-1"),)


def test_facts_name_applications_and_places(now: datetime) -> None:
    agents = ("aws-cli/2.15", "Boto3/1.40 exec-env/AWS_Lambda_python3.12 app/loader")
    usage = looked(
        now, RegionAnswer("eu-west-1", TrailPage(tuple(event(now, n, user_agent=agent) for n, agent in enumerate(agents))), None)
    )
    facts = usage_facts(usage)
    assert set(facts.applications) == {"aws-cli", "loader"}
    assert facts == UsageFacts(
        observed_at=now,
        applications=facts.applications,
        places=("AWS Lambda",),
        user_agents=agents,
        source_addresses=("198.51.100.7",),
        services=("s3.amazonaws.com",),
        regions=("eu-west-1",),
        is_complete=True,
    )


def test_an_address_can_point_at_a_place_and_an_agent_is_never_taken_for_one(now: datetime) -> None:
    host = "ec2-52-1-2-3.eu-west-1.compute.amazonaws.com"
    assert usage_facts(looked(now, RegionAnswer("eu-west-1", TrailPage((event(now, 1, source_address=host),))))).places == ("Amazon EC2",)
    agent = event(now, 1, user_agent=host, source_address="exec-env/AWS_Lambda_python3.12")
    assert usage_facts(looked(now, RegionAnswer("eu-west-1", TrailPage((agent,))))).places == ()


def test_only_regions_of_the_partition_are_asked_each_once() -> None:
    configured = ("us-east-1", "us-west-2", "us-gov-west-1", "cn-north-1")
    assert regions_to_ask("aws", "eu-west-1", configured) == ("us-east-1", "eu-west-1", "us-west-2")
    assert regions_to_ask("aws-us-gov", "us-gov-east-1", configured) == ("us-gov-west-1", "us-gov-east-1")
    assert regions_to_ask("aws", "", ()) == ("us-east-1",)
    assert regions_to_ask("aws", "global", ("aws-global",)) == ("us-east-1",)
    assert regions_to_ask("aws-iso", "us-iso-east-1", ()) == ()
