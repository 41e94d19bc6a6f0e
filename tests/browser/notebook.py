"""A notebook in a browser, worked with as a learner does.

notebook = Notebook.open(browser, server, "04_services")
notebook.run_all()
panel = notebook.show("TiersPanel(")            # the cell with these words, scrolled into view
panel.get_by_role("button", name="Apply").click()
notebook.keep("04-tiers-panel", panel)          # test-logs/screenshots/04-tiers-panel.png
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab_server import Server
from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

SCREENSHOTS = Path(__file__).parents[2] / "test-logs" / "screenshots"
Motion = Literal["reduce", "no-preference"]
#: A laptop's width, and more of its height, so that a panel and its heading are seen at once.
WIDTH, HEIGHT = 1280, 1400
#: Milliseconds. Within a minute a lesson's slowest cell has ended.
PATIENCE = 60_000
#: Milliseconds for all cells of a lesson, on a machine that does other things too.
LESSON = 200_000

_IDLE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
_RUN = """command => {
    window.ran = false;
    window.jupyterapp.commands.execute(command).finally(() => { window.ran = true; });
}"""
#: JupyterLab takes cells that are out of sight off the page: the one that is wanted is brought back.
_SHOW = """async words => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const index = notebook.widgets.findIndex(cell => cell.model.type === "code"
        && cell.model.sharedModel.source.includes(words));
    if (index < 0) return -1;
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, "start");
    notebook.widgets[index].node.dataset.shown = index;
    return index;
}"""
#: Every cell on the page; answers how high, in pixels, the notebook is then.
_SHOW_ALL = """() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.notebookConfig = {...notebook.notebookConfig, windowingMode: "none"};
    return notebook.node.querySelector(".jp-WindowedPanel-inner").scrollHeight;
}"""
_TO_THE_TOP = """() => window.jupyterapp.shell.currentWidget.content.node
    .querySelector(".jp-WindowedPanel-outer").scrollTo(0, 0)"""
#: The height, in pixels, of what JupyterLab shows above and below a notebook.
_AROUND = 160


@dataclass
class Notebook:
    """An open notebook whose kernel runs. What the page itself found wrong is in `faults`."""

    page: Page
    faults: list[str]

    @classmethod
    @contextmanager
    def open(cls, browser: Browser, server: Server, name: str, motion: Motion = "reduce") -> Iterator[Notebook]:
        """In a browser that has never been here."""
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion=motion, color_scheme=server.theme
        )
        context.set_default_timeout(PATIENCE)
        try:
            page = context.new_page()
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(server.lesson(name))
            page.wait_for_function(_IDLE)
            yield cls(page, faults)
        finally:
            context.close()

    def run_all(self) -> None:
        """Every cell, to the end; what went wrong in one is an AssertionError."""
        self._run("notebook:run-all-cells")

    def run_to(self, words: str) -> Locator:
        """Every cell as far as the first with these words, and that one in sight."""
        self.show(words)
        self._run("notebook:run-all-above")
        self.run_cell(words)
        return self.show(words)

    def run_cell(self, words: str) -> None:
        """The first cell with these words, and no other."""
        self.show(words)
        self._run("notebook:run-cell")

    def _run(self, command: str) -> None:
        self.page.evaluate(_RUN, command)
        try:
            self.page.wait_for_function("() => window.ran", timeout=LESSON)
        except PlaywrightTimeout:
            shown = [str(output.get("text") or output.get("data")) for output in self.outputs()]
            raise AssertionError(
                f"not at its end after {LESSON // 1000} s; the last that it showed: {shown[-1:]}"
            ) from None
        wrong = [f"{o['ename']}: {o['evalue']}" for o in self.outputs() if o["output_type"] == "error"]
        assert not wrong, "; ".join(wrong)

    def save(self) -> None:
        """As JupyterLab does by itself every two minutes."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")

    def outputs(self) -> list[dict[str, Any]]:
        """Of all cells, in order, as a notebook file holds them."""
        cells: list[dict[str, Any]] = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.model.toJSON().cells"
        )
        return [output for cell in cells for output in cell.get("outputs", [])]

    def show(self, words: str) -> Locator:
        """The first code cell with these words in it, and in sight."""
        index = self.page.evaluate(_SHOW, words)
        assert index >= 0, f"no cell says {words}"
        cell = self.page.locator(f'[data-shown="{index}"]')
        cell.wait_for()
        return cell

    def show_all(self) -> None:
        """The whole lesson in sight, as one long page: no cell is taken off it any more."""
        for _ in range(2):  # what was never in sight gets its height only now
            height = self.page.evaluate(_SHOW_ALL)
            self.page.set_viewport_size({"width": WIDTH, "height": height + _AROUND})
        self.page.evaluate(_TO_THE_TOP)

    def keep(self, name: str, what: Locator) -> None:
        """How it looks, for a person to see."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        what.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")
