"""Templates and static files: no inline style or script, every class exists, vendored files are what was written down."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "emails" not in path.parts)
CSS = "".join(path.read_text() for path in sorted((ROOT / "static" / "css").glob("*.css")))
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle=|<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "an event attribute": re.compile(r"\son[a-z]+=|hx-on", re.IGNORECASE),
    "an address of another host": re.compile(r"(?:src|href|action)=[\"'](?:https?:)?//", re.IGNORECASE),
    "markup that is not escaped": re.compile(r"\|\s*safe\b|autoescape off"),
    "a trigger filter or script value": re.compile(r"hx-trigger=\"[^\"]*\[|[\"']js:"),
}
HTMX = {"get", "post", "target", "swap", "trigger", "push-url", "select", "sync", "indicator", "swap-oob", "disable"}
MADE_BY_CODE = {
    "is-critical",
    "is-high",
    "is-medium",
    "is-low",
    "is-info",
    "is-none",
    "is-ok",
    "is-unknown",
    "is-good",
    "is-bad",
    "is-warn",
}


def test_nothing_is_unescaped_in_a_template_and_text_alone_is_rendered_as_text() -> None:
    assert not [path for path in (ROOT / "templates").rglob("*.*") if FORBIDDEN["markup that is not escaped"].search(path.read_text())]
    asked = re.findall(r"text_of\(f?\"([^\"]+)\"", "".join(path.read_text() for path in (ROOT / "hygiene").rglob("*.py")))
    assert len(asked) == 3
    assert all(name.endswith(".txt") for name in asked)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_fit_for_the_strict_policy(path: Path) -> None:
    text = path.read_text()
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(text)] == []
    assert set(re.findall(r"\shx-([a-z-]+)[=\s>]", text)) <= HTMX
    for form in re.findall(r"<form[^>]*method=\"post\"[^>]*>.{0,400}", text, re.IGNORECASE | re.DOTALL):
        assert "csrf_token" in form, form[:120]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_class_of_a_template_exists_in_the_style_sheet(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text())
    used = {word for value in re.findall(r"\sclass=\"([^\"]*)\"", text) for word in re.sub(r"\{[{%].*?[%}]\}", " ", value).split()}
    defined = set(re.findall(r"\.([a-zA-Z][\w-]*)", CSS)) | MADE_BY_CODE
    partial = {word for word in used if word.endswith("-")}  # completed by a value
    assert used - defined - partial == set()


def test_vendored_files_are_those_that_were_written_down() -> None:
    listed = json.loads((ROOT / "static" / "vendor" / "sha256.json").read_text())
    files = {path.name: path for folder in ("vendor", "icons") for path in (ROOT / "static" / folder).iterdir()}
    assert {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in listed} == listed
    assert {path.name for path in (ROOT / "static" / "vendor").iterdir()} - {"sha256.json"} <= set(listed)


def test_every_package_of_the_browser_has_its_hash_and_licence() -> None:
    packages = json.loads((ROOT / "vendor.json").read_text())["packages"]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert all(any("LICENSE" in name for name in package["files"].values()) for package in packages)


def test_icons_that_templates_use_are_in_the_sprite() -> None:
    sprite = set(re.findall(r'id="([\w-]+)"', (ROOT / "static" / "icons" / "sprite.svg").read_text()))
    used = {name for path in TEMPLATES for name in re.findall(r"{% icon ['\"]([\w-]+)['\"]", path.read_text())}
    assert used <= sprite
