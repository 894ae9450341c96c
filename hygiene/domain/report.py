"""Credential report: bytes as AWS serves them → typed rows. Pure. What one row says is the business of `report_row`.

Columns are read by name, a bad row is quarantined, and only a report that cannot be trusted as a whole is rejected, with one
sentence that names the reason. AWS writes no quotes, LF, and no trailing newline; none of that is relied on.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from hygiene.domain.report_row import KNOWN, BadRow, ReportRow, ReportSlot, is_cut_off, read_row
from hygiene.domain.wording import plural

LARGEST = 64 * 1024 * 1024
REQUIRED = ("user", "arn", "access_key_1_active")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
TWO_ROWS = "The report has two different rows for this ARN."
TWIN_NAME = "Another row has the same name in other letters, which IAM does not allow."


class ReportRejected(Exception):
    """The report as a whole cannot be trusted; the inventory that stands is kept. `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A line of the report that could not be read, counted from 1, and why; the reason follows "Line 7 was set aside:"."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedReport:
    """What a report says. Partial: some rows are missing from it, so absence of a user proves nothing."""

    root: ReportRow | None
    users: tuple[ReportRow, ...]
    quarantined: tuple[QuarantinedRow, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether rows were quarantined."""
        return bool(self.quarantined)

    @property
    def rows(self) -> tuple[ReportRow, ...]:
        """Root, if there, and the users."""
        return (self.root, *self.users) if self.root else self.users


def parse(content: bytes, *, account_id: str, generated_at: datetime | None = None) -> ParsedReport:
    """Read a credential report of the account with this 12-digit number.

    `generated_at` is when AWS made it: the observation time of its facts and the "now" of its future-date checks.
    Raises ReportRejected when it is empty, too large, lacks a required column or any row, or is another account's.
    """
    if len(content) > LARGEST:
        raise ReportRejected("The credential report is larger than 64 MB, which no AWS account can have.")
    lines = _lines(content.removeprefix(b"\xef\xbb\xbf"))
    first = next(lines, None)
    if first is None:
        raise ReportRejected("The credential report is empty.")
    header = _header(first[1])
    rows = _Rows(header, account_id, generated_at)
    for number, line in lines:
        rows.add(number, line)
    if not content.endswith((b"\n", b"\r")):
        rows.check_end()
    return rows.report()


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1. A quoted line break splits its row, and both halves are set aside."""
    return ((number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip(b" \t,"))


def _header(line: bytes) -> list[str]:
    """Names of the columns, in lower case. Raises ReportRejected for a line that cannot be a header."""
    try:
        header = [name.strip().lower() for name in next(csv.reader([line.decode(errors="replace")], strict=True))]
    except csv.Error as error:
        raise ReportRejected("The first line of the credential report cannot be read as column names.") from error
    if any(_CONTROL.search(name) for name in header):
        raise ReportRejected("The first line of the credential report holds control characters.")
    for name in REQUIRED:
        if name not in header:
            raise ReportRejected(f"The credential report has no column {name}.")
    for name in KNOWN:
        if header.count(name) > 1:
            raise ReportRejected(f"The credential report has the column {name} twice.")
    return header


class _Rows:
    """Rows of one report as they are read, by ARN."""

    def __init__(self, header: list[str], account_id: str, generated_at: datetime | None) -> None:
        self.header = header
        self.account_id = account_id
        self.generated_at = generated_at
        self.seen: dict[str, list[ReportRow]] = {}
        self.quarantined: list[QuarantinedRow] = []
        self.last: tuple[int, str, str] | None = None  # line, ARN and last field of the row read last
        self.empty_ends = 0  # rows with an empty last field

    def add(self, number: int, line: bytes) -> None:
        """Read one line. Raises ReportRejected when it is another account's."""
        self.last = None
        try:
            values = self.values(line)
            row, account = read_row(values, generated_at=self.generated_at)
        except BadRow as error:
            self.quarantined.append(QuarantinedRow(number, str(error)))
            return
        if account != self.account_id:
            raise ReportRejected(
                f"The credential report is of account {account}, not of {self.account_id}. Check which role this account is read with."
            )
        self.seen.setdefault(row.arn, []).append(row)
        self.last = (number, row.arn, values[self.header[-1]])
        self.empty_ends += not self.last[2]

    def values(self, line: bytes) -> dict[str, str]:
        """Stripped values by column. Raises BadRow."""
        try:
            fields = next(csv.reader([line.decode()], strict=True))
        except UnicodeDecodeError as error:
            raise BadRow("it is not UTF-8") from error
        except csv.Error as error:
            raise BadRow("it cannot be read as CSV") from error
        if len(fields) > len(self.header):
            fields = _repaired(fields, self.header)
        try:
            return {name: field.strip() for name, field in zip(self.header, fields, strict=True)}
        except ValueError as error:
            raise BadRow(f"it has {plural(len(fields), 'field')} instead of {len(self.header)}") from error

    def check_end(self) -> None:
        """A report that ends inside its last field was cut off on the way: that row is set aside, and the report is partial."""
        if self.last is None:
            return
        number, arn, word = self.last
        if is_cut_off(self.header[-1], word) or (not word and self.empty_ends == 1):
            self.seen[arn].pop()
            self.quarantined.append(QuarantinedRow(number, "it is cut off"))

    def report(self) -> ParsedReport:
        """All rows, each ARN once. Raises ReportRejected when there is none."""
        rows = [_merged(same) for same in self.seen.values() if same]
        if not rows:
            reason = "its rows cannot be read" if self.quarantined else "it has no rows, not even that of the root user"
            raise ReportRejected(f"The credential report is of no use: {reason}.")
        root = next((row for row in rows if row.is_root), None)
        warnings = () if root else ("The credential report has no row for the root user.",)
        users = _flag_case_twins([row for row in rows if not row.is_root])
        return ParsedReport(root, users, tuple(self.quarantined), warnings)


def _repaired(fields: list[str], header: list[str]) -> list[str]:
    """A row with too many fields: commas of a name or path that were not quoted.

    Names hold no colon, so with user and ARN first the name ends at the first ``,arn:``; the tail is counted from the end. The
    result counts only if the ARN ends with the name, since a comma further right would shift the tail.
    """
    tail = len(header) - 2
    name, _, arn = ",".join(fields[:-tail]).partition(",arn:")
    if header[:2] != ["user", "arn"] or not arn.endswith(f"/{name.strip()}"):
        raise BadRow("it has too many fields")
    return [name, f"arn:{arn}", *fields[-tail:]]


def _merged(same: list[ReportRow]) -> ReportRow:
    """Rows of one ARN: the same once is one; rows that differ are one that is flagged and shows the keys of the fullest."""
    first = same[0]
    if all(row == first for row in same):
        return first
    fullest = max(same, key=lambda row: len(row.slots))
    return replace(fullest, keys_known=False, has_conflict=True, warnings=(*fullest.warnings, TWO_ROWS))


def _flag_case_twins(users: list[ReportRow]) -> tuple[ReportRow, ...]:
    """IAM names are unique whatever their case: two that differ only so are kept apart and flagged."""
    names: dict[str, int] = {}
    for row in users:
        names[row.name.lower()] = names.get(row.name.lower(), 0) + 1
    return tuple(
        replace(row, has_conflict=True, warnings=(*row.warnings, TWIN_NAME)) if names[row.name.lower()] > 1 else row for row in users
    )


__all__ = ["ParsedReport", "QuarantinedRow", "ReportRejected", "ReportRow", "ReportSlot", "parse"]
