"""The system's Chromium without a window, driven by Playwright."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

T = TypeVar("T")

FLAGS = (
    "--disable-gpu", "--disable-quic", "--disable-extensions", "--disable-dev-shm-usage",
)  # fmt: skip
WINDOW = (1000, 1400)
WAIT_S = 30.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab. What the page throws, or what its policy blocks, is kept in `complaints`.

    Args:
        page: The tab.
        within: Runs what speaks to Playwright, in its thread.
    """

    def __init__(self, page: Page, within: Callable[[Callable[[], Any]], Any]) -> None:
        self._page, self._within = page, within
        # Playwright's own `evaluate` is an eval in the page, which the page's policy forbids.
        self._protocol = within(lambda: page.context.new_cdp_session(page))
        self.complaints: list[str] = []
        self.patience_s = WAIT_S
        within(lambda: page.on("pageerror", lambda error: self.complaints.append(str(error)[:500])))
        within(lambda: page.on("console", self._hear))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def open(self, url: str) -> None:
        """Open a page and wait for all that it loads."""
        self._within(lambda: self._page.goto(url))

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; promises are awaited."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        found = self._within(lambda: self._protocol.send("Runtime.evaluate", asked))
        if "exceptionDetails" in found:
            raise RuntimeError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + self.patience_s
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{condition} did not come true: {self.run('document.body.innerText')}"
                )
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """Press and release a key, such as ``Enter`` or ``Control+Enter``."""
        self._within(lambda: self._page.keyboard.press(key))

    def place(self, selector: str) -> tuple[float, float]:
        """Return the middle of an element, scrolled into sight, in pixels of the window."""
        box: dict[str, float] = self.run(
            f"(() => {{ const node = document.querySelector({selector!r});"
            "node.scrollIntoView({block: 'center'});"
            "const {x, y, width, height} = node.getBoundingClientRect();"
            "return {x: x + width / 2, y: y + height / 2}; })()"
        )
        return box["x"], box["y"]

    def point(self, x: float, y: float) -> None:
        """Move the mouse to a place."""
        self._within(lambda: self._page.mouse.move(x, y))

    def click(self, selector: str) -> None:
        """Wait for an element and click its middle with the mouse."""
        self.wait(f"document.querySelector({selector!r})")
        x, y = self.place(selector)
        self._within(lambda: self._page.mouse.click(x, y))

    def fill(self, selector: str, text: str) -> None:
        """Click into a field, select what it holds, and type over it."""
        self.click(selector)
        self.run("document.activeElement.select()")
        self.write(text)

    def write(self, text: str) -> None:
        """Type a text into what has the focus."""
        self._within(lambda: self._page.keyboard.insert_text(text))

    def prefer(self, scheme: str) -> None:
        """Set the system's wish for light or dark."""
        wanted: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
        self._within(lambda: self._page.emulate_media(color_scheme=wanted))

    def resize(self, width: int, height: int) -> None:
        """Give the window another size, in pixels."""
        self._within(lambda: self._page.set_viewport_size({"width": width, "height": height}))

    def screenshot(self, *, whole: bool = True) -> bytes:
        """Return the whole page as PNG, or what the window shows of it."""
        shot: bytes = self._within(lambda: self._page.screenshot(full_page=whole))
        return shot


@contextmanager
def browsing(program: str, profile: Path) -> Iterator[Browser]:
    """Run a browser with a new profile and end it.

    Playwright has a thread of its own, since it leaves an event loop running in the one it is in,
    where no test could then start another.
    """
    width, height = WINDOW
    with ThreadPoolExecutor(1) as thread:

        def within(work: Callable[[], T]) -> T:
            return thread.submit(work).result()

        playwright = within(lambda: sync_playwright().start())
        try:
            context = within(
                lambda: playwright.chromium.launch_persistent_context(
                    profile,
                    executable_path=program,
                    args=[*FLAGS],
                    chromium_sandbox=False,
                    viewport={"width": width, "height": height},
                )
            )
            try:
                yield Browser(context.pages[0], within)
            finally:
                within(context.close)
        finally:
            within(playwright.stop)
