"""Celery tasks: each loads, makes one service call, and wakes what comes next. A task may run twice or never: rows are the truth."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.utils import timezone

from accounts import audit_chain
from accounts.gateway import Gateway, Purpose, RootTask
from accounts.models import Account
from accounts.services import open_gateway, open_root_gateway, worker_key_id
from hygiene.filters.builtin import look_at
from hygiene.models import ROOT_ACTIONS, Exemption, Remediation, RequestState, RootInspection, UsageEvidence
from hygiene.services import (
    audit_watch,
    background_exports,
    campaign_mail,
    campaigns,
    digests,
    exemption_ends,
    findings,
    health,
    invitations,
    looks,
    missed,
    notices,
    policies,
    polling,
    rejudging,
    remediation,
    root_inspection,
    schedule,
    second_look,
    sweeper,
    usage_evidence,
)
from hygiene.services.clock import Clock, database_now
from hygiene.services.crew import Watch, beside

WITH_AWS = ("poll", "remediate", "root")  # queues whose workers have an identity in AWS


def clock() -> Clock:
    """The machine's."""
    return Clock(now=timezone.now, sleep=time.sleep, random=random.random)


def shared_clock() -> Clock:
    """The database's, which all workers share: for leases and waiting times of changes."""
    return Clock(now=database_now, sleep=time.sleep, random=random.random)


def gateway_of(row: Remediation, actions: tuple[str, ...]) -> Any:
    """A session for one change: the act role with these actions on the one user, or root's with the task policy that is enough."""
    if row.action in ROOT_ACTIONS:
        return open_root_gateway(row.account, task=RootTask.DELETE if actions else RootTask.AUDIT)
    return open_gateway(
        row.account,
        purpose=Purpose.REMEDIATE,
        operator=row.requested_by_name,
        reference=str(row.uuid)[:8],
        user_arn=row.user_arn,
        actions=actions,
    )


def gateway_of_poll(account: Account) -> Gateway:
    """A session of the read role."""
    return open_gateway(account, purpose=Purpose.POLL)


def trail_of(look: UsageEvidence) -> Gateway:
    """A session of the read role that may look for evidence and nothing else."""
    operator = look.requested_by.get_username() if look.requested_by else ""
    return open_gateway(look.key.account, purpose=Purpose.EVIDENCE, operator=operator)


@shared_task(soft_time_limit=210, time_limit=225)
def look_into_trail(look_pk: int) -> None:
    """One look into CloudTrail for one key, and the verdicts that rest on it."""
    look = usage_evidence.run(look_pk, open_trail=trail_of, clock=clock())
    if look.state == RequestState.DONE:
        rejudging.rejudge_user(look.key.principal_id, book=policies.load(), now=timezone.now())


@shared_task(soft_time_limit=210, time_limit=225)
def inspect_root(inspection_pk: int) -> None:
    """One look at the root credentials of a member account."""
    root_inspection.run(inspection_pk, open_root=partial(open_root_gateway, task=RootTask.AUDIT), clock=clock())


@shared_task(soft_time_limit=540, time_limit=600)
def poll_account(poll_pk: int) -> None:
    """One queued poll. While AWS does not answer it, it goes on in a thread, and the worker takes the next one."""

    def work(watch: Watch) -> None:
        watched = Clock(now=timezone.now, sleep=watch.sleep, random=random.random)
        polling.run_poll(
            poll_pk, open_gateway=lambda account: watch.over(gateway_of_poll(account)), policy=policies.for_poll(poll_pk), clock=watched
        )
        if rejudging.is_due(now=timezone.now()):
            judge_due_accounts.delay()

    beside(work)


@shared_task
def poll_due_accounts() -> None:
    """Queue what is due and wake its workers."""
    for poll in schedule.queue_due(now=timezone.now()):
        poll_account.delay(poll.pk)


@shared_task
def start_requested_polls(request_pk: int) -> None:
    """Wake a worker for each queued poll of one press of "Poll now"."""
    for pk in schedule.queued_of(request_pk):
        poll_account.delay(pk)


@shared_task
def execute_remediation(remediation_pk: int) -> None:
    """The next steps of one change of a user's credential. Root's are another worker's, whose identity may assume root."""
    row = Remediation.objects.select_related("account").get(pk=remediation_pk)
    if row.action not in ROOT_ACTIONS:
        policy = policies.load().for_account(row.account)
        remediation.execute(remediation_pk, open_gateway=gateway_of, policy=policy, clock=shared_clock())


@shared_task
def execute_root_removal(remediation_pk: int) -> None:
    """The next steps of one removal of a credential of root."""
    row = Remediation.objects.select_related("account").get(pk=remediation_pk)
    if row.action in ROOT_ACTIONS:
        policy = policies.load().for_account(row.account)
        remediation.execute(remediation_pk, open_gateway=gateway_of, policy=policy, clock=shared_clock())


def wake(pks: Iterable[int]) -> None:
    """Tell the workers that these changes are for."""
    wanted = list(pks)
    of_root = set(Remediation.objects.filter(pk__in=wanted, action__in=ROOT_ACTIONS).values_list("pk", flat=True))
    for pk in wanted:
        (execute_root_removal if pk in of_root else execute_remediation).delay(pk)


