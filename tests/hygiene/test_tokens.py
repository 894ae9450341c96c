"""Colours of the pages: every text can be read on every surface, in both themes, by WCAG 2.2's formula of contrast."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static" / "css"
CSS = "\n".join(file.read_text() for file in sorted(STATIC.glob("*.css")))
TOKENS = {name: themes for name, *themes in re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\)", CSS)}
TEXTS = ("text", "text-2", "text-3", "accent", "critical", "high", "medium", "low", "unknown", "good")
TINTS = ("accent-tint", "critical-tint", "high-tint", "medium-tint", "low-tint", "good-tint")
SURFACES = ("canvas", "surface", "inset", "selected", "hover", *TINTS)
FILLS, INVERSE = ("accent-fill", "danger-fill"), ("inverse", "inverse-hover")
GLYPHS = ("glyph-critical", "glyph-high", "glyph-medium", "low", "unknown", "text-3")
PLAIN = ("canvas", "surface", "inset")
WORDLESS = ("control", "glyph-high", "chart-used", "chart-unused", "chart-never", "line", "line-strong")  # dots, swatches and lines


def luminance(colour: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb`."""
    digits = colour.removeprefix("#")
    pairs = [digit * 2 for digit in digits] if len(digits) == 3 else [digits[at : at + 2] for at in (0, 2, 4)]
    parts = [int(pair, 16) / 255 for pair in pairs]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Of two colours, from 1 to 21."""
    lower, higher = sorted((luminance(one), luminance(other)))
    return (higher + 0.05) / (lower + 0.05)


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_can_be_read_on_every_surface(theme: int) -> None:
    pairs = {(text, surface): contrast(TOKENS[text][theme], TOKENS[surface][theme]) for text, surface in itertools.product(TEXTS, SURFACES)}
    pairs |= {("white", fill): contrast("#fff", TOKENS[fill][theme]) for fill in FILLS}
    pairs |= {("on-inverse", name): contrast(TOKENS["on-inverse"][theme], TOKENS[name][theme]) for name in INVERSE}
    pairs["on-inverse-2", "inverse"] = contrast(TOKENS["on-inverse-2"][theme], TOKENS["inverse"][theme])
    assert {pair: round(found, 2) for pair, found in pairs.items() if found < 4.5} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_glyphs_and_borders_of_controls_can_be_seen(theme: int) -> None:
    pairs = {("glyph-ink", glyph): contrast(TOKENS["glyph-ink"][theme], TOKENS[glyph][theme]) for glyph in GLYPHS}
    pairs |= {(name, surface): contrast(TOKENS[name][theme], TOKENS[surface][theme]) for name in ("control", *GLYPHS) for surface in PLAIN}
    assert {pair: round(found, 2) for pair, found in pairs.items() if found < 3} == {}


def test_text_and_surfaces_take_their_colours_from_these_tokens_alone() -> None:
    texts = set(re.findall(r"(?<![\w-])color: ([^;}]+?)(?: !important)?[;}]", CSS))
    known = {f"var(--{name})" for name in (*TEXTS, *GLYPHS, "glyph-ink", "on-inverse", "on-inverse-2")} | {"inherit", "#fff"}
    assert texts - known == set()
    surfaces = set(re.findall(r"(?<![\w-])background(?:-color)?: (var\([^;}]+?\)|light-dark[^;}]+|#[^;}]+)(?: !important)?[;}]", CSS))
    assert surfaces - {f"var(--{name})" for name in (*SURFACES, *FILLS, *INVERSE, *WORDLESS)} == set()
    for rule in re.findall(r"\{[^{}]*(?<![\w-])color: #fff[^{}]*\}", CSS):
        assert re.search(r"background: var\(--(accent|danger)-fill\)", rule), rule
