"""Theme of the page: quiet colours, light or dark as the browser prefers."""

from __future__ import annotations

from typing import Any

# Text has a contrast of at least 4.5:1 on both backgrounds, and so has white on the primary colour of buttons.
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
SHAPE = {
    "baseRadius": "0.4rem",
    "showWidgetBorder": True,
    "font": "sans-serif",
    "headingFontSizes": ["2.75rem", "1.75rem"],
}


def theme_options() -> dict[str, Any]:
    """Return Streamlit's options for the theme, by their dotted names."""
    options: dict[str, Any] = {f"theme.{name}": value for name, value in SHAPE.items()}
    for base, colours in (("light", LIGHT), ("dark", DARK)):
        options |= {f"theme.{base}.{name}": value for name, value in colours.items()}
    return options
