"""Exports too large for an answer: asked for, made by a worker from the frozen rows, fetched, and let go after a day."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from accounts.models import Account, AuditEvent
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Exemption, ExportJob, ExportState, Finding, Principal, Remediation
from hygiene.services import exports
from hygiene.services.exported_records import Row

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LARGE = 5_000  # rows from which a person's export is made by a worker
MOST = 1_200_000  # rows of one export
CHUNK = 1000
WAKE_AFTER = timedelta(seconds=60)
KEPT = timedelta(days=1)
MODELS: Mapping[str, Any] = {
    "keys": AccessKey,
    "users": Principal,
    "accounts": Account,
    "findings": Finding,
    "exemptions": Exemption,
    "audit": AuditEvent,
    "queue": Remediation,
}


def request(
    *,
    kind: str,
    title: str,
    style: str,
    columns: Sequence[str],
    about: Mapping[str, str],
    rows: QuerySet[Any, Any],
    actor: User,
    now: datetime,
) -> ExportJob:
    """Freeze which rows, in the order of the list; the caller wakes a worker. At most 1,200,000 rows."""
    ids = array("q", rows.select_related(None).prefetch_related(None).values_list("pk", flat=True)[:MOST])
    values = {"kind": kind, "title": title, "style": style, "columns": list(columns), "about": [list(line) for line in about.items()]}
    return ExportJob.objects.create(user=actor, rows=len(ids), row_ids=zlib.compress(ids.tobytes()), requested_at=now, **values)


def make(job_pk: int, *, policy: Policy, now: Callable[[], datetime]) -> None:
    """Make the file. Running it twice makes the same file again; one that is made already is left alone."""
    job = ExportJob.objects.filter(pk=job_pk, state=ExportState.REQUESTED).first()
    if job is None:
        return
    try:
        content = _content(job, policy=policy, now=now())
    except Exception as error:
        _end(job, ExportState.FAILED, now(), error=f"{type(error).__name__}: {error}"[:255])
        raise
    _end(job, ExportState.DONE, now(), content=content)


def _end(job: ExportJob, state: ExportState, now: datetime, **values: Any) -> None:
    ExportJob.objects.filter(pk=job.pk).update(state=state, finished_at=now, row_ids=b"", **values)


def _content(job: ExportJob, *, policy: Policy, now: datetime) -> bytes:
    found = _rows(job, policy=policy, now=now)
    if job.style == "xlsx":
        return zlib.compress(exports.render_xlsx(found, job.columns, title=job.title, about=dict(job.about)), 1)
    packer = zlib.compressobj(6)
    lines = exports.render(found, job.columns, job.style)
    head = [exports.about_line(dict(job.about))] if job.style == "csv" else []
    return b"".join([packer.compress(text.encode()) for part in (head, lines) for text in part] + [packer.flush()])


def _rows(job: ExportJob, *, policy: Policy, now: datetime) -> Iterator[Row]:
    """The frozen rows in their order; those that are not there any more are left out."""
    ids = array("q", zlib.decompress(bytes(job.row_ids)))
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK].tolist()
        yield from exports.rows_in_order(job.kind, chunk, MODELS[job.kind].objects.filter(pk__in=chunk), policy=policy, now=now)


def pieces(job: ExportJob) -> Iterator[bytes]:
    """The file, in pieces."""
    unpacker, packed = zlib.decompressobj(), bytes(job.content)
    for start in range(0, len(packed), 1 << 16):
        yield unpacker.decompress(packed[start : start + (1 << 16)])
    yield unpacker.flush()


def of(user: User) -> QuerySet[ExportJob]:
    """The person's exports that are worth showing, newest first; without the files themselves."""
    return ExportJob.objects.filter(user=user).exclude(state=ExportState.GONE).defer("row_ids", "content").order_by("-requested_at", "-pk")


def due(*, now: datetime) -> list[int]:
    """Exports whose wake-up was lost, or whose worker died."""
    waiting = ExportJob.objects.filter(state=ExportState.REQUESTED, requested_at__lte=now - WAKE_AFTER)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def let_go(*, now: datetime) -> int:
    """Empty the files of exports older than a day."""
    old = ExportJob.objects.exclude(state=ExportState.GONE).filter(requested_at__lte=now - KEPT)
    return old.update(state=ExportState.GONE, content=b"", row_ids=b"")
