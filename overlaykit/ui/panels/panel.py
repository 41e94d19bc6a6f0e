"""What every panel has: hosts, a stack, a worker, and words for what goes on and what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ipywidgets as widgets
import traitlets

from overlaykit.remote.faults import own_fault
from overlaykit.ui.panels.markup import alert_html, status_html
from overlaykit.ui.panels.worker import Worker
from overlaykit.words.errors import Cancelled, OverlaykitError
from overlaykit.words.stack import Stack

if TYPE_CHECKING:
    from overlaykit.kit import Hosts

T = TypeVar("T")

_STYLE = (Path(__file__).parent / "panel.css").read_text()


#: The panels at work, by what they were made of.
_AT_WORK: dict[tuple[Any, ...], Any] = {}


class OneAtWork(traitlets.MetaHasTraits):
    """Made again while it is at work, a panel is the same one: who closed the tab runs its cell again, and sees it."""

    def __call__(cls, hosts: Hosts, stack: Stack) -> Any:
        return _AT_WORK.get(_made_of(cls, hosts, stack)) or super().__call__(hosts, stack)


def _made_of(kind: type, hosts: Hosts, stack: Stack) -> tuple[Any, ...]:
    """What tells a panel from another: a part of the hosts is not all of them, nor what may be done there the same."""
    names = tuple(host.name for host in hosts.inventory)
    return kind, hosts.where, names, hosts.allow_changes, hosts.adopt, stack


class Panel(widgets.VBox, metaclass=OneAtWork):
    """A box with a heading, a status and an alert; its work is done in one thread of its own."""

    title = ""

    def __init__(self, hosts: Hosts, stack: Stack) -> None:
        self.hosts = hosts
        self._key = _made_of(type(self), hosts, stack)
        self._name = f"{type(self).__name__}({stack.name})"
        self._worker = Worker(self._name)
        self._cancels: list[threading.Event] = []  # of each piece of work that is not at its end
        self._turn = threading.RLock()
        self._busy = False
        self._status = widgets.HTML(status_html("ready"))
        self._alert = widgets.HTML()
        where = f"lab {hosts.inventory.lab}" if hosts.inventory.lab else hosts.inventory.source
        head = widgets.HTML(
            f'<style>{_STYLE}</style><h3 class="okp-title">{escape(self.title)} <small>{escape(where)}</small></h3>'
        )
        super().__init__([head, *self._parts()])
        self.add_class("okp-panel")
        self._view_count = 0  # from now on each page that shows the panel says so
        self.observe(lambda _: self._show_again(), "_view_count")

    def __repr__(self) -> str:
        return self._name

    def _parts(self) -> list[Any]:
        """What stands beneath the heading."""
        return [self._status, self._alert]

    def _say(self, words: str) -> None:
        self._status.value = status_html(words)

    def _set_busy(self, busy: bool) -> None:
        """Buttons follow in the panels that have them."""
        self._busy = busy

    def _begin(self, do: Callable[[threading.Event], T]) -> Future[T]:
        """Do it in the worker, the buttons being quiet meanwhile; it is given what tells that it is cancelled."""
        cancel = threading.Event()
        with self._turn:
            self._cancels.append(cancel)
            self._set_busy(True)
            _AT_WORK[self._key] = self

        def work() -> T:
            try:
                return self._shown(lambda: do(cancel))
            finally:
                self._ended(cancel)

        return self._worker.submit(work)

    def _ended(self, cancel: threading.Event) -> None:
        """What a cell has begun meanwhile comes next, and until then the panel is busy."""
        with self._turn:
            self._cancels.remove(cancel)
            if not self._cancels:
                if _AT_WORK.get(self._key) is self:
                    del _AT_WORK[self._key]
                self._set_busy(False)

    def _stop(self) -> None:
        self._call_off()
        self._say("cancelling: what runs ends first")

    def _call_off(self) -> None:
        for cancel in tuple(self._cancels):
            cancel.set()

    def _show_again(self) -> None:
        """A page has missed what was told between its question how all is and its own being there, seconds later."""
        for part in self.children[1:]:
            for one in (part, *getattr(part, "children", ())):
                if isinstance(one, widgets.HTML | widgets.Button):
                    one.send_state()

    def _shown(self, do: Callable[[], T]) -> T:
        """What it raises is a sentence in the panel, and raised to whoever waits."""
        self._alert.value = ""
        try:
            return do()
        except Cancelled as cancelled:
            self._fail("cancelled", str(cancelled), calm=True)
            raise
        except OverlaykitError as error:
            self._fail("not done", str(error))
            raise
        except Exception as error:
            self._fail("not done", own_fault(self.hosts.where, error))
            raise

    def _fail(self, words: str, sentences: str, *, calm: bool = False) -> None:
        self._alert.value = alert_html(sentences, calm=calm)
        self._say(words)

    def _wait(self, future: Future[T]) -> T:
        """For whoever calls from a cell. An interrupt cancels the work, and does not wait for it."""
        try:
            return future.result()
        except KeyboardInterrupt:
            self._call_off()
            raise
