"""One demo in real processes for all browser and fault tests, and Debian's Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.pictures import chromium, sign_in
from tests.demo_process import PASSWORD, DemoProcess, start_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    found = start_demo(tmp_path_factory.mktemp("demo"))
    try:
        found.wait_until_polled()
        yield found
    finally:
        found.end()


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("Chromium was not found, and REQUIRE_SERVICES=1 makes that a failure.")
        pytest.skip("Chromium was not found, so pages were not looked at in a browser.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page_for(chrome: Browser, demo: DemoProcess) -> Iterator[Callable[..., Page]]:
    """Signed-in pages, each in a context of its own."""
    opened: list[BrowserContext] = []

    def make(user: str, *, width: int = 1440, height: int = 960, dark: bool = False, scripts: bool = True) -> Page:
        context = chrome.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            base_url=demo.url,
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        sign_in(page, demo.url, user=user, password=PASSWORD)
        return page

    yield make
    for context in opened:
        context.close()
