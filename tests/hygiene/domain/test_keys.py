"""Slots of a report and listed keys: which belong together, which are new or gone, and what is never guessed.

Keys are named by a letter and slots by a number; a moment is minutes and seconds of one hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from accounts.gateway import KeyLastUse, ListedKey
from hygiene.domain.facts import KeyMatch, KeyStatus, LastUse, UseState
from hygiene.domain.keys import Pairing, key_status, needs_last_use, pair, second_of
from hygiene.domain.report import ReportSlot
from tests.hygiene.domain.reports import utc

NEVER = LastUse(UseState.NEVER)
UNKNOWN = LastUse(UseState.UNKNOWN)
EXACT, AMBIGUOUS, NEW = KeyMatch.EXACT, KeyMatch.AMBIGUOUS, KeyMatch.LIVE_ONLY
NOON = utc(2021, 1, 1, 12)
LATER = NOON + timedelta(seconds=1)
USED_AT = utc(2026, 11, 1, 9, 30)


def used(at: datetime | None = USED_AT, region: str | None = "eu-west-1", service: str | None = "ec2") -> LastUse:
    return LastUse(UseState.USED, at, region, service)


def answer(at: datetime | None = USED_AT, region: str | None = "eu-west-1", service: str | None = "ec2") -> KeyLastUse:
    return KeyLastUse("ann", at, region, service)


NO_USE = answer(None, None, None)


def slot(number: int, born: datetime | None = NOON, *, is_active: bool = True, use: LastUse = NEVER) -> ReportSlot:
    return ReportSlot(number, is_active, born, use)


def key(letter: str, born: datetime | None = NOON, status: str = "Active") -> ListedKey:
    return ListedKey("ann", letter, status, born)


def told(pairing: Pairing) -> dict[str, int | KeyMatch]:
    """For each key its slot's number, or why it has none."""
    assert all((found.slot is not None) == (found.match is EXACT) for found in pairing.keys)
    return {found.listed.access_key_id: found.match if found.slot is None else found.slot.slot for found in pairing.keys}


def gone(pairing: Pairing) -> list[int]:
    return [found.slot for found in pairing.missing_slots]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Active", KeyStatus.ACTIVE),
        ("Inactive", KeyStatus.INACTIVE),
        ("Expired", KeyStatus.OTHER),
        ("active", KeyStatus.OTHER),
        ("", KeyStatus.OTHER),
    ],
)
def test_a_status_that_is_neither_active_nor_inactive_is_another(word: str, status: KeyStatus) -> None:
    assert key_status(word) is status


def test_nothing_and_nothing_is_nothing() -> None:
    assert pair([], []) == Pairing(())


@pytest.mark.parametrize("is_turned", [False, True])
def test_keys_belong_to_the_slots_of_their_second_in_any_order(is_turned: bool) -> None:
    slots, keys = [slot(1, NOON), slot(2, LATER)], [key("A", LATER), key("B", NOON)]
    pairing = pair(slots[::-1], keys[::-1]) if is_turned else pair(slots, keys)
    assert (told(pairing), pairing.missing_slots, pairing.ambiguous_slots) == ({"A": 2, "B": 1}, (), 0)
    assert [found.listed for found in pairing.keys] == (keys[::-1] if is_turned else keys)


def test_a_key_is_found_in_the_second_slot_alone() -> None:
    assert told(pair([slot(2)], [key("A")])) == {"A": 2}


def test_status_may_have_changed_since_the_report() -> None:
    assert told(pair([slot(1, is_active=True)], [key("A", status="Inactive")])) == {"A": 1}
    assert told(pair([slot(1, is_active=False)], [key("A", status="Expired")])) == {"A": 1}


@pytest.mark.parametrize("born", [NOON + timedelta(microseconds=999_999), NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))])
def test_a_birth_is_the_same_to_the_second_in_any_time_zone(born: datetime) -> None:
    assert told(pair([slot(1, NOON)], [key("A", born)])) == told(pair([slot(1, born)], [key("A", NOON)])) == {"A": 1}
    second = second_of(born)
    assert second is not None
    assert second == NOON
    assert second.tzinfo is UTC


def test_a_moment_that_is_not_known_has_no_second() -> None:
    assert second_of(None) is None


def test_a_slot_without_a_key_is_deleted_since_the_report() -> None:
    pairing = pair([slot(1, NOON), slot(2, LATER)], [key("B", LATER)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"B": 2}, [1], 0)
    assert gone(pair([slot(1, NOON), slot(2, LATER)], [])) == [1, 2]
    assert gone(pair([slot(1, None)], [])) == [1]


