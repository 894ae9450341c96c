"""Large exports that a worker makes: which rows, as they were when they were asked for, and the file until it is let go."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models


class ExportState(models.TextChoices):
    """A file can be fetched while it is DONE; a kept row without its file is GONE."""

    REQUESTED = "requested", "waiting"
    DONE = "done", "ready"
    FAILED = "failed", "failed"
    GONE = "gone", "let go"


class ExportJob(models.Model):
    """One export for one person. The rows are frozen when it is asked for; their values are those when it is made."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="export_jobs")
    kind = models.CharField(max_length=16)  # of `services.columns.COLUMNS`
    title = models.CharField(max_length=64)
    style = models.CharField(max_length=8)  # csv, json or xlsx
    columns = models.JSONField(default=list)
    about = models.JSONField(default=list)  # pairs, in the order of the first line or sheet: query, view, time, data age
    row_ids = models.BinaryField(default=bytes)  # compressed primary keys in the list's order
    rows = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=ExportState, default=ExportState.REQUESTED)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    content = models.BinaryField(default=bytes)  # compressed file
    error = models.CharField(max_length=255, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "-requested_at"], name="export_job_of_user")]

    def __str__(self) -> str:
        return f"{self.kind} as {self.style} of {self.requested_at:%Y-%m-%d %H:%M}: {self.state}"
