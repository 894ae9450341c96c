"""One row of a credential report: named fields → typed facts of root or one IAM user. Pure.

Follows "Getting credential reports for your AWS account" of the IAM User Guide and what live reports show. A word that cannot
be read spoils its field, not the row; what is missing is unknown, never "never used" and never "no key".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hygiene.domain.ages import KEY_USE_RECORDED_SINCE, PASSWORD_USE_RECORDED_SINCE, is_in_future
from hygiene.domain.facts import CertificateFacts, LastUse, MfaState, PasswordState, UseState

ROOT_NAME = "<root_account>"
ABSENT = frozenset({"n/a", "no_information", "not_supported", ""})
MORE_CREDENTIALS = "additional_credentials_info"  # documented for users with more than two keys; not seen in live reports
_FLAGS = ("password_enabled", "mfa_active", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active")
_DATES = (
    *("user_creation_time", "password_last_used", "password_last_changed", "password_next_rotation"),
    *(f"{thing}_{number}_last_rotated" for thing in ("access_key", "cert") for number in (1, 2)),
    *(f"access_key_{number}_last_used_date" for number in (1, 2)),
)
_WORDS = tuple(f"access_key_{number}_last_used_{word}" for number in (1, 2) for word in ("region", "service"))
KNOWN = frozenset({"user", "arn", *_FLAGS, *_DATES, *_WORDS})
LONGEST = {"user": 128, "arn": 2048, "region": 64, "service": 128}  # IAM allows less; longer text is not IAM's
ROUNDING = timedelta(seconds=60)  # last-used dates have minute precision, creation dates have seconds
_ARN = re.compile(r"arn:[^:]+:iam::(?P<account>[0-9]{12}):(?P<resource>root|user/.+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
_TRUTH: Mapping[str | None, bool] = {"true": True, "false": False}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadRow(Exception):
    """This row cannot be read; the text completes "Line 7 was set aside: …"."""


@dataclass(frozen=True, slots=True)
class ReportSlot:
    """One slot that holds a key. `rotated_at` is the key's CreateDate; None when AWS gave none that can be read.

    `has_warning`: active flag, creation or use contradict each other or lie in the future; nothing may be decided from them.
    """

    slot: int
    is_active: bool
    rotated_at: datetime | None
    last_use: LastUse
    has_warning: bool = False


@dataclass(frozen=True, slots=True)
class ReportRow:
    """Root or one user. `slots` holds only slots with a key; `keys_known` False: whether another slot holds one cannot be read.

    `has_conflict`: another row contradicts this one; nothing may be decided from it. `extra`: columns that we do not know, raw.
    """

    name: str
    arn: str
    is_root: bool
    created_at: datetime | None
    password_state: PasswordState
    password_last_use: LastUse
    password_last_changed_at: datetime | None
    password_next_rotation_at: datetime | None
    mfa_state: MfaState
    slots: tuple[ReportSlot, ...]
    keys_known: bool
    certificates: tuple[CertificateFacts, ...] | None
    warnings: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    has_conflict: bool = False

    @property
    def fingerprint(self) -> str:
        """Changes when a key of the user may have been made, removed or switched: only then are its keys listed again.

        Of keys born in one second the report does not tell which of them was used: a use of either is a reason to ask, too.
        """
        is_tied = len({slot.rotated_at for slot in self.slots}) < len(self.slots)
        slots = (f"{slot.slot} {slot.rotated_at} {slot.is_active}{f' {slot.last_use.at}' if is_tied else ''}" for slot in self.slots)
        parts = (str(self.created_at), *slots, str(self.keys_known), self.extra.get(MORE_CREDENTIALS, ""))
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def read_row(values: Mapping[str, str], *, generated_at: datetime | None) -> tuple[ReportRow, str]:
    """The typed row of stripped fields by column, and the 12-digit account number of its ARN. Raises BadRow."""
    if any(map(_CONTROL.search, values.values())):
        raise BadRow("it holds control characters")
    if any(len(values[name]) > LONGEST[name] for name in ("user", "arn")):
        raise BadRow("its name or ARN is longer than IAM allows")
    match = _ARN.fullmatch(values["arn"])
    if match is None:
        raise BadRow("its ARN is not that of a user or of root")
    is_root = match["resource"] == "root"
    if not is_root and not values["user"]:
        raise BadRow("it has no user name")
    return _Reader(values, generated_at).row(is_root=is_root), match["account"]


def is_cut_off(column: str, word: str) -> bool:
    """Whether the last word of a report cannot be the whole of what AWS wrote there. AWS's dates end in their time zone."""
    if column in _FLAGS:
        return word.lower() not in {"true", "false", *ABSENT}
    moment = _moment(word)
    return column in _DATES and word.lower() not in ABSENT and (moment is None or moment.tzinfo is None)


