"""One demo in real processes for all browser and fault tests, and Debian's Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

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


@pytest.fixture(scope="session")
def sessions(chrome: Browser, demo: DemoProcess) -> Callable[[str], StorageState]:
    """A person's session, through the real form once: the form lets one address in thirty times a minute only."""
    known: dict[str, StorageState] = {}

    def of(user: str) -> StorageState:
        if user not in known:
            context = chrome.new_context(base_url=demo.url)
            sign_in(context.new_page(), demo.url, user=user, password=PASSWORD)
            known[user] = context.storage_state()
            context.close()
        return known[user]

    return of


@pytest.fixture
def page_for(chrome: Browser, demo: DemoProcess, sessions: Callable[[str], StorageState]) -> Iterator[Callable[..., Page]]:
    """Signed-in pages, each in a context of its own."""
    opened: list[BrowserContext] = []

    def make(user: str, *, width: int = 1440, height: int = 960, dark: bool = False, scripts: bool = True) -> Page:
        context = chrome.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            base_url=demo.url,
            storage_state=sessions(user),
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        page.goto("/")
        return page

    yield make
    for context in opened:
        context.close()
