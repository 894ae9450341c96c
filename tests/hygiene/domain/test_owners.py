"""The chain of owners: which place wins, and what is said of where it was found."""

from __future__ import annotations

import pytest

from hygiene.domain.facts import PasswordState, UserClass
from hygiene.domain.owners import Chain, Entry, Owner, descriptions

KEY = "AKIAIOSFODNN7EXAMPLE"
ARN = "arn:aws:iam::111122223333:user/ci/deploy"
LIST = (
    Entry("deploy", "everywhere@example.com"),
    Entry("deploy", "here@example.com", is_of_account=True),
    Entry("dep*", "pattern@example.com"),
    Entry("deploy-*", "longer@example.com"),
    Entry("tag:team=web", "tag@example.com"),
)


def owner(tags: dict[str, str] | None = None, *, name: str = "deploy", arn: str = ARN, **chain: object) -> Owner:
    return Chain(**{"tags": ("owner", "contact"), "entries": LIST, **chain}).owner_of(arn=arn, name=name, tags=tags)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"Owner": " ann@example.com ", "contact": "bob"}, Owner("ann@example.com", "tag Owner")),
        ({"CONTACT": "bob"}, Owner("bob", "tag CONTACT")),
        ({"owner": "", KEY: "CI of carol@example.com"}, Owner("carol@example.com", "key description")),
        ({KEY: "Grafana, owner: team-data, prod"}, Owner("team-data", "key description")),
        ({KEY: "laptop"}, Owner("here@example.com", "list, deploy")),
        (None, Owner("here@example.com", "list, deploy")),
    ],
)
def test_the_first_place_that_tells_somebody_wins(tags: dict[str, str] | None, expected: Owner) -> None:
    assert owner(tags) == expected


@pytest.mark.parametrize(
    ("name", "tags", "expected"),
    [
        ("deploy-eu", {}, "longer@example.com"),
        ("depot", {}, "pattern@example.com"),
        ("bob", {"team": "web"}, "tag@example.com"),
        ("bob", {"team": "webs"}, ""),
        ("xdeploy", {}, ""),
    ],
)
def test_the_closest_entry_of_the_list_wins(name: str, tags: dict[str, str], expected: str) -> None:
    assert owner(tags, name=name).name == expected


def test_an_arn_beats_a_name_and_means_one_user_alone() -> None:
    entries = (*LIST, Entry(ARN, "arn@example.com", is_of_account=True))
    assert owner({}, entries=entries).name == "arn@example.com"
    assert owner({}, entries=entries, arn="arn:aws:iam::444455556666:user/ci/deploy").name == "here@example.com"


def test_the_order_of_the_chain_is_a_choice() -> None:
    tags = {"owner": "ann@example.com"}
    assert owner(tags, sources=("mapping", "tags")).source == "list, deploy"
    assert owner({KEY: "x@example.com"}, sources=("tags",)) == Owner()


def test_signs_of_patterns_in_names_are_plain_but_for_the_star() -> None:
    assert owner({}, name="a[b]", entries=(Entry("a[b*", "x@example.com"),)).name == "x@example.com"
    assert owner({}, name="ab", entries=(Entry("a[b]*", "x@example.com"),)).name == ""


@pytest.mark.parametrize(
    ("state", "tags", "expected"),
    [
        (PasswordState.ENABLED, {}, UserClass.HUMAN),
        (PasswordState.NONE, {}, UserClass.MACHINE),
        (PasswordState.UNKNOWN, None, UserClass.HUMAN),
        (PasswordState.ENABLED, {"Class": " Machine "}, UserClass.MACHINE),
        (PasswordState.NONE, {"class": "human"}, UserClass.HUMAN),
        (PasswordState.NONE, {"class": "robot"}, UserClass.MACHINE),
    ],
)
def test_a_tag_may_say_what_a_user_is(state: PasswordState, tags: dict[str, str] | None, expected: UserClass) -> None:
    assert Chain(class_tag="class").class_of(state, tags) is expected


def test_only_tags_named_by_a_key_id_describe_a_key() -> None:
    assert descriptions({KEY: "CI", "AKIA": "no", "team": "web"}) == {KEY: "CI"}
