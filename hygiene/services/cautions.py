"""What a person must tick before a key is changed although something speaks for it: an exemption, an unfinished rotation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q

from hygiene.models import Finding, FindingOutcome, PlanItem

ROTATION = "key.rotation_stalled"
SENTENCES = {
    "exempt": "Exempt: somebody accepted this key as it is, until a date.",
    "rotation": "Rotation unfinished: both keys of this user are active and in use.",
    "early": "Early: the waiting time after a disable that was made here is not over, or nobody disabled it here.",
}


def of_keys(key_pks: Iterable[int]) -> Mapping[int, set[str]]:
    """Codes of what speaks for each key, from its open findings. One query."""
    wanted = Q(outcome=FindingOutcome.EXEMPT) | Q(rule=ROTATION, outcome=FindingOutcome.FAIL)
    found: defaultdict[int, set[str]] = defaultdict(set)
    for key_pk, outcome in Finding.objects.open().filter(wanted, key__in=list(key_pks)).values_list("key_id", "outcome"):
        if key_pk is not None:
            found[key_pk].add("exempt" if outcome == FindingOutcome.EXEMPT else "rotation")
    return found


def codes_of(item: PlanItem) -> set[str]:
    """Codes of the cautions that must be ticked before this is done."""
    return {str(caution["code"]) for caution in item.cautions}