def test_a_key_without_a_slot_is_new_since_the_report() -> None:
    pairing = pair([slot(1, NOON)], [key("A", NOON), key("B", LATER)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": 1, "B": NEW}, [], 0)
    assert told(pair([], [key("A"), key("B", None)])) == {"A": NEW, "B": NEW}


def test_a_key_replaced_since_the_report_is_one_gone_and_one_new() -> None:
    pairing = pair([slot(1, NOON)], [key("B", LATER)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"B": NEW}, [1], 0)


TWINS = [slot(1, use=used()), slot(2, use=NEVER)]
KEYS = [key("A"), key("B")]


@pytest.mark.parametrize("status", ["Inactive", "Expired"])
def test_twins_of_one_second_are_told_apart_by_status(status: str) -> None:
    slots = [slot(1, is_active=False), slot(2, is_active=True)]
    assert told(pair(slots, [key("A"), key("B", status=status)])) == {"A": 2, "B": 1}
    assert needs_last_use(slots, [key("A"), key("B", status=status)]) == ()


@pytest.mark.parametrize(
    ("actives", "statuses"),
    [
        ((True, True), ("Active", "Active")),
        ((False, False), ("Inactive", "Inactive")),
        ((True, False), ("Active", "Active")),
        ((True, True), ("Active", "Inactive")),
        ((True, True), ("Inactive", "Inactive")),
    ],
)
def test_twins_that_status_does_not_separate_are_asked_for_their_last_use(actives: tuple[bool, ...], statuses: tuple[str, ...]) -> None:
    slots = [slot(number, is_active=is_active) for number, is_active in enumerate(actives, start=1)]
    keys = [key(letter, status=status) for letter, status in zip("AB", statuses, strict=True)]
    pairing = pair(slots, keys)
    assert told(pairing) == {"A": AMBIGUOUS, "B": AMBIGUOUS}
    assert (pairing.missing_slots, pairing.ambiguous_slots, needs_last_use(slots, keys)) == ((), sum(actives), ("A", "B"))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"A": NO_USE, "B": answer()}, {"A": 2, "B": 1}),
        ({"A": answer(), "B": NO_USE}, {"A": 1, "B": 2}),
        ({"B": answer()}, {"A": 2, "B": 1}),
        ({"A": NO_USE}, {"A": 2, "B": 1}),
        ({"A": NO_USE, "B": answer(utc(2026, 11, 22, 7))}, {"A": 2, "B": 1}),
        ({"B": answer(USED_AT + timedelta(seconds=59, microseconds=1))}, {"A": 2, "B": 1}),
        ({"B": answer(USED_AT.astimezone(timezone(timedelta(hours=-7))))}, {"A": 2, "B": 1}),
    ],
)
def test_twins_alike_are_told_apart_by_last_use_to_the_minute(answers: dict[str, KeyLastUse], expected: dict[str, int]) -> None:
    pairing = pair(TWINS, KEYS, last_uses=answers)
    assert (told(pairing), pairing.missing_slots, pairing.ambiguous_slots) == (expected, (), 0)


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"A": NO_USE, "B": NO_USE},
        {"A": answer(), "B": answer()},
        {"B": answer(USED_AT + timedelta(minutes=1))},
        {"B": answer(USED_AT - timedelta(hours=1))},
        {"B": answer(region="us-east-1")},
        {"B": answer(service="s3")},
        {"C": answer()},
    ],
)
def test_twins_alike_whose_last_use_names_neither_or_both_stay_ambiguous(answers: dict[str, KeyLastUse]) -> None:
    pairing = pair(TWINS, KEYS, last_uses=answers)
    assert (told(pairing), pairing.ambiguous_slots) == ({"A": AMBIGUOUS, "B": AMBIGUOUS}, 2)


@pytest.mark.parametrize("uses", [(used(), used()), (NEVER, NEVER), (UNKNOWN, UNKNOWN), (used(), UNKNOWN)])
def test_slots_alike_or_unknown_are_no_match_for_a_key_without_use(uses: tuple[LastUse, LastUse]) -> None:
    slots = [slot(number, use=use) for number, use in enumerate(uses, start=1)]
    assert told(pair(slots, KEYS, last_uses={"A": NO_USE, "B": NO_USE})) == {"A": AMBIGUOUS, "B": AMBIGUOUS}


