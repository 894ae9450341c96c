"""Violations of WCAG 2.2 AA in an open page, found by axe-core."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
THEMED = {"type": "rule", "values": ["link-in-text-block"]}  # other rules see no theme; test_tokens.py holds contrast in both
LEAN = {"resultTypes": ["violations"], "selectors": False, "iframes": False}  # what passes is not described: that is half the time
# Rows of a table that have the same elements with the same looks are judged alike: the first of each kind is looked at.
MARK_ROWS_LIKE_ANOTHER = """() => {
  const looks = ["class", "type", "role", "data-column", "data-label", "aria-disabled", "aria-current"];
  const said = (attribute) => looks.includes(attribute.name) ? attribute.value : attribute.value !== "";
  const shape = (node) => [
    node.tagName, [...node.attributes].map((one) => one.name + said(one)).join(),
    node.textContent.trim() !== "", [...node.children].map(shape),
  ];
  const seen = new Set();
  for (const row of document.querySelectorAll("tbody > tr")) {
    const form = JSON.stringify([row.closest("table").className, shape(row)]);
    row.toggleAttribute("data-like-another", seen.has(form));
    seen.add(form);
  }
}"""
RUN = """([rules, lean]) => axe.run({ include: [["html"]], exclude: [["[data-like-another]"]] }, { ...lean, runOnly: rules })
  .then((found) => found.violations.map((one) => [one.id, one.nodes[0].html]))"""


def violations(page: Page, rules: dict[str, Any] = WCAG) -> dict[str, str]:
    """Name of each rule that is broken, with the first element that breaks it."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    page.evaluate(MARK_ROWS_LIKE_ANOTHER)
    return {rule: html[:200] for rule, html in page.evaluate(RUN, [rules, LEAN])}
