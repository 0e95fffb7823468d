"""XML as editing programs read it: declared as UTF-8, with a document type, indented."""

from __future__ import annotations

from xml.etree import ElementTree

from app.timelines.plain_text import xml_safe


def child(parent: ElementTree.Element, tag: str, text: object = None, **attributes: object) -> ElementTree.Element:
    """Append an element to `parent`, without characters that XML forbids and without attributes that are None."""
    values = {name: xml_safe(str(value)) for name, value in attributes.items() if value is not None}
    element = ElementTree.SubElement(parent, tag, values)
    if text is not None:
        element.text = xml_safe(str(text))
    return element


def xml_bytes(root: ElementTree.Element) -> bytes:
    """Return the whole file. The document type is named after the root element."""
    ElementTree.indent(root)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n'
    content: str = ElementTree.tostring(root, encoding="unicode")
    return f"{head}{content}\n".encode()