def test_status_that_both_pairs_agree_on_comes_before_last_use() -> None:
    slots = [slot(1, is_active=True, use=used()), slot(2, is_active=False)]
    keys = [key("A", status="Inactive"), key("B")]
    assert told(pair(slots, keys, last_uses={"A": answer(), "B": NO_USE})) == {"A": 2, "B": 1}


@pytest.mark.parametrize("is_active", [True, False])
def test_one_key_left_of_two_slots_of_a_second_is_not_told_by_status(is_active: bool) -> None:
    slots = [slot(1, is_active=True, use=used()), slot(2, is_active=False)]
    pairing = pair(slots, [key("A", status="Active" if is_active else "Inactive")])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": AMBIGUOUS}, [], 1)


@pytest.mark.parametrize(("use", "own", "lost"), [(answer(), 1, 2), (NO_USE, 2, 1)])
def test_one_key_left_of_two_slots_of_a_second_is_told_by_its_last_use(use: KeyLastUse, own: int, lost: int) -> None:
    pairing = pair(TWINS, [key("A")], last_uses={"A": use})
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": own}, [lost], 0)


def test_one_slot_of_two_keys_of_a_second_is_told_by_last_use_alone() -> None:
    assert told(pair([slot(1, use=used())], KEYS)) == {"A": AMBIGUOUS, "B": AMBIGUOUS}
    pairing = pair([slot(1, use=used())], KEYS, last_uses={"B": answer()})
    assert (told(pairing), pairing.ambiguous_slots) == ({"A": NEW, "B": 1}, 0)


def test_twins_leave_a_key_of_another_second_alone() -> None:
    slots = [slot(1), slot(2), slot(3, LATER)]
    assert told(pair(slots, [*KEYS, key("C", LATER)])) == {"A": AMBIGUOUS, "B": AMBIGUOUS, "C": 3}


def test_twins_of_two_seconds_are_both_ambiguous() -> None:
    pairing = pair([slot(1), slot(2), slot(3, LATER), slot(4, LATER)], [*KEYS, key("C", LATER), key("D", LATER)])
    assert (told(pairing), pairing.ambiguous_slots) == (dict.fromkeys("ABCD", AMBIGUOUS), 4)


def test_three_of_one_second_are_told_apart_only_by_their_own_last_use() -> None:
    slots = [slot(1, use=used()), slot(2, use=used(region="x")), slot(3, use=used(region="y"))]
    pairing = pair(slots, [*KEYS, key("C")], last_uses={"A": answer()})
    assert told(pairing) == {"A": 1, "B": AMBIGUOUS, "C": AMBIGUOUS}
    assert pairing.ambiguous_slots == 2


def test_a_slot_without_a_date_makes_a_key_that_fits_no_other_ambiguous() -> None:
    slots = [slot(1, None), slot(2, NOON)]
    pairing = pair(slots, [key("A", NOON), key("B", LATER)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": 2, "B": AMBIGUOUS}, [], 1)
    assert needs_last_use(slots, [key("A", NOON), key("B", LATER)]) == ("B",)


def test_a_slot_without_a_date_is_gone_when_all_keys_have_their_own() -> None:
    pairing = pair([slot(1, None), slot(2, NOON)], [key("A", NOON)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": 2}, [1], 0)


def test_a_key_without_a_date_is_matched_to_nothing_and_may_be_any_slot_that_is_left() -> None:
    pairing = pair([slot(1, NOON), slot(2, LATER, is_active=False)], [key("A", None), key("B", NOON)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": AMBIGUOUS, "B": 1}, [], 0)
    pairing = pair([slot(1, NOON)], [key("A", None), key("B", NOON)])
    assert (told(pairing), gone(pairing)) == ({"A": NEW, "B": 1}, [])


def test_a_key_without_a_date_leaves_a_new_key_new() -> None:
    pairing = pair([slot(1, NOON)], [key("A", None), key("B", LATER)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": AMBIGUOUS, "B": NEW}, [], 1)


def test_key_and_slot_without_a_date_are_not_matched() -> None:
    pairing = pair([slot(1, None)], [key("A", None)], last_uses={"A": NO_USE})
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": AMBIGUOUS}, [], 1)


def test_a_new_key_beside_twins_that_lost_one_is_new_and_the_slots_stay_open() -> None:
    pairing = pair([slot(1), slot(2)], [key("A"), key("C", LATER)])
    assert (told(pairing), gone(pairing), pairing.ambiguous_slots) == ({"A": AMBIGUOUS, "C": NEW}, [], 2)
