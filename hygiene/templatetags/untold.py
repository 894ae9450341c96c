"""Whether the account of a page reports, for findings that are none; and numbers in a rule's own words."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils import timezone

from accounts.models import Account
from hygiene.domain.states import AccountState
from hygiene.domain.wording import number
from hygiene.services import policies
from hygiene.services.posture import state_of

register = template.Library()
BIG = re.compile(r"(?<![\w.,:-])\d{4,}(?= days?\b)")


@register.simple_tag
def is_told(*places: Any) -> bool:
    """Whether the account of the page reports; `places` are where a page may have it, of which the first that is an account counts."""
    account = next((place for place in places if isinstance(place, Account)), None)
    if account is None:
        return True
    now, policy = timezone.now(), policies.current().installation
    return state_of(getattr(account, "status", None), account, policy=policy, now=now) is AccountState.OK


@register.filter
def grouped(words: str) -> str:
    """Numbers of days in a sentence: created 1,979 days ago."""
    return BIG.sub(lambda found: number(int(found[0])), words)
