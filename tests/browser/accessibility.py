"""Violations of WCAG 2.2 AA in an open page, found by axe-core."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
THEMED = {"type": "rule", "values": ["color-contrast", "target-size", "link-in-text-block"]}  # the other rules see no theme
LEAN = {"resultTypes": ["violations"], "selectors": False, "iframes": False}  # what passes is not described: that is half the time
# The first row of a table with certain elements of certain looks stands for all that are alike.
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
RUN = """([context, options]) => axe.run(context, options)
  .then((found) => found.violations.map((one) => [one.id, one.nodes[0].html]))"""


def violations(page: Page) -> dict[str, str]:
    """Name of each rule that is broken, with the first element that breaks it."""
    return _broken(page, WCAG, left_out=[])


def violations_of_theme(page: Page) -> dict[str, str]:
    """The same of the rules that see colours, once `violations` has seen every row: of rows that look alike the first is seen again."""
    page.evaluate(MARK_ROWS_LIKE_ANOTHER)
    return _broken(page, THEMED, left_out=[["[data-like-another]"]])


def _broken(page: Page, rules: dict[str, Any], *, left_out: list[list[str]]) -> dict[str, str]:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    found = page.evaluate(RUN, [{"include": [["html"]], "exclude": left_out}, {**LEAN, "runOnly": rules}])
    return {rule: html[:200] for rule, html in found}
