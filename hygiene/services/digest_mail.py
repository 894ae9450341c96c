"""A digest as a mail: HTML with inline styles and its plain-text twin, from the same data."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import make_msgid
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from hygiene.domain.wording import day
from hygiene.models import DigestDelivery, DigestSubscription
from hygiene.services.digest_content import Digest, link

LEVELS = {"critical": "!!", "high": "! ", "medium": "* ", "low": "- ", "ok": "+ ", "unknown": "? "}


def html_of(digest: Digest, subscription: DigestSubscription, anchor: str = "") -> str:
    """The HTML part: every style inline, no image, nothing remote."""
    page = render_to_string("emails/digest-body.html", _context(digest, subscription, anchor))
    return css_inline.inline(page, keep_style_tags=True, load_remote_stylesheets=False)


def text_of(digest: Digest, subscription: DigestSubscription, anchor: str = "") -> str:
    """The plain-text twin: the same sections in aligned columns, with full addresses."""
    context = _context(digest, subscription, anchor)
    width = max(len(figure.name) for figure in digest.figures)
    rows = [f"{figure.name:<{width}}  {_shown(figure.value):>7}  {figure.change}".rstrip() for figure in digest.figures]
    sections = [
        {
            "section": section,
            "lines": [f"{LEVELS[line.level]}{line.title}\n    {line.detail}\n    {line.url}" for line in section.lines],
        }
        for section in digest.sections
    ]
    return render_to_string("emails/digest-body.txt", {**context, "rows": rows, "text_sections": sections}).strip() + "\n"


def _shown(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


def _context(digest: Digest, subscription: DigestSubscription, anchor: str) -> dict[str, object]:
    slot = f"{subscription.get_weekday_display()} {subscription.hour:02d}:{subscription.minute:02d} {subscription.time_zone}"
    return {
        "digest": digest,
        "covers": f"{day(digest.since)} to {day(digest.made_at)}" if digest.since else "",
        "overview_url": link("overview"),
        "settings_url": link("digest"),
        "stop_url": link("digest-unsubscribe", subscription.uuid),
        "slot": slot,
        "anchor": anchor,
    }


def message_of(
    delivery: DigestDelivery, digest: Digest, subscription: DigestSubscription, *, references: Sequence[str], anchor: str = ""
) -> EmailMultiAlternatives:
    """The mail with a Message-ID that stays the same for this delivery, threaded with the weeks before. `anchor`: NUMBER:HASH."""
    host = urlsplit(settings.SITE_ROOT).hostname or "localhost"
    headers = {
        "Message-ID": delivery.message_id or make_msgid(idstring=str(delivery.uuid), domain=host),
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
    message.attach_alternative(html_of(digest, subscription, anchor), "text/html")
    return message
