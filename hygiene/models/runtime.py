"""Rows that keep the running product honest: heartbeats of its processes and the table behind the shared cache."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """When a kind of process last showed that it works: "beat", or "worker:poll" for a queue served by some worker."""

    name = models.CharField(max_length=64, primary_key=True)
    beaten_at = models.DateTimeField()
    access_key_id = models.CharField(max_length=128, blank=True)  # the long-term key that a worker signs with; empty for none

    def __str__(self) -> str:
        return f"{self.name} at {self.beaten_at:%H:%M:%S}"


class CacheEntry(models.Model):
    """Table of Django's database cache: rate limits and used codes of sign-in. Made here so that `migrate` alone is enough."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "hygiene_cache"

    def __str__(self) -> str:
        return self.cache_key
