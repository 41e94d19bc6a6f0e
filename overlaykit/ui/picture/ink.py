"""Colours, shapes and the one way to write an element: what the drawing is made with.

    >>> draw("rect", x=1, y=2, fill=ink("card"))
    '<rect x="1" y="2" fill="var(--pic-card,#ffffff)"/>'

Every colour is a CSS variable with the light theme's value behind it, as an attribute: so a picture keeps its colours
where a code host strips its style sheet. No colour stands alone: a shape or a word always says the same.
"""

from __future__ import annotations

from html import escape

#: name: (light, dark)
PALETTE = {
    "paper": ("#f4f6fa", "#12161c"),
    "card": ("#ffffff", "#1d232c"),
    "shade": ("#e4e9f0", "#0c0f14"),
    "edge": ("#cfd7e1", "#3a4553"),
    "ink": ("#17202c", "#e8edf4"),
    "quiet": ("#586474", "#a5b1c0"),
    "wire": ("#8a97a8", "#6c7a8c"),
    "swarm": ("#e3e7fb", "#2a3162"),
    "swarm-edge": ("#4a58c9", "#9aa6ff"),
    "net0": ("#d3efea", "#123f3b"),
    "net0-edge": ("#0f766e", "#5eead4"),
    "net1": ("#f9dfeb", "#4a1f35"),
    "net1-edge": ("#a8255f", "#f9a8d4"),
    "net2": ("#fbecc6", "#43350f"),
    "net2-edge": ("#8a5a00", "#fbcf6b"),
    "net3": ("#d9ebfb", "#163650"),
    "net3-edge": ("#1668a8", "#7cc4ff"),
    "frontend": ("#1d63c4", "#7db4ff"),
    "backend": ("#b8500b", "#ffab66"),
    "database": ("#7b3aa6", "#d3a4f5"),
    "service": ("#4b6075", "#a9bdd1"),
    "container": ("#66707c", "#b4bec9"),
    "good": ("#17713a", "#74d796"),
    "coming": ("#8a5a00", "#fbcf6b"),
    "bad": ("#b3261e", "#ffb0a8"),
    "way": ("#cf1f6b", "#ff86b8"),
    "on-colour": ("#ffffff", "#12161c"),
}
NETWORK_COLOURS = 4

#: Outlines in a square of 24: what each kind of task looks like.
ICONS = {
    "frontend": "M3 5h18v14H3zM3 9.5h18M6 7.3h.01M9 7.3h.01",
    "backend": "M9 7l-5 5 5 5M15 7l5 5-5 5",
    "database": "M5 6.5c0-3.3 14-3.3 14 0v11c0 3.3-14 3.3-14 0zM5 6.5c0 3.3 14 3.3 14 0M5 12c0 3.3 14 3.3 14 0",
    "service": "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
    "container": "M4 7h16v11H4zM8 10v5M12 10v5M16 10v5",
    "browser": "M2 4h20v16H2zM2 9h20M5 6.5h.01M8 6.5h.01M11 6.5h.01",
    "power": "M12 3v8M7 6.5a8 8 0 1 0 10 0",
    "lock": "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
}

#: How a task does: (colour, the outline of its mark in a square of 10).
MARKS = {
    "running": ("good", "M1.5 5.5l2.3 2.5L8.5 2.5"),
    "starting": ("coming", "M5 1a4 4 0 1 1-4 4M5 3v2.3l1.6 1"),
    "preparing": ("coming", "M5 1a4 4 0 1 1-4 4M5 3v2.3l1.6 1"),
    "waiting": ("coming", "M5 1a4 4 0 1 1-4 4M5 3v2.3l1.6 1"),
    "failing": ("bad", "M2 2l6 6M8 2l-6 6"),
    "failed": ("bad", "M2 2l6 6M8 2l-6 6"),
    "stopping": ("quiet", "M2 5h6"),
    "lost": ("quiet", "M3 3.2a2 2 0 1 1 2.8 1.9q-.8.4-.8 1.3M5 8.6h.01"),
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"


def ink(name: str) -> str:
    """A colour of the palette: the theme's, and the light one where there is no theme."""
    return f"var(--pic-{name},{PALETTE[name][0]})"


def dark_rules(selector: str) -> str:
    """The style sheet's rule that makes everything below `selector` dark."""
    colours = ";".join(f"--pic-{name}:{dark}" for name, (_, dark) in PALETTE.items())
    return f"{selector}{{{colours}}}"


def draw(name: str, *inside: str, **attributes: object) -> str:
    """An element. `class_` is written as class, `data_key` as data-key; what is None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>" if inside else f"<{name}{written}/>"


def text(said: str, x: float, y: float, *, room: float = 0, size: float = 12, **attributes: object) -> str:
    """A line of text; with `room`, what does not fit is cut off and the whole is its title."""
    fits = max(3, int(room / wide("n", size))) if room else len(said)
    shown = said if len(said) <= fits else said[: fits - 1] + "…"
    title = draw("title", escape(said)) if shown != said else ""
    colour = attributes.pop("fill", ink("ink"))
    return draw("text", escape(shown), title, x=x, y=y, font_size=size, fill=colour, **attributes)


def wide(said: str, size: float) -> float:
    """How wide a text is, about, in a font that is wider than most."""
    return len(said) * size * 0.6


def line_icon(outline: str, x: float, y: float, size: float, colour: str, *, box: float = 24, weight: float = 2) -> str:
    """An icon's outline in a square."""
    place = f"translate({_short(x)} {_short(y)}) scale({_short(size / box)})"
    lines = {"stroke_width": weight * box / 24, "stroke_linecap": "round", "stroke_linejoin": "round"}
    return draw("path", d=outline, transform=place, fill="none", stroke=colour, **lines)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
