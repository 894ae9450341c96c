"""`manage.py sync_organization`: create and update accounts from AWS Organizations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.gateway import AwsError, Gateway, OrganizationAccount, Purpose
from accounts.models import Account, Partition
from accounts.organization import READ_ROLE, Roles, Synced, is_role_name, record
from accounts.services import open_gateway, open_own_gateway

EACH = 100  # accounts between two lines of progress


class Command(BaseCommand):
    """Exit 0: every account taken in. 1: AWS could not be read, or it said which accounts it could not take or read. 2: wrong arguments.

    Where reading units or tags is not permitted, it says so and exits 0: that permission is optional.
    """

    help = "Create and update accounts from AWS Organizations, with the worker's own identity or through a registered account."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names of roles, and the way to the organization."""
        parser.add_argument("--role-name", default="", help=f"the read role in every account; new accounts get {READ_ROLE} without it")
        parser.add_argument("--act-role-name", default="", help="the act role; without it new accounts are read-only")
        parser.add_argument("--external-id", default="", help="one external id for all; without it each new account gets its own")
        parser.add_argument("--partition", default="aws", choices=Partition.values)
        parser.add_argument(
            "--through", default="", metavar="ACCOUNT_ID", help="read the list with the read role of this registered account"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """List everything, then change the registry in one transaction."""
        for option in ("role_name", "act_role_name"):
            if options[option] and not is_role_name(options[option]):
                raise CommandError(f"--{option.replace('_', '-')} is no name of a role: {options[option]!r}.", returncode=2)
        roles = Roles(options["partition"], options["role_name"], options["act_role_name"], options["external_id"])
        gateway = self.gateway(options["through"], options["partition"])
        try:
            listed = self.listed(gateway)
        except AwsError as error:
            raise CommandError(f"Nothing was changed. {error.sentence}") from error
        self.tell(listed, record(listed, roles=roles, now=timezone.now()))

    def tell(self, listed: list[OrganizationAccount], done: Synced) -> None:
        """What was done, and what was not. CommandError where some account was refused, or was not read in full."""
        self.stdout.write(f"{len(listed)} accounts: {done.created} created, {done.updated} updated, {done.unchanged} unchanged.")
        if done.missing:
            self.stdout.write(f"Not in this list of AWS, left as they are: {', '.join(done.missing)}.")
        for sentence in done.not_permitted:
            self.stdout.write(sentence)
        for problem in done.refused:
            self.stderr.write(f"refused: {problem}")
        for problem in done.unread:
            self.stderr.write(problem)
        words = [f"{len(done.refused)} entries were refused."] if done.refused else []
        if done.unread:
            words.append(f"Tags or units of some accounts were not read ({len(done.unread)} failures); what was known of them is kept.")
        if words:
            raise CommandError(" ".join(words))

    def gateway(self, through: str, partition: str) -> Gateway:
        """The way to the organization."""
        if not through:
            return open_own_gateway(partition=partition)
        account = Account.objects.filter(account_id=through).first()
        if account is None:
            raise CommandError(f"No account {through} is registered.", returncode=2)
        return open_gateway(account, purpose=Purpose.POLL)

    def listed(self, gateway: Gateway) -> list[OrganizationAccount]:
        """Every account; says now and then how far it is."""
        found: list[OrganizationAccount] = []
        for entry in gateway.organization_accounts():
            found.append(entry)
            if len(found) % EACH == 0:
                self.stdout.write(f"{len(found)} accounts listed ...")
        return found
