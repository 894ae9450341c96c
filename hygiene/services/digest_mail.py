"""A digest as a mail: HTML with inline styles and its plain-text twin, from the same data."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from hygiene.domain.wording import listed
from hygiene.models import DigestDelivery, DigestSubscription
from hygiene.people import roles_of
from hygiene.services import mailing
from hygiene.services.digest_content import Digest, Section, link

LEVELS = {"critical": "!!", "high": "! ", "medium": "* ", "low": "- ", "done": "+ ", "ok": "  ", "info": "- ", "unknown": "? "}
MOST_UNCOMPARED = 10


def html_of(digest: Digest, subscription: DigestSubscription, anchor: str = "") -> str:
    """The HTML part: every style inline, no image, nothing remote."""
    page = render_to_string("emails/digest-body.html", _context(digest, subscription, anchor))
    return css_inline.inline(page, keep_style_tags=True, load_remote_stylesheets=False)


def text_of(digest: Digest, subscription: DigestSubscription, anchor: str = "") -> str:
    """The plain-text twin: the same sections in aligned columns, with full addresses."""
    context = _context(digest, subscription, anchor)
    width = max(len(figure.name) for figure in digest.figures)
    rows = [f"{figure.name:<{width}}  {_shown(figure.value):>7}  {figure.change}".rstrip() for figure in digest.figures]
    sections = [{"section": part, "lines": _lines(part)} for part in digest.sections]
    more = {"rows": list(zip(rows, digest.figures, strict=True)), "text_sections": sections, "text_missing": _lines(digest.missing)}
    return mailing.text_of("digest-body.txt", {**context, **more}).strip() + "\n"


def _lines(part: Section) -> list[str]:
    return [f"{LEVELS[line.level]} {line.title}\n   {line.detail}\n   {line.url}" for line in part.lines]


def _shown(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def slot_words(subscription: DigestSubscription) -> str:
    """When somebody gets it: "every Monday at 07:00 (Europe/Paris)"."""
    often = "every day" if subscription.frequency == "daily" else f"every {subscription.get_weekday_display()}"
    return f"{often} at {subscription.hour:02d}:{subscription.minute:02d} ({subscription.time_zone})"


def _context(digest: Digest, subscription: DigestSubscription, anchor: str) -> dict[str, object]:
    left_out = digest.uncompared
    return {
        "digest": digest,
        "overview_url": link("overview", scope=digest.scope.word),
        "settings_url": link("digest"),
        "stop_url": link("digest-unsubscribe", subscription.uuid),
        "slot": slot_words(subscription),
        "scope": "what you own" if digest.scope.is_mine else digest.scope.label,
        "roles": ", ".join(roles_of(subscription.user)) or "no role",
        "uncompared": names_of(left_out),
        "anchor": anchor,
    }


def names_of(found: Sequence[str]) -> str:
    """The first ten names, and how many more."""
    return listed(found, most=MOST_UNCOMPARED)


def message_of(
    delivery: DigestDelivery, digest: Digest, subscription: DigestSubscription, *, references: Sequence[str], anchor: str = ""
) -> EmailMultiAlternatives:
    """The mail with a Message-ID that stays the same for this delivery, threaded with the weeks before. `anchor`: NUMBER:HASH."""
    host = urlsplit(settings.SITE_ROOT).hostname or "localhost"
    headers = {
        "Message-ID": delivery.message_id or f"<digest-{delivery.uuid}@{host}>",
        "List-Unsubscribe": f"<{link('digest-unsubscribe', subscription.uuid)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    if references:
        headers["References"] = " ".join(reversed(references))
        headers["In-Reply-To"] = references[0]
    message = EmailMultiAlternatives(
        digest.subject, text_of(digest, subscription, anchor), settings.DEFAULT_FROM_EMAIL, [delivery.address], headers=headers
    )
    if not subscription.is_plain:
        message.attach_alternative(html_of(digest, subscription, anchor), "text/html")
    return message
