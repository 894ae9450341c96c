"""The chain of owners: which place wins, and what is said of where it was found."""

from __future__ import annotations

from dataclasses import replace

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
        ({"contact": "bob", "owner": "ann"}, Owner("ann", "tag owner")),
        ({"owner": " ", "contact": "bob"}, Owner("bob", "tag contact")),
        ({"owner": "ann", KEY: "owner: bob"}, Owner("ann", "tag owner")),
    ],
)
def test_the_first_place_that_tells_somebody_wins(tags: dict[str, str] | None, expected: Owner) -> None:
    assert owner(tags) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ann@example.com", "ann@example.com"),
        ("call ann.b+aws@mail.example.co.uk, please", "ann.b+aws@mail.example.co.uk"),
        ("OWNER = team-data; was bob@example.com", "team-data"),
        ("bob@example.com, owner:ann", "ann"),
        ("owner: ann@example.com.", "ann@example.com."),
        ("coowner: ann", ""),
        ("owner ann", ""),
        ("@example.com ann@localhost", ""),
    ],
)
def test_a_description_names_an_owner_in_words_or_by_an_address(text: str, name: str) -> None:
    assert owner({KEY: text}, entries=()) == (Owner(name, "key description") if name else Owner())


def test_the_first_key_whose_description_tells_somebody_wins() -> None:
    tags = {"AKIAZZZZZZZZZZZZZZZZ": "owner: zoe", KEY: "laptop", "AKIAJJJJJJJJJJJJJJJJ": "owner: jo"}
    assert owner(tags, entries=()).name == "jo"


def test_tags_are_named_in_any_letters_that_fold_alike() -> None:
    assert Chain(tags=("stra\xdfe",)).owner_of(arn=ARN, name="bob", tags={"STRASSE": "ann"}) == Owner("ann", "tag STRASSE")
    assert Chain(tags=("STRASSE",)).owner_of(arn=ARN, name="bob", tags={"stra\xdfe": "ann"}) == Owner("ann", "tag stra\xdfe")


def test_long_names_and_sources_are_cut_to_what_is_stored() -> None:
    long, tag = "x" * 255, "t" * 128
    cut = "x" * 254
    assert Chain(tags=(tag,)).owner_of(arn=ARN, name="bob", tags={tag: long}) == Owner(cut, f"tag {'t' * 60}")
    assert owner({KEY: f"owner: {long}"}) == Owner(cut, "key description")
    assert owner(name="n" * 64, entries=(Entry("n" * 64, long),)) == Owner(cut, f"list, {'n' * 58}")


@pytest.mark.parametrize(
    ("name", "tags", "expected"),
    [
        ("deploy-eu", {}, "longer@example.com"),
        ("depot", {}, "pattern@example.com"),
        ("bob", {"team": "web"}, "tag@example.com"),
        ("bob", {"team": "webs"}, ""),
        ("xdeploy", {}, ""),
        ("depot", {"team": "web"}, "pattern@example.com"),
        ("bob", None, ""),
        ("Deploy", {}, ""),
    ],
)
def test_the_closest_entry_of_the_list_wins(name: str, tags: dict[str, str] | None, expected: str) -> None:
    assert owner(tags, name=name).name == expected


@pytest.mark.parametrize(
    ("closer", "farther"),
    [
        (Entry("deploy", "", True), Entry("deploy", "")),
        (Entry(ARN, ""), Entry("deploy", "", True)),
        (Entry("deploy", ""), Entry("deploy*", "", True)),
        (Entry("d*", "", True), Entry("deplo*", "")),
        (Entry("deplo*", ""), Entry("d*", "")),
        (Entry("*", ""), Entry("tag:team=web-and-more", "", True)),
        (Entry("tag:t=1", "", True), Entry("tag:team=web", "")),
        (Entry("tag:team=web", ""), Entry("tag:team", "")),
        (Entry("*eploy", ""), Entry("deplo*", "")),
    ],
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_of_two_entries_that_fit_the_closer_wins_in_any_order(closer: Entry, farther: Entry, is_turned: bool) -> None:
    entries = (replace(closer, owner="closer"), replace(farther, owner="farther"))
    tags = {"team": "web", "t": "1"}
    if farther.pattern == "tag:team=web-and-more":
        tags["team"] = "web-and-more"
    found = owner(tags, entries=entries[::-1] if is_turned else entries)
    assert found == Owner("closer", f"list, {closer.pattern}")


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        ("tag:team", True),
        ("tag:team=web=1", True),
        ("tag:team=web", False),
        ("tag:team=", False),
        ("tag:Team", False),
        ("tag:empty=", True),
        ("tag:empty", True),
        ("tag:other=", False),
        ("tag:te*", False),
        ("arn:*", False),
        ("*", True),
        ("de?loy", False),
        ("de?loy*", False),
        ("", False),
    ],
)
def test_an_entry_means_a_tag_a_name_or_a_star(pattern: str, is_found: bool) -> None:
    assert owner({"team": "web=1", "empty": ""}, entries=(Entry(pattern, "ann"),)).name == ("ann" if is_found else "")


def test_an_arn_with_a_star_in_its_path_is_one_user() -> None:
    arn = "arn:aws:iam::111122223333:user/*/deploy"
    assert owner({}, arn=arn, entries=(Entry(arn, "ann"), Entry("deploy", "bob"))).name == "ann"
    assert owner({}, entries=(Entry(arn, "ann"),)) == Owner()


def test_a_name_with_a_question_mark_is_one_name() -> None:
    assert owner({}, name="a?b", entries=(Entry("a?*", "ann"),)).name == "ann"


def test_an_entry_without_an_owner_leaves_the_search_to_the_next_place() -> None:
    entries = (Entry("deploy", ""), Entry("dep*", "pattern@example.com"))
    assert owner({"owner": "ann"}, entries=entries, sources=("mapping", "tags")) == Owner("ann", "tag owner")
    assert owner({}, entries=entries) == Owner()


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
        (PasswordState.ENABLED, {"type": "machine"}, UserClass.HUMAN),
        (PasswordState.NONE, {"team": "web", "CLASS": "HUMAN"}, UserClass.HUMAN),
        (PasswordState.UNKNOWN, {"class": ""}, UserClass.HUMAN),
    ],
)
def test_a_tag_may_say_what_a_user_is(state: PasswordState, tags: dict[str, str] | None, expected: UserClass) -> None:
    assert Chain(class_tag="class").class_of(state, tags) is expected


def test_without_a_tag_of_classes_a_tag_without_a_name_says_nothing() -> None:
    assert Chain().class_of(PasswordState.NONE, {"": "human"}) is UserClass.MACHINE


def test_the_tag_of_classes_is_named_in_any_letters_that_fold_alike() -> None:
    assert Chain(class_tag="stra\xdfe").class_of(PasswordState.NONE, {"STRASSE": "human"}) is UserClass.HUMAN
    assert Chain(class_tag="STRASSE").class_of(PasswordState.NONE, {"stra\xdfe": "human"}) is UserClass.HUMAN


def test_only_tags_named_by_a_key_id_describe_a_key() -> None:
    ids = {KEY: "CI", "ASIAIOSFODNN7EXAMPLE": "temporary", "AKIA" + "A" * 12: "short", "AKIA" + "A" * 124: "long"}
    others = ("AKIA", "AKIA" + "A" * 11, "AKIA" + "A" * 125, f"x{KEY}", f"{KEY}.", KEY.lower(), "AROAIOSFODNN7EXAMPLE", "team")
    assert descriptions({**ids, **dict.fromkeys(others, "no")}) == ids
