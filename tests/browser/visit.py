"""One visitor's window on the page, with what a visitor does in it and a record of what must not happen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Request, WebError

WIDTHS = {1280: 900, 390: 844, 320: 568}
"""Widths of a desktop and two phones, with their heights."""

PATIENCE = 60_000
"""Milliseconds for anything to happen; far more than it takes, as a machine may be busy."""

ENDED = ".cs-done, .cs-stopped, .cs-problem"

_WIDER = """() => {
  const page = document.documentElement, most = page.clientWidth;
  if (page.scrollWidth <= most) return "";
  const all = [...document.querySelectorAll("body *")];
  const out = all.filter((one) => one.getBoundingClientRect().right > most + 1).slice(-4);
  return `${page.scrollWidth} px wide in ${most}: ` +
    out.map((one) => one.outerHTML.slice(0, 99)).join(" | ");
}"""

# Colours on their way to others are nobody's to judge.
_AXE = """async () => {
  const passing = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(passing.map((one) => one.finished));
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const told = (node) => `${node.target} ${node.any[0]?.message ?? ""}`;
  return violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id} (${one.impact}): ` + one.nodes.slice(0, 4).map(told).join(" | "));
}"""


class Visit:
    """A window of its own, with its own session, and what is wrong with what happened in it."""

    def __init__(
        self, browser: Browser, url: str, axe: str, width: int = 1280, scheme: str = "light", **settings: Any
    ) -> None:
        self.url, self.axe = url, axe
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.context = browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
            **settings,
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.on("request", self._asked)
        self.context.on("console", self._said)
        self.context.on("weberror", self._broke)
        # What an injected script would call.
        self.context.expose_function("pwned", lambda where="": self.complaints.append(f"script ran: {where}"))
        self.page = self.context.new_page()

    def open(self, fragment: str = "") -> None:
        """Load the page; done when its first text is shown and its handlers are in place."""
        self.page.goto(f"{self.url}{f'#{fragment}' if fragment else ''}")
        self.page.locator("#syn-text mark").first.wait_for()

    def leave(self) -> list[str]:
        """Close the window; what there was to complain of."""
        self.context.close()
        return [one for one in self.complaints if not any(part in one for part in self.expected)]

    # ---- what a visitor does

    def tab(self, name: str) -> None:
        """Go to a tab, through the menu of those that find no room where it must be."""
        tab = self.page.get_by_role("tab", name=name, exact=True)
        if not tab.is_visible():
            self.page.get_by_role("button", name="More tabs").click()
            tab = self.page.locator(".overflow-dropdown button").filter(has_text=name)
        tab.click()
        self.page.get_by_role("tabpanel", name=name).or_(
            self.page.locator("[role=tabpanel]:visible")
        ).first.wait_for()
        if name == "Explore":  # it reads its dataset when somebody looks
            self.page.locator("#exp-set-status").get_by_text("rows.").wait_for()

    def field(self, label: str) -> Locator:
        """The visible field with a label."""
        # What is said about a field is part of its label, after the name.
        named = self.page.get_by_label(re.compile(rf"\s*{re.escape(label)}"))
        return named.locator("visible=true").first

    def fill(self, **texts: str) -> None:
        """Write into the fields of the tab in sight, by their labels in lower case."""
        for label, text in texts.items():
            self.field(label.capitalize()).fill(text)

    def choose(self, label: str, choice: str) -> None:
        """Choose from one of the lists."""
        self.field(label).click()
        self.page.get_by_role("option", name=choice).locator("visible=true").click()

    def press(self, name: str) -> None:
        """Press the visible button of that name."""
        self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first.click()

    # ---- what a visitor sees

    def status(self, panel: str = "syn") -> Locator:
        """The status line of a panel."""
        return self.page.locator(f"#{panel}-status .cs-status")

    def ended(self, panel: str = "syn") -> str:
        """Wait for the end of the run just begun; its status line."""
        self.page.locator(f"#{panel}-status").locator(ENDED).first.wait_for()
        return self.status(panel).inner_text()

    def synthesize(self, **texts: str) -> str:
        """Fill in, press Synthesize and wait for the end; the status line."""
        self.fill(**texts)
        self.forget_status()
        self.press("Synthesize")
        return self.ended()

    def forget_status(self) -> None:
        """Let the status line tell of no run, so that ``ended`` waits for the next one.

        That one may be over before anybody sees it begin.
        """
        self.page.evaluate("document.querySelector('#syn-status .cs-status').className = 'cs-status'")

    def marks(self, panel: str = "syn") -> list[str]:
        """The evidence highlighted."""
        return self.page.locator(f"#{panel}-text mark").all_text_contents()

    def text(self, panel: str = "syn") -> str:
        """The text shown, as it was before it became paragraphs."""
        return "\n\n".join(self.page.locator(f"#{panel}-text p").all_text_contents())

    def download(self, button: str) -> tuple[str, str]:
        """Press a download's button; the file's name and its text."""
        with self.page.expect_download() as waiting:
            self.press(button)
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_text(encoding="utf-8")

    def clipboard(self) -> str:
        """What was copied."""
        return self.page.evaluate("navigator.clipboard.readText()")

    # ---- what must hold

    def wider(self) -> str:
        """What makes the page scroll sideways; empty if nothing does."""
        return self.page.evaluate(_WIDER)

    def violations(self) -> list[str]:
        """What axe-core finds serious or critical, as it stands."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(self.axe)
        return self.page.evaluate(_AXE)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"asked {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text} {json.dumps(message.location)}")

    def _broke(self, error: WebError) -> None:
        self.complaints.append(f"page error: {error.error}")