@shared_task
def look_again(remediation_pk: int) -> None:
    """The second look at the user of one change."""
    second_look.look_again(remediation_pk, open_gateway=gateway_of, clock=shared_clock())


@shared_task
def sweep() -> None:
    """Wake what a dead worker or a lost message left behind."""
    now = timezone.now()
    health.beat("beat", now=now)
    sweeper.tidy(now=now)
    missed.watch(now=now)
    told = campaigns.tend(now=now)
    wake(sweeper.due(now=now))
    background_exports.let_go(now=now)
    for task, pks in (
        (send_owner_notice, told),
        (poll_account, [poll.pk for poll in schedule.stalled(now=now)]),
        (look_again, second_look.due(now=now)),
        (make_export, background_exports.due(now=now)),
        (send_owner_notice, notices.due(now=now)),
        (send_invitation, invitations.due(now=now)),
        (look_into_trail, looks.due(UsageEvidence, now=now)),
        (inspect_root, looks.due(RootInspection, now=now)),
    ):
        for pk in pks:
            task.delay(pk)
    if rejudging.is_due(now=now):
        judge_due_accounts.delay()


@shared_task
def judge_silent_accounts() -> None:
    """Verdicts of accounts whose data went out of date without any poll."""
    book = policies.load()
    findings.reevaluate_silent(policy=book.installation, policies=book.for_account, now=timezone.now())


@shared_task
def judge_by_policy() -> None:
    """After a change of the policy: one task for each account that was ever read. A lost message is made good by the next poll."""
    for pk in rejudging.to_rejudge():
        judge_account.delay(pk)


@shared_task(soft_time_limit=540, time_limit=600)
def judge_account(account_pk: int) -> None:
    """One account's verdicts by the policy as it is now."""
    rejudging.rejudge(account_pk, book=policies.load(), now=timezone.now())


@shared_task
def judge_due_accounts() -> None:
    """Some accounts whose verdicts rest on what another account's poll told; the next message goes on. The sweeper finds what is left."""
    if rejudging.judge_due(book=policies.load(), now=timezone.now()):
        judge_due_accounts.delay()


@shared_task(soft_time_limit=540, time_limit=600)
def keep_audit() -> None:
    """Let go of audit events that are older than the retention rule keeps, and walk the chain once a day."""
    audit_chain.trim(keep_days=settings.AUDIT_RETENTION_DAYS, now=timezone.now())
    audit_watch.check(now=timezone.now())


@shared_task
def end_exemptions() -> None:
    """End what came to its date or covers what is gone, judge that again, and remind who accepted what ends soon."""
    now, book = timezone.now(), policies.load()
    for row in exemption_ends.end_due(now=now):
        exemption_ends.reevaluate(row, policies=book.for_account, now=now)
    for row in exemption_ends.due_reminders(now=now):
        if exemption_ends.remind(row, now=now) == exemption_ends.AWAY:
            break


@shared_task(soft_time_limit=540, time_limit=600)
def judge_exemptions(pks: list[int]) -> None:
    """Judge again what exemptions cover that are too large to be judged while a person waits."""
    book = policies.load()
    for row in Exemption.objects.filter(pk__in=pks):
        exemption_ends.reevaluate(row, policies=book.for_account, now=timezone.now())


@shared_task
def send_owner_notice(notice_pk: int) -> None:
    """One claimed mail to an owner, a campaign's or a question. Never retried by the queue: the row knows whether it may be."""
    campaign_mail.send(notice_pk, now=timezone.now)
    notices.send(notice_pk, now=timezone.now)


@shared_task(soft_time_limit=900, time_limit=930)
def make_export(job_pk: int) -> None:
    """The file of one large export. Making it twice makes the same file."""
    background_exports.make(job_pk, policy=policies.load().installation, now=timezone.now)


@shared_task
def send_owner_notices(notice_pks: list[int]) -> None:
    """Claimed questions to one owner, in one mail. Never retried by the queue: the rows know whether they may be."""
    notices.send_together(notice_pks, now=timezone.now)


@shared_task
def send_invitation(user_pk: int) -> None:
    """One claimed mail with a one-time link, which is made here. Never retried by the queue: the row knows whether it may be."""
    invitations.send(user_pk, now=timezone.now)


@shared_task
def send_due_digests() -> None:
    """Claim what is due, and hand each to a task of its own."""
    for pk in digests.claim_due(now=timezone.now()):
        send_digest.delay(pk)


@shared_task
def send_digest(delivery_pk: int) -> None:
    """One claimed digest. Never retried by the queue: the row knows whether it may be."""
    digests.send(delivery_pk, policy=policies.load().installation, clock=clock(), look=look_at)


@shared_task
def beat_of_worker(queue: str) -> None:
    """Sent by beat to each queue, so that a heartbeat shows broker, queue and worker at once."""
    key_id = worker_key_id() if queue in WITH_AWS else ""
    health.beat(f"worker:{queue}", now=timezone.now(), access_key_id=key_id)


@worker_ready.connect
def sweep_at_start(**_: object) -> None:
    """A new worker looks for what its predecessor left, and for accounts that are due."""
    sweep.delay()
    poll_due_accounts.delay()
