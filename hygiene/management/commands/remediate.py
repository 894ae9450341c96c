"""`manage.py remediate`: the same request, checks and audit as the buttons."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from hygiene.models import KEY_ACTIONS, SUCCESS_STATES, WAITING_STATES, AccessKey, Action, Reason, Remediation, State
from hygiene.services import policies, refusals, remediation
from hygiene.services.cautions import SENTENCES
from hygiene.services.plans import expected_typing, make_plan
from hygiene.tasks import execute_remediation, gateway_of, shared_clock

LONGEST_WAIT = 180  # seconds; a worker killed on the way is replaced within 120


class Command(BaseCommand):
    """Exit 0: requested or, with --wait or --here, AWS shows the wanted state. 1: not so, with the reason. 2: wrong arguments."""

    help = "Disable, enable or delete one access key, as an operator."

    def add_arguments(self, parser: CommandParser) -> None:
        """Naming the full key id stands for typing its last characters, and for the tick of an early deletion."""
        parser.add_argument("action", choices=[str(action) for action in KEY_ACTIONS])
        parser.add_argument("key_id", metavar="KEY_ID")
        parser.add_argument("--as", dest="username", metavar="USERNAME", required=True)
        parser.add_argument("--reason", required=True, choices=Reason.values)
        parser.add_argument("--note", default="", help="needed with --reason other")
        parser.add_argument("--ticket", default="")
        parser.add_argument(
            "--accept", action="append", default=[], choices=sorted(SENTENCES), help="what speaks for the key and is accepted, as a tick"
        )
        parser.add_argument("--wait", action="store_true", help="wait for the outcome and print it")
        parser.add_argument("--here", action="store_true", help="execute in this process instead of a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan, confirm, run."""
        row = self._request(options)
        if row.state == State.AWAITING_APPROVAL:
            self._say_who_must_agree(row, must_be_done=options["wait"] or options["here"])
            return
        if options["here"]:
            self._execute(row)
        else:
            self._wake(row)
        if not options["wait"] and not options["here"]:
            self.stdout.write(f"Requested as {row.uuid}. A worker executes it.")
            return
        row = self._wait(row.pk, is_here=options["here"])
        line = f"{row.get_action_display()} {row.access_key_id}: {row.get_state_display()}. {row.result or self._still_to_come(row)}"
        if row.state not in SUCCESS_STATES and row.result_code != "already":
            raise CommandError(line)
        self.stdout.write(line)

    def _wake(self, row: Remediation) -> None:
        """The row is committed: a broker that is down costs seconds, since the sweeper finds it."""
        try:
            execute_remediation.delay(row.pk)
        except BrokerError as error:
            self.stderr.write(f"The broker does not answer ({error}). The change is taken up by the next sweep.")

    def _say_who_must_agree(self, row: Remediation, *, must_be_done: bool) -> None:
        """Not done, so not a success for whoever waits for it."""
        needed = row.plan.approvals_needed
        line = f"Requested as {row.uuid}. It runs after {needed} other {'person has' if needed == 1 else 'people have'} approved it."
        if must_be_done:
            raise CommandError(line)
        self.stdout.write(line)

    def _request(self, options: dict[str, Any]) -> Remediation:
        """The row that stands for the request."""
        actor = User.objects.filter(username=options["username"]).first()
        if actor is None:
            raise CommandError(f"There is no user {options['username']!r}.", returncode=2)
        key = AccessKey.objects.visible_to(actor).filter(access_key_id=options["key_id"]).first()
        if key is None:
            raise CommandError(f"No key {options['key_id']} is known in the scope of {actor.username}.", returncode=2)
        now = timezone.now()
        plan = make_plan(keys=[key], action=Action(options["action"]), actor=actor, now=now)
        typed = expected_typing(plan, plan.items.select_related("key"))
        said = {name: options[name] for name in ("reason", "note", "ticket")} | {"typed": typed, "ticked": {"early", *options["accept"]}}
        try:
            with refusals.on_record(action=f"key.{plan.action}", actor=actor, target=str(key), now=now, account=key.account):
                return remediation.confirm(plan=plan, actor=actor, now=now, **said)[0]
        except remediation.Invalid as error:
            raise CommandError(str(error), returncode=2) from error
        except (remediation.Conflict, remediation.NotAllowed) as error:
            raise CommandError(str(error)) from error

    def _execute(self, row: Remediation) -> None:
        """All steps that are due now."""
        remediation.execute(row.pk, open_gateway=gateway_of, policy=policies.load().for_account(row.account), clock=shared_clock())

    def _wait(self, pk: int, *, is_here: bool) -> Remediation:
        """The row when it has ended, or after three minutes as it is. There may be no worker: what is due is done here."""
        deadline = time.monotonic() + LONGEST_WAIT
        row = Remediation.objects.get(pk=pk)
        while row.is_open and not self._is_held(row) and time.monotonic() < deadline:
            time.sleep(1)
            if is_here:
                self._execute(row)
            row.refresh_from_db()
        return row

    def _still_to_come(self, row: Remediation) -> str:
        """What becomes of a change that this command does not wait for any longer; "" for one that has ended."""
        if not row.is_open:
            return ""
        minutes, where = LONGEST_WAIT // 60, f"The Queue page shows how far it is, as {row.uuid}."
        if row.state in WAITING_STATES:
            words = f"No worker took it up within {minutes} minutes. The change stays requested:"
            return f"{words} a worker of the queue `remediate` makes it when one runs. {where}"
        return f"It has not ended within {minutes} minutes. A worker of the queue `remediate` goes on with it. {where}"

    def _is_held(self, row: Remediation) -> bool:
        """A cap or the breaker makes it wait, for longer than anybody should stand by."""
        return row.state in WAITING_STATES and bool(row.result_code)
