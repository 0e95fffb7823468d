"""How the page looks: quiet colours, light or dark as the browser prefers. Pictures bring the colours."""

from __future__ import annotations

from typing import Any

# Text is 4.5:1 and more on both backgrounds, and so is white on the primary colour, as buttons have it.
LIGHT = {
    "primaryColor": "#1f6f8b",
    "backgroundColor": "#fcfbf9",
    "secondaryBackgroundColor": "#f1efeb",
    "textColor": "#1e2226",
    "linkColor": "#1b6480",
    "borderColor": "#d8d4cc",
}
DARK = {
    "primaryColor": "#2a7f9e",
    "backgroundColor": "#121517",
    "secondaryBackgroundColor": "#1c2124",
    "textColor": "#e7e5e0",
    "linkColor": "#7cc0d8",
    "borderColor": "#363d42",
}
SHAPE = {"baseRadius": "0.4rem", "showWidgetBorder": True, "font": "sans-serif"}


def theme_options() -> dict[str, Any]:
    """Streamlit's options for it, by their dotted names."""
    options: dict[str, Any] = {f"theme.{name}": value for name, value in SHAPE.items()}
    for base, colours in (("light", LIGHT), ("dark", DARK)):
        options |= {f"theme.{base}.{name}": value for name, value in colours.items()}
    return options