def _moment(word: str) -> datetime | None:
    """An ISO 8601 date with a time, aware or naive; None for anything else."""
    word = word.upper()
    if not _DATE.fullmatch(word):
        return None
    try:
        return datetime.fromisoformat(word)
    except ValueError:
        return None


def _second(moment: datetime | None) -> datetime | None:
    """A birth by the whole second, as far as AWS's sources agree on it."""
    return None if moment is None else moment.replace(microsecond=0)


class _Reader:
    """Reads the fields of one row and collects warnings on the way."""

    def __init__(self, values: Mapping[str, str], generated_at: datetime | None) -> None:
        self.values = values
        self.generated_at = generated_at
        self.warnings: list[str] = []
        self.keys_known = True

    def row(self, *, is_root: bool) -> ReportRow:
        """The whole row."""
        name = self.values["user"]
        if not is_root and not self.values["arn"].endswith(f"/{name}"):
            self.warn("The user name is not the one in the ARN.")
        created_at = _second(self.past_date("user_creation_time"))
        password_state = self.password_state()
        return ReportRow(
            name=ROOT_NAME if is_root else name,
            arn=self.values["arn"],
            is_root=is_root,
            created_at=created_at,
            password_state=password_state,
            password_last_use=self.password_use(password_state, created_at),
            password_last_changed_at=self.past_date("password_last_changed"),
            password_next_rotation_at=self.date("password_next_rotation"),
            mfa_state={True: MfaState.ON, False: MfaState.OFF, None: MfaState.UNKNOWN}[self.flag("mfa_active")],
            slots=tuple(slot for number in (1, 2) if (slot := self.slot(number, created_at)) is not None),
            keys_known=self.keys_known,
            certificates=self.certificates(),
            extra=self.extra(),
            warnings=tuple(self.warnings),
        )

    def warn(self, sentence: str) -> None:
        """Note a sentence for the poll's page."""
        self.warnings.append(sentence)

    def said(self, name: str) -> str | None:
        """The word in lower case; None for a missing column."""
        word = self.values.get(name)
        return None if word is None else word.lower()

    def flag(self, name: str) -> bool | None:
        """true, false, or None for anything else."""
        return _TRUTH.get(self.said(name))

    def date(self, name: str) -> datetime | None:
        """An aware UTC time, or None for absent, missing or unreadable (the last with a warning)."""
        word = self.values.get(name)
        if word is None or word.lower() in ABSENT:
            return None
        moment = _moment(word)
        try:
            if moment is not None and moment.tzinfo is None:
                self.warn(f"{name} has no time zone and is read as UTC.")
                return moment.replace(tzinfo=UTC)
            if moment is not None:
                return moment.astimezone(UTC)
        except OverflowError:
            pass
        self.warn(f"{name} holds {word[:40]!r}, which is not a date, so it is unknown.")
        return None

    def past_date(self, name: str) -> datetime | None:
        """A date that should not lie ahead of the report; one that does is kept with a warning, and no age is made of it."""
        moment = self.date(name)
        if self.is_ahead(moment):
            self.warn(f"{name} lies in the future.")
        return moment

    def is_ahead(self, moment: datetime | None) -> bool:
        """Whether it lies further ahead of the report than clock skew explains."""
        return moment is not None and self.generated_at is not None and is_in_future(moment, self.generated_at)

    def says_none(self, name: str) -> bool:
        """Whether AWS says that there is nothing; False also for a missing column and an unreadable word."""
        return self.said(name) in ABSENT

    def word(self, name: str, longest: int) -> str | None:
        """A region or service; None when AWS names none or the text cannot be one."""
        value = self.values.get(name, "")
        if len(value) > longest:
            self.warn(f"{name} is longer than any that AWS has, so it is unknown.")
            return None
        return None if value.lower() in ABSENT else value

    def slot(self, number: int, user_created_at: datetime | None) -> ReportSlot | None:
        """The slot, when it holds a key: active, or with a date of rotation. A flag that cannot be read counts as active."""
        prefix = f"access_key_{number}_"
        is_active, rotated_at = self.flag(prefix + "active"), _second(self.date(prefix + "last_rotated"))
        if not is_active and rotated_at is None:
            if is_active is None or not self.says_none(prefix + "last_rotated"):
                self.keys_known = False
            return None
        used_at = self.date(prefix + "last_used_date")
        if rotated_at is not None and user_created_at is not None and rotated_at < user_created_at:
            self.warn(f"Access key {number} is older than its user.")
        doubt = self.doubt(is_active, rotated_at, used_at)
        if doubt:
            self.warn(f"Access key {number} {doubt}.")
        return ReportSlot(number, is_active is not False, rotated_at, self.key_use(prefix, used_at, rotated_at), bool(doubt))

    def doubt(self, is_active: bool | None, rotated_at: datetime | None, used_at: datetime | None) -> str:
        """What contradicts itself about a key, in words that follow "Access key 1"; empty when nothing does."""
        if is_active is None:
            return "has a status that cannot be read"
        if rotated_at is None:
            return "is active but has no creation time"
        if self.is_ahead(rotated_at) or self.is_ahead(used_at):
            return "has a date in the future"
        if used_at is not None and rotated_at - used_at > ROUNDING:
            return "was used before it was created"
        return ""

    def key_use(self, prefix: str, used_at: datetime | None, rotated_at: datetime | None) -> LastUse:
        """Last use of a key. Absence means never only for a key born since AWS records, no data for an older one."""
        if used_at is not None:
            region = self.word(prefix + "last_used_region", LONGEST["region"])
            service = self.word(prefix + "last_used_service", LONGEST["service"])
            return LastUse(UseState.USED, used_at, region, service, self.generated_at)
        state = UseState.UNKNOWN
        if rotated_at is not None and self.says_none(prefix + "last_used_date"):
            state = UseState.NO_DATA if rotated_at < KEY_USE_RECORDED_SINCE else UseState.NEVER
        return LastUse(state, observed_at=self.generated_at)

    def password_state(self) -> PasswordState:
        """Tri-state; not_supported, as old root rows have it, is unknown."""
        return {True: PasswordState.ENABLED, False: PasswordState.NONE, None: PasswordState.UNKNOWN}[self.flag("password_enabled")]

    def password_use(self, state: PasswordState, created_at: datetime | None) -> LastUse:
        """Last sign-in. A date outlives the password; without one, no password means that there is nothing to use.

        Absence means never only for a user known to be born since AWS records; else it is no data.
        """
        name = "password_last_used"
        used_at = self.past_date(name)
        said = self.said(name)
        if used_at is not None:
            use = UseState.USED
        elif state is PasswordState.NONE:
            use = UseState.NOT_APPLICABLE
        elif said == "no_information" or (state is PasswordState.ENABLED and said != "not_supported" and self.says_none(name)):
            is_tracked = created_at is not None and created_at >= PASSWORD_USE_RECORDED_SINCE
            use = UseState.NEVER if is_tracked else UseState.NO_DATA
        else:
            use = UseState.UNKNOWN
        return LastUse(use, used_at, observed_at=self.generated_at)

    def certificates(self) -> tuple[CertificateFacts, ...] | None:
        """Slots that hold a signing certificate; None when one of the two cannot be read."""
        found = []
        for number in (1, 2):
            rotated = f"cert_{number}_last_rotated"
            is_active, rotated_at = self.flag(f"cert_{number}_active"), self.past_date(rotated)
            if is_active or rotated_at is not None:
                found.append(CertificateFacts(number, is_active is not False, rotated_at))
            elif is_active is None or not self.says_none(rotated):
                return None
        return tuple(found)

    def extra(self) -> dict[str, str]:
        """Columns that we do not know, as they came; that of more credentials only where AWS says something in it."""
        extra = {name: value for name, value in self.values.items() if name not in KNOWN}
        if extra.get(MORE_CREDENTIALS, "").lower() in ABSENT:
            extra.pop(MORE_CREDENTIALS, None)
        else:
            self.warn("AWS says that this user has more credentials than the report shows.")
        return extra
