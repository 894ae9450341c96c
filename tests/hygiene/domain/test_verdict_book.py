"""What every rule says, word for word, in `verdict_book.txt`: a change of it is a change of what an auditor reads.

The book has one verdict of every kind that random worlds come to: rule, outcome, severity, sentence, comparison, and each fact with
where and when it was read. After a wanted change: `python -m tests.hygiene.domain.test_verdict_book`, and read the difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from hygiene.domain.verdicts import Verdict
from tests.hygiene.domain.cases import NOW, READ_AT
from tests.hygiene.domain.worlds import verdicts_of

BOOK = Path(__file__).with_name("verdict_book.txt")
WORLDS = 5000
WHEN = {NOW: "now", READ_AT: "14 min ago", None: "at no known time"}


def line(seed: int, verdict: Verdict) -> str:
    facts = "; ".join(f"{fact.name} = {fact.value} ({fact.source or 'nowhere'}, {_when(fact.observed_at)})" for fact in verdict.facts)
    said = f"{verdict.outcome} {verdict.severity.word}{' pending' if verdict.is_pending else ''}: {verdict.explanation}"
    of = f"{verdict.profile}, {verdict.set_in}, {dict(verdict.numbers)}, v{verdict.version}, {verdict.principal_ref}/{verdict.key_ref}"
    return f"{seed} {verdict.rule} [{of}] {said} | {verdict.comparison} | {facts}"


def _when(moment: datetime | None) -> str:
    return WHEN[moment] if moment in WHEN else moment.isoformat() if moment else ""


def _kinds() -> Iterator[str]:
    """The first line of each kind, which is alike but for numbers, times, and names of profiles: of its words, or of one of its facts."""
    seen: set[tuple[object, ...]] = set()
    for seed in range(WORLDS):
        for verdict in verdicts_of(seed):
            words = re.sub(r"\d+(,\d+)*", "#", f"{verdict.outcome} {verdict.severity} {verdict.explanation} | {verdict.comparison}")
            facts = {(fact.name, re.sub(r"\d[\d:TZ-]*", "#", fact.value), fact.source, fact.observed_at) for fact in verdict.facts}
            news = {(verdict.rule, *kind) for kind in [(words,), *facts]} - seen
            if news:
                seen |= news
                yield line(seed, verdict)


def test_every_kind_of_verdict_is_as_the_book_has_it() -> None:
    lines = BOOK.read_text().splitlines()
    assert len(lines) > 500
    asked: dict[int, set[str]] = {}
    for text in lines:
        asked.setdefault(int(text.split(" ", 1)[0]), set()).add(text)
    for seed, expected in asked.items():
        missing = expected - {line(seed, verdict) for verdict in verdicts_of(seed)}
        assert not missing


if __name__ == "__main__":
    BOOK.write_text("\n".join(_kinds()) + "\n")
