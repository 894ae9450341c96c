"""Template tags: icons, severities, times and the words of values. Words come from `hygiene.domain.wording`."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hygiene.domain import wording
from hygiene.domain.facts import LastUse, Source, UseState
from hygiene.domain.rules import RULES
from hygiene.domain.verdicts import Severity
from hygiene.models import AccessKey, Principal
from hygiene.services import live_keys

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite; decoration, so hidden from screen readers."""
    return _drawn(name, css)


@cache
def _drawn(name: str, css: str) -> SafeString:
    return format_html(
        '<svg class="icon {}" aria-hidden="true" width="16" height="16"><use href="{}#{}"></use></svg>',
        css,
        static("icons/sprite.svg"),
        name,
    )


@register.simple_tag
def glyph(level: str | int) -> SafeString:
    """The shape of a severity (a number of `Severity`), or of "unknown", "ok"."""
    word = Severity(level).word if isinstance(level, int) else level
    name = {"info": "sev-low", "none": "sev-ok", "ok": "sev-ok", "unknown": "sev-unknown"}.get(word, f"sev-{word}")
    return icon(name, f"glyph is-{word}")


@register.simple_tag
def severity(level: int, text: str = "") -> SafeString:
    """Shape, colour and word. `text` replaces the severity's own word, which then stays for screen readers."""
    word = Severity(level).word
    label = format_html('{}<span class="sr"> ({})</span>', text, word) if text else word
    return format_html('<span class="sev is-{}">{}{}</span>', word, glyph(level), label)


@register.filter
def severity_word(level: int) -> str:
    """The word of a severity's number."""
    return Severity(level).word


@register.filter
def rule_title(code: str) -> str:
    """The plain name of a rule."""
    rule = RULES.get(code)
    return rule.title if rule else code


@register.simple_tag
def when(moment: datetime | str | None, absent: str = "never") -> SafeString | str:
    """Relative time with the absolute one in `<time>` and on hover. Templates hand in "" for what is missing."""
    if not isinstance(moment, datetime):
        return absent
    absolute = full_time(moment)
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), absolute, wording.relative(moment, timezone.now()))


@register.simple_tag
def last_use(key: AccessKey) -> SafeString | str:
    """When a key was last used, or in words what is known instead: never, not yet, no data, unknown."""
    if key.last_used_at is not None:
        return when(key.last_used_at)
    return str(wording.last_used_words(live_keys.last_use(key), created_at=key.created_at, now=timezone.now()))


@register.simple_tag
def last_sign_in(principal: Principal | None) -> SafeString | str:
    """When somebody last signed in with a password, or in words what is known instead. None: a root user that was never read."""
    if principal is not None and principal.password_last_used_at is not None:
        return when(principal.password_last_used_at)
    state = UseState.UNKNOWN if principal is None else UseState(principal.password_last_used_state)
    use = LastUse(state, None, source=Source.REPORT)
    return str(wording.sign_in_words(use, now=timezone.now()))


@register.simple_tag
def took(began: datetime, ended: datetime) -> str:
    """How long something took: "3 s", "2 min 5 s", "1 h 4 min"."""
    seconds = max(0, round((ended - began).total_seconds()))
    if seconds < 60:
        return f"{seconds} s" if seconds else "under 1 s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@register.filter
def full_time(moment: datetime | str | None) -> str:
    """8 Feb 2021, 10:22 GMT: in the viewer's time zone with its name."""
    if not isinstance(moment, datetime):
        return "not known"
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


@register.filter
def day(moment: datetime | None) -> str:
    """8 Feb 2021."""
    return "not known" if moment is None else wording.day(moment)


@register.filter
def account_number(account_id: str) -> str:
    """Groups of four."""
    return wording.grouped_account(account_id)


@register.filter
def short_key(access_key_id: str | None) -> str:
    """AKIA…EGXD."""
    return wording.short_key_id(access_key_id)


@register.filter
def number(value: int | str | None) -> str:
    """1,204."""
    return wording.number(value) if isinstance(value, int) else "unknown"


@register.filter
def plural(count: int, noun: str) -> str:
    """1 key, 2 keys."""
    return wording.plural(count, noun)


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], name: str) -> SafeString | str:
    """`aria-current` for the navigation entry of the page that is shown."""
    match = getattr(context.get("request"), "resolver_match", None)
    here = match.url_name if match else ""
    section = {
        "key": "keys",
        "user": "users",
        "root-user": "root-users",
        "account": "accounts",
        **dict.fromkeys(("account-new", "account-new-test", "account-new-add", "account-act-role"), "accounts"),
        "rule": "findings",
        "rules": "findings",
        "policy": "settings",
        "remediation": "queue",
    }
    section |= {"audit-event": "audit", "plan": "keys", "exemption": "exemptions", "exemption-new": "exemptions"}
    return SafeString('aria-current="page"') if section.get(here, here) == name else ""
