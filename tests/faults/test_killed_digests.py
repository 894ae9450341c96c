"""R10: SIGKILL at every boundary of a digest, and a mail server that refuses or says nothing. The mail server is the oracle."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.laboratory import Laboratory, stops
from tests.faults.long_form import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("laboratory")]
EVERY = 1 if FULL else 9


def complaints(laboratory: Laboratory, name: str, end: dict[str, Any]) -> list[str]:
    """Every way in which this end breaks the promise."""
    mails = len(laboratory.mails.get(f"{name}@example.com", []))
    checks = {
        f"{mails} mails": mails <= 1,
        f"ended {end['state']} with {mails} mails": end["state"] in (("sent", "uncertain") if mails else ("failed", "uncertain")),
        f"the audit log ends with {end['told'][-1:]}": end["told"][-1:] == [end["state"]],
        f"the audit log tells of {end['told'].count('sent')} mails": end["told"].count("sent") <= 1,
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def test_a_digest_is_never_sent_twice_and_never_silently_missed(laboratory: Laboratory) -> None:
    crossed = laboratory.run("digest", name="dry")["crossed"]
    found = complaints(laboratory, "dry", laboratory.result("settle_digest", name="dry"))
    assert "smtp data" in crossed
    for stop in stops(crossed, every=EVERY):
        name = f"killed-{stop['side']}-{stop['at']}"
        laboratory.run("digest", name=name, stop=stop)
        said = complaints(laboratory, name, laboratory.result("settle_digest", name=name))
        found += [f"killed {stop['side']} {stop['at']} ({crossed[stop['at'] - 1]}): {sentence}" for sentence in said]
    assert found == []


@pytest.mark.parametrize(("answer", "mails", "ends"), [("550 no", 1, "sent"), ("", 1, "uncertain")])
def test_a_server_that_refuses_is_tried_again_and_one_that_says_nothing_is_not(
    laboratory: Laboratory, answer: str, mails: int, ends: str
) -> None:
    name = f"answer-{answer[:3]}"
    laboratory.mail_answers[f"{name}@example.com"] = answer
    laboratory.run("digest", name=name)
    end = laboratory.result("settle_digest", name=name)
    assert complaints(laboratory, name, end) == []
    assert (len(laboratory.mails[f"{name}@example.com"]), end["state"]) == (mails, ends)
