"""A key younger than 24 hours is "not used yet", never "never used": AWS tells of a use hours later. Everywhere the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hygiene.domain.policy import resolve
from hygiene.models import AccessKey
from hygiene.services import posture
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


@pytest.fixture(autouse=True)
def two_keys() -> None:
    """One key of 3 hours and one of 30 hours; neither has a use on record."""
    world = FakeAwsAccount("204811779021", now=timezone.now() - timedelta(minutes=5))
    for name, hours in (("young", 3), ("older", 30)):
        world.user(name)
        world.key(name, created_at=timezone.now() - timedelta(hours=hours))
    poll(register("204811779021", "data-lake", now=world.now), world)


def listed(client: Client, search: str) -> list[str]:
    return [row.record.principal.name for row in client.get(reverse("keys") + search).context["table"].page.object_list]


@pytest.mark.parametrize("search", ["?view=never-used", "?q=last-used:never"])
def test_it_is_in_no_list_of_keys_that_were_never_used(search: str, client_for: ClientFor, viewer: User) -> None:
    assert listed(client_for(viewer), search) == ["older"]


def test_it_has_a_word_of_the_filter_line_of_its_own(client_for: ClientFor, viewer: User) -> None:
    assert listed(client_for(viewer), "?q=last-used:not-yet") == ["young"]
    assert sorted(listed(client_for(viewer), "?q=-last-used:not-yet")) == ["older"]


def test_it_is_in_no_figure_and_in_no_step(client_for: ClientFor, operator: User) -> None:
    assert posture.figures(operator, policy=resolve(), now=timezone.now()).never_used == 1
    page = client_for(operator).get(reverse("overview"))
    assert {figure.name: figure.value for figure in page.context["figures"]}["Active, never used"] == 1
    assert "1 active key was never used" in page.content.decode()


@pytest.mark.parametrize("hours", [23, 24, 25])
def test_the_figure_and_the_words_change_at_the_same_moment(hours: int, client_for: ClientFor, viewer: User) -> None:
    AccessKey.objects.filter(principal__name="young").update(created_at=timezone.now() - timedelta(hours=hours))
    key = AccessKey.objects.get(principal__name="young")
    is_counted = "young" in listed(client_for(viewer), "?view=never-used")
    page = client_for(viewer).get(reverse("key", args=[key.uuid])).content.decode()
    assert ("Active, never used" in page, "Active, not used yet" in page) == (is_counted, not is_counted)
    assert is_counted == (hours >= 24)


def test_its_page_and_the_dialog_tell_that_nothing_can_be_told(client_for: ClientFor, operator: User) -> None:
    key = AccessKey.objects.get(principal__name="young")
    client = client_for(operator)
    page = client.get(reverse("key", args=[key.uuid])).content.decode()
    assert "Active, not used yet, 0 days old" in page
    dialog = client.post(reverse("plan-new"), {"key": str(key.uuid), "action": "disable"}, headers={"HX-Request": "true"})
    for text in (page, dialog.content.decode()):
        assert "Cannot tell, data missing." in text
        assert "It was created 3 h ago, and AWS tells of a use hours later." in text
        assert "Nothing is known to break" not in text


def test_an_export_tells_what_aws_recorded(client_for: ClientFor, viewer: User) -> None:
    answer = client_for(viewer).get(reverse("keys") + "?format=csv&q=user:young")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]  # a streamed answer
    assert [row["last_used_state"] for row in csv.DictReader(io.StringIO(text))] == ["never"]
