"""What the tables of list pages share: cells, orderings, the base class. Words come from `hygiene.domain.wording`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from inspect import signature
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2.data import TableQuerysetData

from accounts.models import Account
from hygiene.domain import wording
from hygiene.domain.facts import KeyStatus, MfaState
from hygiene.domain.states import AccountState
from hygiene.domain.verdicts import Severity
from hygiene.models import AccessKey, Principal
from hygiene.models.orderings import eldest_first, latest_first, oldest_first, youngest_first
from hygiene.services.columns import COLUMNS
from hygiene.services.live_keys import last_use
from hygiene.services.posture import state_of
from hygiene.tables.addresses import address
from hygiene.templatetags.hygiene import glyph, icon, rule_title, severity

NUMBER: dict[str, dict[str, str]] = {"th": {"class": "num"}, "td": {"class": "num"}}
WIDE_ONLY: dict[str, dict[str, str]] = {"th": {"class": "optional-column"}, "td": {"class": "optional-column"}}


def two(first: Any, second: Any, css: str = "") -> SafeString:
    """A cell of two lines."""
    return format_html('<span class="two"><b class="{}">{}</b><small>{}</small></span>', css, first, second)


def moment_cell(moment: datetime | None, absent: str = "not known") -> SafeString | str:
    """A day and, below it, the time of it, in the viewer's time zone with its name."""
    if moment is None:
        return absent
    local = timezone.localtime(moment)
    shown = '<time class="two" datetime="{}"><b>{}</b><small>{}</small></time>'
    return format_html(shown, moment.isoformat(), wording.day(local), f"{local:%H:%M %Z}")


def link(url_name: str, argument: Any, words: Any, *, is_row: bool = False) -> SafeString:
    """A link in the text's colour. `is_row` makes it the row's own link for the keyboard."""
    mark = SafeString(" data-row-link") if is_row else ""
    return format_html('<a class="plain" href="{}"{}>{}</a>', address(url_name, argument), mark, words)


def row_menu(label: str, entries: Iterable[tuple[str, str]]) -> SafeString:
    """The menu of one row, of (address, words); words that end in an ellipsis open a dialog."""
    links = format_html_join(
        "", '<a href="{}"{}>{}</a>', ((url, dialog_for(url) if words.endswith("…") else "", words) for url, words in entries)
    )
    return format_html(
        '<details class="facet row-menu"><summary class="icon-button" aria-label="{}">{}</summary>'
        '<div class="facet-list">{}</div></details>',
        *(label, icon("dots"), links),
    )


def dialog_for(url: str) -> SafeString:
    """What makes a link open the dialog of its page; without scripts the page opens."""
    return format_html(' hx-get="{}" hx-target="#dialog" hx-swap="innerHTML" data-opens-dialog', url)


def account_cell(account: Account) -> SafeString:
    """Name first, the number in groups below."""
    return two(link("account", account.account_id, account.name), wording.grouped_account(account.account_id))


def owner_cell(own: str, source: str, account: Account) -> SafeString | str:
    """The owner as a chip and how it was found, or that there is none."""
    name, found = (own, source) if own else (account.owner_email, "owner of the account")
    return two(owner_chip(name), found) if name else owner_chip("")


def owner_chip(name: str) -> SafeString:
    """A name as a chip, or that there is none."""
    if name:
        return format_html('<span class="chip clip" title="{}">{}</span>', name, name)
    return format_html('<span class="chip is-absent">{}</span>', "no owner")


def finding_cell(level: int, rules: list[str], account: Account, *, policy: Any, now: datetime) -> SafeString:
    """The worst failing rule and how many more; what is not known is said to be unknown."""
    if rules:
        more = f"and {len(rules) - 1} more" if len(rules) > 1 else "open"
        return two(severity(level, rule_title(rules[0])), more)
    state = state_of(getattr(account, "status", None), account, policy=policy, now=now)
    if state is not AccountState.OK:
        return two(format_html('<span class="sev is-unknown">{}unknown</span>', glyph("unknown")), "account not reporting")
    return two("nothing to do", "no rule fails")


class PagedRows(TableQuerysetData):  # type: ignore[misc]  # django-tables2 ships no types
    """Rows that are sorted as bare keys: what a page shows is joined for that page's rows alone, not for all that are sorted.

    `count` says how many there are; it is asked once, and may know the answer without counting.
    """

    def __init__(self, data: QuerySet[Any], count: Callable[[], int]) -> None:
        self.count = count
        super().__init__(data)

    def __len__(self) -> int:
        if not hasattr(self, "_length"):
            self._length = self.count()
        return self._length

    def __getitem__(self, key: int | slice) -> Any:
        rows: QuerySet[Any] = self.data
        if not isinstance(key, slice) or rows.query.group_by is not None or rows.query.values_select:
            return super().__getitem__(key)
        return rows.filter(pk__in=rows.select_related(None).prefetch_related(None).values("pk")[key])


