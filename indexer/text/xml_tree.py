"""XML from others as a small tree: no document type, so no entities, and with limits on size, depth and number."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

MAX_CHARACTERS = 16_000_000
_MOST_ELEMENTS = 500_000
_DEEPEST = 64


@dataclass(slots=True)
class Element:
    """An element. Names are `namespace name`, or the name alone without a namespace.

    Attributes:
        children: Elements and texts, in their order.
    """

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def text(self) -> str:
        """All text within."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


def parse_xml(text: str) -> Element:
    """Return the root of a document.

    Raises:
        ValueError: It is no XML, has a document type, or is beyond the limits.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError("it is too large")
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    parser.buffer_text = True
    root = Element("", {})
    open_elements = [root]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MOST_ELEMENTS or len(open_elements) > _DEEPEST:
            raise ValueError("it has too many elements, or they are nested too deeply")
        element = Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type, which is not read")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: open_elements.pop()
    parser.CharacterDataHandler = lambda data: open_elements[-1].children.append(data)
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise ValueError(f"it is no XML that can be read (line {error.lineno})") from None
    return root.elements[0]
