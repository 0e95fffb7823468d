"""Links in the page's head to files that it needs later on, so that browsers fetch them while Streamlit starts."""

from __future__ import annotations

import re
from pathlib import Path

from app.web.http.static_files import MODULES, static_url

ELEMENTS = ("BidiComponent", "TextInput", "Button", "ButtonGroup")
"""Streamlit's elements of the search page. Streamlit would load their code once the script has drawn the first one."""
_CHUNK = re.compile(rb'(?:from|import)"\./([\w.-]+\.js)"')


def preload_links(page: bytes, front_end: Path) -> str:
    """Return links to our modules and styles, and to the code of those elements.

    Args:
        page: Streamlit's page; what it has links to is left out.
        front_end: The folder of Streamlit's front end. What is not there is left out.
    """
    names = [name for name in _chunks(front_end / "static" / "js") if name.encode() not in page]
    links = [
        *(f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in names),
        f'<link rel="modulepreload" href="{static_url(MODULES)}">',
        f'<link rel="preload" as="style" href="{static_url("page.css")}">',
    ]
    return "".join(f"  {link}\n  " for link in links)


def _chunks(folder: Path) -> list[str]:
    """Return the names of the files that those elements need, the elements' own first."""
    found = [path.name for element in ELEMENTS for path in sorted(folder.glob(f"{element}.*.js"))]
    for name in found:  # grows
        try:
            imported = _CHUNK.findall(folder.joinpath(name).read_bytes())
        except OSError:
            continue
        found += [each.decode() for each in dict.fromkeys(imported) if each.decode() not in found]
    return found
