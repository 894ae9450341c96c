"""`manage.py check_access [ACCOUNT_ID ...]`: whether accounts can be read as they should be, step by step."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import Step, a_user, act_steps, check_root, read_steps
from accounts.gateway import Gateway, Purpose, RootTask
from accounts.models import Account, OrganizationState
from accounts.services import open_check_gateway, open_root_gateway

NOBODY = "key-hygiene-access-check"
ROLES = ("read", "act", "root")


class Command(BaseCommand):
    """Exit 0: every step of every account works. 1: some did not, and it said which. 2: wrong arguments."""

    help = (
        "Assume each account's roles with and without the external id, then each permission that a poll reads with. Nothing is changed. "
        "It works with the identity of the process it runs in: where each worker has its own, name its role by --role."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which accounts; all that are polled by default. Which role; all by default."""
        parser.add_argument("account_id", nargs="*")
        words = "try only this: the read role, the act role, or central root access; may be given more than once"
        parser.add_argument("--role", choices=ROLES, action="append", help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each step."""
        wanted = options["account_id"]
        accounts = list(Account.objects.filter(account_id__in=wanted) if wanted else Account.objects.pollable())
        if missing := set(wanted) - {account.account_id for account in accounts}:
            raise CommandError(f"No account {', '.join(sorted(missing))} is registered.", returncode=2)
        roles = frozenset(options["role"] or ROLES)
        failures = sum(self.show(account, roles) for account in accounts)
        if failures:
            raise CommandError(f"{failures} of {len(accounts)} accounts cannot be read as they should.")

    def show(self, account: Account, roles: frozenset[str]) -> bool:
        """Print the steps of one account; whether any that must work failed."""
        steps = self.steps(account, roles)
        self.stdout.write(f"{account.account_id} {account.name}")
        if not steps:
            self.stdout.write("  nothing to try: the account has no such role")
        for step in steps:
            words = " ".join(filter(None, [step.detail, step.advice]))
            mark = "ok  " if step.is_ok else "note" if step.is_optional else "FAIL"
            self.stdout.write(f"  {mark} {step.name}{': ' + words if words else ''}")
        return any(not step.is_ok and not step.is_optional for step in steps)

    def steps(self, account: Account, roles: frozenset[str]) -> list[Step]:
        """The read role with and without its external id; the act role, where there is one; central root access, for a member."""
        steps: list[Step] = []
        reader: Gateway | None = None
        if "read" in roles:
            gateway = open_check_gateway(account, purpose=Purpose.POLL)
            bare = open_check_gateway(account, purpose=Purpose.POLL, is_bare=True) if account.read_role_arn else None
            steps += read_steps(gateway, bare)
            reader = gateway if steps[0].is_ok else None
        if "act" in roles and account.act_role_arn:
            steps += self.of_act_role(account, reader)
        if "root" in roles and account.organization_state != OrganizationState.NONE:
            steps.append(check_root(open_root_gateway(account, task=RootTask.AUDIT)))
        return steps

    def of_act_role(self, account: Account, reader: Gateway | None) -> list[Step]:
        """A session as a change has it, without the right to change anything."""
        user = a_user(reader) if reader else None
        arn = user[1] if user else f"arn:{account.partition}:iam::{account.account_id}:user/{NOBODY}"
        acting, bare = (open_check_gateway(account, purpose=Purpose.REMEDIATE, user_arn=arn, is_bare=is_bare) for is_bare in (False, True))
        return list(act_steps(acting, user, bare))