class List(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """What every list shares: our template, the moment and the policy of the request, and a stable last ordering.

    `fixed` columns are always shown; a list without `fixed` has no choice of columns. `pinned` names the columns whose value a word
    of the filter line fixes: such a column is hidden until asked for. `exports` tells which columns of an export say the same.
    """

    fixed: ClassVar[tuple[str, ...]] = ()
    pinned: ClassVar[dict[str, str]] = {}
    kind: ClassVar[str] = ""
    exports: ClassVar[dict[str, tuple[str, ...]]] = {}

    class Meta:
        template_name = "table.html"
        attrs: ClassVar = {"class": "table"}

    def __init__(self, *args: Any, policy: Any, now: datetime, user: Any, **kwargs: Any) -> None:
        self.policy, self.now, self.user = policy, now, user
        super().__init__(*args, **kwargs)

    def lines(self) -> Iterator[tuple[Any, list[tuple[str, str, str, Any]]]]:
        """Each row of the page with its cells: column's name, header, class, and what it shows."""
        columns = [(column.name, str(column.header), column.attrs["td"].get("class", ""), self._cell_of(column)) for column in self.columns]
        for row in self.paginated_rows:
            yield row.record, [(name, header, css, cell(row)) for name, header, css, cell in columns]

    def _cell_of(self, column: Any) -> Callable[[Any], Any]:
        """What makes the cells of a column: its `render_…` where that takes the record alone, found out once and not for each cell."""
        render = getattr(self, f"render_{column.name}", None)
        if render is None or list(signature(render).parameters) != ["record"]:
            return lambda row: row.get_cell(column.name)
        return lambda row: render(row.record)

    def csrf_token(self) -> str:
        """One token for all forms of the page."""
        if not hasattr(self, "_token"):
            self._token: str = get_token(self.request)
        return self._token

    def exported(self) -> list[str]:
        """Columns of the export that say what the shown columns say, in the export's order."""
        shown = {name for column in self.columns for name in self.exports.get(column.name, ())}
        return [name for name in COLUMNS[self.kind] if name in shown]

    def choose(self, wanted: list[str], pinned_keys: set[str]) -> list[tuple[str, str, bool]]:
        """Show the wanted columns, or the usual ones; answers (name, label, is shown) of every column that can be chosen."""
        choices = []
        for name in self.sequence if self.fixed else ():
            column = self.columns[name]
            is_shown = name in wanted if wanted else column.visible and self.pinned.get(name) not in pinned_keys
            if name in self.fixed:
                continue
            (self.columns.show if is_shown else self.columns.hide)(name)
            if wanted and column.column.attrs == WIDE_ONLY:
                column.column.attrs = {}  # asked for by name, so narrow screens show it too
            choices.append((name, str(column.header), is_shown))
        return choices


def born(queryset: QuerySet[Any], field: str, *, is_descending: bool) -> tuple[QuerySet[Any], bool]:
    """Order by age in days: descending is oldest first; unknown comes last both ways."""
    return queryset.order_by(*(eldest_first if is_descending else youngest_first)(field)), True


def used(queryset: QuerySet[Any], field: str, state: str, *, is_descending: bool) -> tuple[QuerySet[Any], bool]:
    """Order by use: no use on record is the oldest; unknown comes last both ways."""
    return queryset.order_by(*(latest_first if is_descending else oldest_first)(field, state)), True


def sentences(user: Principal, now: datetime) -> list[tuple[AccessKey, str]]:
    """Each present key of a user with its status sentence; from the prefetched `present_keys`."""
    keys: list[AccessKey] = user.present_keys  # type: ignore[attr-defined]  # Prefetch(to_attr) of the view
    return [(key, sentence(key, now=now, is_root=user.is_root)) for key in keys]


def sentence(key: AccessKey, *, now: datetime, is_root: bool, limit_days: int | None = None) -> str:
    """The status sentence of a key."""
    return wording.key_sentence(
        status=KeyStatus(key.status),
        created_at=key.created_at,
        last_use=last_use(key),
        now=now,
        is_root=is_root,
        inactive_since=key.disabled_here_at or _seen_going_inactive(key),
        limit_days=limit_days,
        is_gone=key.gone_at is not None,
        status_raw=key.status_raw,
    )


def _seen_going_inactive(key: AccessKey) -> datetime | None:
    """When a poll first saw it disabled; None for a key that was already so when we first saw it: AWS does not tell since when."""
    seen = key.first_inactive_at
    return seen if seen is not None and seen > key.first_seen_at else None


def mfa_cell(state: MfaState, kinds: str, level: Severity = Severity.HIGH) -> SafeString:
    """MFA in words; off is shown as what it is, unknown as unknown."""
    if state is MfaState.ON:
        return two("on", kinds or "kind not known")
    if state is MfaState.NOT_APPLICABLE:
        return two("n/a", "nothing to protect")
    if state is MfaState.UNKNOWN:
        return two("unknown", "not read")
    return two(severity(level.value, "off"), "no device")
