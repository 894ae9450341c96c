"""Promise R6 at the parser: whatever comes as a report is read, set aside row by row, or rejected with a sentence. 20,000 cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygiene.domain.facts import UseState
from hygiene.domain.report import ParsedReport, ReportRejected, ReportRow, parse
from hygiene.domain.report_row import ABSENT
from tests.hygiene.section12.mutations import MUTATIONS, NUMBER, REPORT, Mutation, spoiled

MADE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CUTS = 9  # of each spoiled report, beside the whole of it
QUIET = settings(deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def check_read(content: bytes) -> ParsedReport | None:
    """Parses; what comes out holds together. None: rejected."""
    try:
        parsed = parse(content, account_id=NUMBER, generated_at=MADE)
    except ReportRejected:
        return None
    arns = [row.arn for row in parsed.rows]
    assert len(set(arns)) == len(arns) > 0
    assert all(f"::{NUMBER}:" in arn for arn in arns)
    for row in parsed.rows:
        check_row(row)
    lines = [line for line in content.splitlines() if line.strip(b" \t,")]
    assert len(parsed.rows) + len(parsed.quarantined) <= len(lines) - 1
    return parsed


def check_row(row: ReportRow) -> None:
    moments = [row.created_at, row.password_last_use.at, row.password_last_changed_at, row.password_next_rotation_at]
    for slot in row.slots:
        moments += [slot.rotated_at, slot.last_use.at]
        assert (slot.last_use.state is UseState.USED) == (slot.last_use.at is not None)
        if slot.last_use.state in (UseState.NEVER, UseState.NO_DATA):
            assert slot.rotated_at is not None
    assert all(moment is None or moment.utcoffset() == timedelta(0) for moment in moments)
    assert row.name
    assert len(row.fingerprint) == 32


@settings(QUIET, max_examples=1800)
@given(MUTATIONS, st.lists(st.floats(0, 1), min_size=CUTS, max_size=CUTS))
def test_any_mutation_of_a_report_cut_anywhere_is_read_or_rejected(mutations: list[Mutation], cuts: list[float]) -> None:
    """1,800 spoiled reports, each whole and cut off at nine places: 18,000 cases."""
    content = spoiled(mutations)
    check_read(content)
    for cut in cuts:
        check_read(content[: int(cut * len(content))])


@settings(QUIET, max_examples=500)
@given(st.binary(max_size=300))
def test_any_bytes_are_no_crash(content: bytes) -> None:
    """Alone, as the first lines, in a row, and at the end: 2,000 cases."""
    header, _, rows = REPORT.partition(b"\n")
    for spoilt in (content, content + b"\n" + rows, header + b"\n" + content + b"\n" + rows, REPORT + content):
        check_read(spoilt)


def test_a_report_cut_off_at_any_byte_never_shows_less_of_a_user_as_the_whole_truth() -> None:
    """1,300 cuts: a user is told as in the whole report, or the report is partial, or he is missing from its end."""
    whole = {row.arn: row for row in parse(REPORT, account_id=NUMBER, generated_at=MADE).rows}
    for place in range(len(REPORT)):
        parsed = check_read(REPORT[:place])
        if parsed is None or parsed.is_partial:
            continue
        for row in parsed.rows:
            assert row == whole[row.arn], REPORT[:place][-60:]


@settings(QUIET, max_examples=300)
@given(st.integers(0, 5), st.integers(0, 21), st.sampled_from([*sorted(ABSENT), "?", "-", "junk"]))
def test_a_word_that_is_not_a_date_never_makes_a_key_look_better(row: int, column: int, word: str) -> None:
    """No cell that says nothing turns an active key into no key, or an unknown use into never used, without a trace."""
    lines = [line.split(",") for line in REPORT.decode().split("\n")]
    before = parse(REPORT, account_id=NUMBER, generated_at=MADE)
    if row == 0 or column < 2:
        return
    was, lines[row][column] = lines[row][column], word
    parsed = check_read("\n".join(",".join(line) for line in lines).encode())
    if parsed is None or parsed.is_partial or was.lower() in ABSENT or word in ABSENT:
        return
    old = next(found for found in before.rows if found.arn == lines[row][1])
    new = next(found for found in parsed.rows if found.arn == lines[row][1])
    assert len(new.slots) >= len(old.slots) or not new.keys_known
    for slot in new.slots:
        other = next((one for one in old.slots if one.slot == slot.slot), None)
        if other is not None and other.last_use.at is not None:
            assert slot.last_use.state in (UseState.USED, UseState.UNKNOWN)
