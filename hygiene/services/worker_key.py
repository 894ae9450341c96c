"""Whether this product works with a long-term key of the polled account: rule `tool.long_term_key`."""

from __future__ import annotations

from accounts.gateway import Gateway
from hygiene.models import UNKNOWN_USER, AccessKey, AccountStatus


def learn(status: AccountStatus, gateway: Gateway) -> bool:
    """Keep whose key of this account the worker signs with, if it is one. Returns whether that is news. No query for a worker with a role.

    As long as ids of keys of the account are not known, the worker's may be one of them.
    """
    before, status.worker_key_user = status.worker_key_user, _user(status, gateway.worker_access_key_id)
    return before != status.worker_key_user


def _user(status: AccountStatus, key_id: str) -> str:
    if not key_id:
        return ""
    keys = AccessKey.objects.present().filter(account=status.account_id, principal__is_root=False)
    key = keys.filter(access_key_id=key_id).select_related("principal").first()
    if key is not None:
        return key.principal.arn
    return UNKNOWN_USER if keys.filter(access_key_id__isnull=True).exists() else ""
