"""The boxes of a plan's dialog: which of its changes are opted in, and so what would be done as they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hygiene.models import Disposition, Plan, PlanItem
from hygiene.services.cautions import codes_of


@dataclass(frozen=True, slots=True)
class Boxes:
    """Whether keys in use are included, and the codes of the cautions that are ticked."""

    include_in_use: bool = False
    ticked: frozenset[str] = frozenset()

    @classmethod
    def at_first(cls, plan: Plan) -> Boxes:
        """Before anybody touched them: keys in use are in if they were chosen by hand, not if all that match were."""
        return cls(include_in_use=not plan.is_all_matching)

    def accepts(self, item: PlanItem) -> bool:
        """Whether all that speaks for this credential is ticked."""
        return codes_of(item) <= self.ticked


def offered(items: Iterable[PlanItem], boxes: Boxes) -> list[PlanItem]:
    """What can be done, cautions aside. One key alone that is in use is opted in by typing its last characters, not by a box."""
    found = list(items)
    includes = boxes.include_in_use or len(found) == 1
    wanted = {Disposition.WILL_DO} | ({Disposition.IN_USE} if includes else set())
    return [item for item in found if item.disposition in wanted]


def chosen(items: Iterable[PlanItem], boxes: Boxes) -> list[PlanItem]:
    """What will be done."""
    return [item for item in offered(items, boxes) if boxes.accepts(item)]
