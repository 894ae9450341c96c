"""What AWS tells about the use of one key or user, on demand. Pure. An event proves use; no event proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """One management event of CloudTrail's event history. `error_code` "" means that AWS allowed the call."""

    occurred_at: datetime
    region: str
    source: str  # "s3.amazonaws.com"
    name: str
    source_address: str
    user_agent: str
    access_key_id: str
    user_name: str
    error_code: str = ""
    read_only: bool | None = None
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Events newest first, and whether AWS had more than were asked for."""

    events: tuple[TrailEvent, ...]
    is_cut_short: bool = False


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """One service of Access Advisor: when a user (not one key) last used it; denied attempts count too."""

    service: str
    last_used_at: datetime | None
    region: str = ""
