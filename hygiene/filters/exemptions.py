"""Which words the filter line of the exemptions knows."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from hygiene.domain.query import Term
from hygiene.filters.conditions import RULE_WORDS, Condition, Known, MeansNothing, Scene, matches, one_of, rule_codes, words
from hygiene.models import Exemption, ExemptionScope
from hygiene.services.exemptions import ENDING

TEXT = ("reason", "ticket", "accepted_by", "created_by_name", "tag", "account__name", "account__account_id", "principal__name")


def _rule(term: Term, scene: Scene) -> Q:
    """Those that name the rule, and those of every rule. Few rows: looked at one by one, the same on every database."""
    wanted = {code for value in term.values for code in rule_codes(value)}
    if not wanted:
        raise MeansNothing(f"“rule:{','.join(term.values)}” is not a rule; the Findings page lists them.")
    rows = Exemption.objects.visible_to(scene.user).values_list("pk", "rules")
    return Q(pk__in=[pk for pk, rules in rows if not rules or wanted & set(rules)])


def _ends(term: Term, scene: Scene) -> Q:
    """`ends:<14`: within so many days from now."""
    number = term.values[0]
    if not number.isdigit() or len(number) > 6 or term.operator not in ("<", "<=", ">", ">="):
        raise MeansNothing(f"“ends:{term.operator}{number}” is not understood; try ends:<14.")
    moment = scene.now + timedelta(days=int(number))
    return Q(ends_at__lte=moment) if term.operator.startswith("<") else Q(ends_at__gt=moment)


EXEMPTIONS: dict[str, Condition] = {
    "": words(*TEXT, "key__access_key_id"),
    "account": matches("account__name", "account__account_id"),
    "by": matches("accepted_by"),
    "ends": Known(_ends, ("<14", "<30", ">90")),
    "is": one_of(
        "pk",
        {
            "live": lambda scene: Q(ended_at__isnull=True),
            "ending": lambda scene: Q(ended_at__isnull=True, ends_at__lte=scene.now + ENDING),
            "ended": lambda scene: Q(ended_at__isnull=False),
            "mine": lambda scene: Q(accepted_by__in=[scene.user.get_username(), scene.user.email]),
        },
    ),
    "rule": Known(_rule, RULE_WORDS),
    "scope": one_of("scope", {scope.value: scope.value for scope in ExemptionScope}),
    "tag": matches("tag"),
    "ticket": matches("ticket"),
    "user": matches("principal__name"),
}
