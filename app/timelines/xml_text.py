"""XML as editing programs read it: declared as UTF-8, with its document type, indented."""

from __future__ import annotations

from xml.etree import ElementTree

from app.timelines.plain_text import legal


def child(parent: ElementTree.Element, tag: str, text: object = None, **attributes: object) -> ElementTree.Element:
    """A new last element of `parent`. Text and attributes lose what XML forbids; attributes that are None are left."""
    said = {name: legal(str(value)) for name, value in attributes.items() if value is not None}
    element = ElementTree.SubElement(parent, tag, said)
    if text is not None:
        element.text = legal(str(text))
    return element


def document(root: ElementTree.Element) -> bytes:
    """The whole file. The document type is named after the root."""
    ElementTree.indent(root)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n'
    content: str = ElementTree.tostring(root, encoding="unicode")
    return f"{head}{content}\n".encode()
