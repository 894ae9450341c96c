"""`manage.py check_access [ACCOUNT_ID ...]`: whether accounts can be read as they should be, step by step."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import Step, a_user, act_steps, check_root, read_steps
from accounts.gateway import Gateway, Purpose, RootTask
from accounts.models import Account, OrganizationState
from accounts.services import open_check_gateway, open_root_gateway

NOBODY = "key-hygiene-access-check"


class Command(BaseCommand):
    """Exit 0: every step of every account works. 1: some did not, and it said which. 2: wrong arguments."""

    help = "Assume each account's roles with and without the external id, then try each permission that reads. Nothing is changed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which accounts; all that are polled by default."""
        parser.add_argument("account_id", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each step."""
        wanted = options["account_id"]
        accounts = list(Account.objects.filter(account_id__in=wanted) if wanted else Account.objects.pollable())
        if missing := set(wanted) - {account.account_id for account in accounts}:
            raise CommandError(f"No account {', '.join(sorted(missing))} is registered.", returncode=2)
        failures = sum(self.show(account) for account in accounts)
        if failures:
            raise CommandError(f"{failures} of {len(accounts)} accounts cannot be read as they should.")

    def show(self, account: Account) -> bool:
        """Print the steps of one account; whether any that must work failed."""
        steps = self.steps(account)
        self.stdout.write(f"{account.account_id} {account.name}")
        for step in steps:
            words = " ".join(filter(None, [step.detail, step.advice]))
            mark = "ok  " if step.is_ok else "note" if step.is_optional else "FAIL"
            self.stdout.write(f"  {mark} {step.name}{': ' + words if words else ''}")
        return any(not step.is_ok and not step.is_optional for step in steps)

    def steps(self, account: Account) -> list[Step]:
        """The read role with and without its external id; the act role, where there is one; central root access, for a member."""
        gateway = open_check_gateway(account, purpose=Purpose.POLL)
        bare = open_check_gateway(account, purpose=Purpose.POLL, is_bare=True) if account.read_role_arn else None
        steps = list(read_steps(gateway, bare))
        is_reached = steps[0].is_ok
        if account.act_role_arn:
            steps += self.of_act_role(account, gateway if is_reached else None)
        if account.organization_state != OrganizationState.NONE:
            steps.append(check_root(open_root_gateway(account, task=RootTask.AUDIT)))
        return steps

    def of_act_role(self, account: Account, reader: Gateway | None) -> list[Step]:
        """A session as a change has it, without the right to change anything."""
        user = a_user(reader) if reader else None
        arn = user[1] if user else f"arn:{account.partition}:iam::{account.account_id}:user/{NOBODY}"
        acting, bare = (open_check_gateway(account, purpose=Purpose.REMEDIATE, user_arn=arn, is_bare=is_bare) for is_bare in (False, True))
        return list(act_steps(acting, user, bare))
