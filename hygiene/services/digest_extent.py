"""What one digest covers: whose, which accounts, users and keys, from when to when. All sections ask through it, so nothing else leaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Exemption, Finding, Principal, Remediation
from hygiene.services.overview import Overview
from hygiene.services.posture import reporting
from hygiene.services.scope import Scope, owned_by


@dataclass(frozen=True, slots=True)
class Extent:
    """`since` None: a first digest. `compared` are numbers of the accounts that reported then and now."""

    user: User
    scope: Scope
    policy: Policy
    now: datetime
    zone: tzinfo
    since: datetime | None
    found: Overview
    compared: frozenset[str]

    @property
    def accounts(self) -> QuerySet[Account]:
        """The accounts of the digest."""
        return Account.objects.filter(pk__in=[site.account.pk for site in self.found.sites])

    @property
    def compared_accounts(self) -> QuerySet[Account]:
        """Those of them that changes are told of."""
        return self.accounts.filter(account_id__in=self.compared)

    @property
    def _current(self) -> Q:
        return reporting(policy=self.policy, now=self.now)

    def keys(self) -> QuerySet[AccessKey]:
        """Present keys of reporting accounts."""
        rows = AccessKey.objects.present().filter(self._current, self._owned("principal__"), account__in=self.accounts)
        return rows.select_related("account", "principal")

    def users(self) -> QuerySet[Principal]:
        """Present users of reporting accounts."""
        rows = Principal.objects.present().users().filter(self._current, self._owned(""), account__in=self.accounts)
        return rows.select_related("account")

    def findings(self) -> QuerySet[Finding]:
        """Failing findings of accounts that changes are told of."""
        rows = Finding.objects.failing().filter(self._owned("principal__"), account__in=self.compared_accounts)
        return rows.select_related("account", "principal", "key")

    def changes(self) -> QuerySet[Remediation]:
        """Changes to AWS that this product was asked for."""
        rows = Remediation.objects.filter(self._owned("principal__"), account__in=self.accounts)
        return rows.select_related("account", "plan")

    def exemptions(self) -> QuerySet[Exemption]:
        """Exemptions; those by tag, which name no account, only where nothing is left out."""
        here = Q(account__in=self.accounts) & self._owned("principal__")
        if self.scope.is_everything:
            here |= Q(account__isnull=True)
        return Exemption.objects.visible_to(self.user).filter(here).select_related("account", "principal__account", "key__principal")

    def new_root_keys(self) -> int:
        """Root keys that were first seen since the last digest."""
        if self.since is None:
            return 0
        rooted = self.keys().filter(principal__is_root=True, account__in=self.compared_accounts)
        return rooted.filter(first_seen_at__gt=self.since).count()

    def local(self, moment: datetime) -> datetime:
        """The moment in the reader's time zone."""
        return moment.astimezone(self.zone)

    def _owned(self, prefix: str) -> Q:
        return owned_by(self.scope.owner, prefix) if self.scope.is_mine else Q()
