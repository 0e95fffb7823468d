"""XMP files beside videos and the Finder's tags: titles, keywords, markers, and nothing of what is hostile."""

# ruff: noqa: E501  tables

from __future__ import annotations

import os
import plistlib
from fractions import Fraction
from pathlib import Path

import pytest
from db_samples import make_video

from indexer.text.finder_tags import read_finder_tags
from indexer.text.found import TextFound
from indexer.text.sources import read_sidecars

PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" photoshop:Headline="Storm &amp; sea" xmpDM:scene="12A">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Die Küste</rdf:li><rdf:li xml:lang="en">The coast</rdf:li></rdf:Alt></dc:title>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Waves.
Gulls.</rdf:li></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag><rdf:li>gull</rdf:li><rdf:li>sea</rdf:li><rdf:li>gull</rdf:li></rdf:Bag></dc:subject>
   <dc:creator><rdf:Seq><rdf:li>Ann Lee</rdf:li></rdf:Seq></dc:creator>
   {}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
TRACKS = """\
<xmpDM:Tracks><rdf:Bag>
 <rdf:li><rdf:Description xmpDM:trackName="Comment" xmpDM:trackType="Comment" xmpDM:frameRate="f254016000000">
  <xmpDM:markers><rdf:Seq>
   <rdf:li><rdf:Description xmpDM:startTime="508032000000" xmpDM:duration="254016000000" xmpDM:name="First wave" xmpDM:comment="a big one"/></rdf:li>
   <rdf:li rdf:parseType="Resource"><xmpDM:startTime>75f25</xmpDM:startTime><xmpDM:name>Gull</xmpDM:name></rdf:li>
   <rdf:li xmpDM:startTime="x" xmpDM:name="lost"/>
   <rdf:li xmpDM:startTime="254016000000"/>
  </rdf:Seq></xmpDM:markers></rdf:Description></rdf:li>
 <rdf:li rdf:parseType="Resource"><xmpDM:trackName>Old</xmpDM:trackName><xmpDM:frameRate>f24000s1001</xmpDM:frameRate>
  <xmpDM:markers><rdf:Seq><rdf:li xmpDM:startTime="24" xmpDM:comment="in frames"/></rdf:Seq></xmpDM:markers></rdf:li>
 <rdf:li rdf:parseType="Resource">
  <xmpDM:markers><rdf:Seq><rdf:li xmpDM:startTime="100" xmpDM:name="at the rate of the video"/></rdf:Seq></xmpDM:markers></rdf:li>
</rdf:Bag></xmpDM:Tracks>"""


def read(folder: Path, content: str | bytes, name: str = "a.xmp") -> TextFound:
    (folder / "a.mp4").touch()
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sidecars(make_video(str(folder / "a.mp4"), seconds=12, frame_rate=Fraction(25)))


def words(found: TextFound) -> dict[str, list[str]]:
    return {text.source.title: [line.text for line in text.lines] for text in found.texts if text.source.kind == "tag"}


@pytest.mark.parametrize("name", ["a.xmp", "A.MP4.XMP"])
def test_fields(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, PACKET.format(""), name)
    assert words(found) == {
        "title": ["Die Küste", "The coast"],
        "description": ["Waves.\nGulls."],
        "keywords": ["gull", "sea"],
        "headline": ["Storm & sea"],
        "artist": ["Ann Lee"],
        "scene": ["12A"],
    }
    assert {(line.start_ms, line.end_ms) for text in found.texts for line in text.lines} == {(0, 12_000)}
    assert [text.source.origin for text in found.texts][:2] == [f"{name}: title", f"{name}: description"]
    assert {text.source.file for text in found.texts} == {name}
    assert found.problems == ()


def test_markers(tmp_path: Path) -> None:
    (text,) = [text for text in read(tmp_path, PACKET.format(TRACKS)).texts if text.source.kind == "chapter"]
    assert (text.source.title, text.source.origin) == ("markers", "a.xmp: markers")
    assert [(line.start_ms, line.end_ms, line.text) for line in text.lines] == [
        (1001, 1001, "in frames"),
        (2000, 3000, "First wave\na big one"),
        (3000, 3000, "Gull"),
        (4000, 4000, "at the rate of the video"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>',
        "<a>" * 100_000,
        "<a><b/>" * 3,
        "<a/>",
        "",
        "no xml",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        '<?xml version="1.0" encoding="x-none"?><a/>',
    ],
    ids=["entities", "a file", "deep", "cut off", "other", "empty", "text", "bytes", "zeros", "encoding"],
)
def test_other_content_has_no_words(tmp_path: Path, content: str | bytes) -> None:
    found = read(tmp_path, content)
    assert [text.lines for text in found.texts] == [()]


def test_a_packet_in_utf_16(tmp_path: Path) -> None:
    assert words(read(tmp_path, PACKET.format("").encode("utf-16")))["title"] == ["Die Küste", "The coast"]


def test_many_elements_are_refused(tmp_path: Path) -> None:
    assert [text.lines for text in read(tmp_path, "<x>" + "<a/>" * 600_000 + "</x>").texts] == [()]


ATTRIBUTES = {
    "com.apple.metadata:_kMDItemUserTags": plistlib.dumps(["Red\n6", "Gull", "Gull\n0", 5], fmt=plistlib.FMT_BINARY),
    "com.apple.metadata:kMDItemFinderComment": plistlib.dumps("Seen\nfrom the pier", fmt=plistlib.FMT_BINARY),
}


def attribute(path: str, name: str) -> bytes:
    try:
        return ATTRIBUTES[name]
    except KeyError:
        raise OSError("none") from None


def test_finder_tags() -> None:
    found = read_finder_tags("/a.mp4", duration_ms=5000, read=attribute)
    assert words(TextFound(tuple(found))) == {"keywords": ["Red", "Gull"], "comment": ["Seen\nfrom the pier"]}


@pytest.mark.parametrize(
    "content", [b"", b"bplist00", b"bplist00" + b"\xff" * 60, b"x" * 100_000, plistlib.dumps({"a": 1}), plistlib.dumps([[["x"]]])]
)  # fmt: skip
def test_damaged_attributes(content: bytes) -> None:
    assert read_finder_tags("/a.mp4", duration_ms=5000, read=lambda path, name: content) == []


def test_attributes_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    assert read_finder_tags(str(path), duration_ms=5000) == []
    try:
        os.setxattr(path, "user.com.apple.metadata:_kMDItemUserTags", ATTRIBUTES["com.apple.metadata:_kMDItemUserTags"])
    except (AttributeError, OSError):
        pytest.skip("this file system keeps no such attributes")
    assert words(TextFound(tuple(read_finder_tags(str(path), duration_ms=5000)))) == {"keywords": ["Red", "Gull"]}
