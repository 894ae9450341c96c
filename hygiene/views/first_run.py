"""The checklist of a new installation on the overview: it goes when everything on it is done."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.urls import reverse

from hygiene.services.overview import Overview
from hygiene.services.work import Work

ADMINISTRATES = ("accounts.manage_accounts", "hygiene.manage_policy")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to set up."""

    title: str
    words: str
    is_done: bool
    url: str = ""
    link: str = ""


def checklist(user: User, found: Overview, work: Work) -> list[Item]:
    """What is to be set up, for those who can, and for everybody while no account has reported. Empty when all is done."""
    items = _items(user, found, work)
    is_for = any(user.has_perm(permission) for permission in ADMINISTRATES) or not found.reporting
    return items if is_for and not all(item.is_done for item in items) else []


def _items(user: User, found: Overview, work: Work) -> list[Item]:
    owned = any(account.owner_email for account in found.everywhere)
    accounts = reverse("accounts")
    return [
        Item(
            "Connect accounts",
            "Make a role in AWS by the texts there, and add one account or a whole organization.",
            bool(found.everywhere),
            reverse("account-new") if user.has_perm("accounts.manage_accounts") else "",
            "Add accounts",
        ),
        Item(
            "First poll",
            "New accounts are polled by themselves, or at once by Poll now. Check the access where it fails.",
            any(site.status and site.status.report_generated_at for site in found.sites),
            accounts,
            "Accounts",
        ),
        Item("Check owners", "Owners are asked before a key is disabled. Give each account an owner.", owned, accounts, "Accounts"),
        Item("Choose a policy", "Limits, waiting days and approvals.", work.has_policy, reverse("settings"), "Settings"),
        Item("Send a digest to yourself", "See what the mail will say.", work.has_digest, reverse("digest"), "Digest"),
    ]
