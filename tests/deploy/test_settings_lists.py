""".env.example, docs/settings.md and docker-compose.yml name the settings that the code reads: all of them and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READERS = {
    "text",
    "flag",
    "words",
    "words_of",
    "number",
    "days",
    "choice",
    "url",
    "principal",
    "secret_key",
    "database",
    "broker",
    "mail",
    "digest_slot",
}
SDK = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
SECRETS = ("SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "OIDC_CLIENT_SECRET", "METRICS_TOKEN")


def read_by_the_code() -> set[str]:
    """Names that settings.py and environment.py read: first arguments of the readers' calls."""
    names = set()
    for file in ("hygiene/settings.py", "hygiene/environment.py"):
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            is_read = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS and node.args
            if is_read and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):  # type: ignore[attr-defined]
                names.add(node.args[0].value)  # type: ignore[attr-defined]  # narrowed above
    return names


def read_by_compose() -> set[str]:
    """Names that docker-compose.yml takes from `.env`."""
    return set(re.findall(r"\$\{([A-Z_0-9]+)[:}]", (ROOT / "docker-compose.yml").read_text()))


def in_example() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def in_document() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_0-9]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))


def test_the_code_reads_something() -> None:
    assert {"SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "OIDC_ISSUER", "LOG_LEVEL"} <= read_by_the_code()


def test_the_example_names_every_setting_and_no_other() -> None:
    assert in_example() == read_by_the_code() | read_by_compose()


def test_the_document_names_every_setting_and_no_other() -> None:
    assert in_document() == read_by_the_code() | read_by_compose()


def test_compose_hands_on_every_setting() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    handed_on = set(re.findall(r"^ +([A-Z_0-9]+): ", text, re.MULTILINE))
    assert read_by_the_code() <= handed_on
    assert handed_on >= SDK


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_marked_and_its_file_is_told(name: str) -> None:
    assert f"{name}_FILE" in (ROOT / ".env.example").read_text()
    row = next(line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith(f"| `{name}` |"))
    assert row.endswith("| yes |")


def test_defaults_agree_in_the_example_and_in_compose() -> None:
    example = dict(re.findall(r"^#([A-Z_0-9]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    compose = dict(re.findall(r"\$\{([A-Z_0-9]+):-([^}]*)\}", (ROOT / "docker-compose.yml").read_text()))
    differing = {name for name in compose if compose[name] != example[name]}
    assert differing == {"LOG_FORMAT"}  # lines for people without containers, JSON in them; both files say so
