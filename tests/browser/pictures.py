"""`make pictures`: pictures of the real pages from a running demo (`make demo`), both themes, desktop and phone."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PAGES = {
    "overview": "/",
    "keys": "/keys/?view=action",
    "users": "/users/?view=action",
    "root-users": "/root-users/",
    "accounts": "/accounts/",
    "rules": "/rules/",
    "findings": "/findings/",
    "queue": "/queue/",
    "exemptions": "/exemptions/",
    "audit": "/audit/",
    "digest": "/digest/",
    "settings": "/settings/",
}
SIZES = {"desktop": (1440, 960), "phone": (390, 844)}


def chromium() -> str | None:
    """Debian's Chromium, best the one without a window, or whatever is on PATH."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def sign_in(page: Page, base: str, *, user: str, password: str) -> None:
    """Through the real form."""
    page.goto(f"{base}/auth/login/")
    page.fill("input[name=login]", user)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/auth/login/" not in url)


def take(
    browser: Browser, base: str, folder: Path, *, size: str, theme: str, user: str, password: str, full: bool, pages: list[str]
) -> None:
    """All pages in one size and theme."""
    width, height = SIZES[size]
    scheme = "dark" if theme == "dark" else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1)  # type: ignore[arg-type]  # a literal
    page = context.new_page()
    sign_in(page, base, user=user, password=password)
    addresses = dict(PAGES)
    page.goto(f"{base}/keys/?view=never-used")
    link = page.query_selector("[data-row-link]")
    if link:
        addresses["key"] = link.get_attribute("href") or "/keys/"
    page.goto(f"{base}/root-users/?view=key")
    link = page.query_selector("[data-row-link]")
    if link:
        addresses["root-user"] = link.get_attribute("href") or "/root-users/"
    page.goto(f"{base}/accounts/?view=silent")
    link = page.query_selector("[data-row-link]")
    if link:
        addresses["account"] = link.get_attribute("href") or "/accounts/"
    for name, address in addresses.items():
        if name not in pages:
            continue
        page.goto(base + address)
        page.wait_for_timeout(150)
        page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=full)
    context.close()


def main() -> None:
    """Take them all into a folder."""
    parser = argparse.ArgumentParser(description="Pictures of a running demo.")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--folder", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--user", default="n.adeyemi")
    parser.add_argument("--password", default="hygiene-demo")
    parser.add_argument("--only", nargs="*", default=["desktop-light", "desktop-dark", "phone-dark"])
    parser.add_argument("--pages", nargs="*", default=["overview", "keys", "key"], help="names of pages")
    parser.add_argument("--full", action="store_true", help="the whole page, not only the first screen")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    executable = chromium()
    if executable is None:
        sys.exit("No Chromium was found. Install it, for example: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for word in options.only:
            size, theme = word.split("-")
            take(
                browser,
                options.url,
                options.folder,
                size=size,
                theme=theme,
                user=options.user,
                password=options.password,
                full=options.full,
                pages=options.pages,
            )
        browser.close()


if __name__ == "__main__":
    main()
