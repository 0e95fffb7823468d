"""Files of captions: tables, JSONL and WebVid's table are read; whatever is wrong is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.text_files import TextFileError
from app.tuning.captions_file import Captioned, read_captions


def captions_of(folder: Path, content: str | bytes, name: str = "captions.csv") -> list[Captioned]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_captions(folder / name, folder)


def refusal(folder: Path, content: str | bytes, name: str = "captions.csv") -> str:
    with pytest.raises(TextFileError) as refused:
        captions_of(folder, content, name)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_table_is_read_with_all_its_columns(tmp_path: Path) -> None:
    table = (
        "path,start,end,caption,split,group\n"
        "a/zorp.mp4,,,A zorp  rises,,\n"
        'b.mp4,0:12,15.5,"a zorp, beside a tree",val,farm\n\n'
        "a/zorp.mp4,,,it goes up,,\n"
        "a/zorp.mp4,,,A zorp rises,,\n"
    )
    assert captions_of(tmp_path, table) == [
        Captioned(str(tmp_path / "a/zorp.mp4"), None, None, ("A zorp rises", "it goes up")),
        Captioned(str(tmp_path / "b.mp4"), 12.0, 15.5, ("a zorp, beside a tree",), "validation", "farm"),
    ]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xef\xbb\xbfPath;Caption\r\na.mp4;un caf\xc3\xa9\r\n", "captions.csv"),
        ("file\tcaption\na.mp4\tun café", "captions.tsv"),
        ('{"path": "a.mp4", "caption": "un café"}\n\n', "captions.jsonl"),
        ('\ufeff{"file": "a.mp4", "captions": ["un café", "un  café"], "start": null}', "captions.NDJSON"),
        ("videoid,name,duration,page_dir,contentUrl\na,un café,PT00H00M12S,,https://example.org/a.mp4\n", "w.csv"),
    ],
)
def test_formats_marks_and_separators_make_no_difference(tmp_path: Path, content: str | bytes, name: str) -> None:
    assert captions_of(tmp_path, content, name) == [Captioned(str(tmp_path / "a.mp4"), None, None, ("un café",))]


def test_webvids_file_is_in_its_page_folder(tmp_path: Path) -> None:
    [found] = captions_of(tmp_path, "videoid,name,duration,page_dir\n1066,a dog runs,12,000001_000050\n")
    assert found.path == str(tmp_path / "000001_000050" / "1066.mp4")


def test_times_of_json_may_be_numbers(tmp_path: Path) -> None:
    line = json.dumps({"path": "a.mp4", "caption": "a dog", "start": 1, "end": "0:02.5"})
    [found] = captions_of(tmp_path, line, "c.jsonl")
    assert (found.start_seconds, found.end_seconds) == (1.0, 2.5)


def test_every_bad_line_is_named_or_counted(tmp_path: Path) -> None:
    lines = ["path,start,end,caption,split", "../out.mp4,,,a dog,", "a.mp4,5,2,a dog,", "a.mp4,,,,", ",,,a dog,"]
    said = refusal(tmp_path, "\n".join([*lines, "a.mp4,x,,a dog,", "a.mp4,,,a dog,later", "ok.mp4,,,a dog,"]))
    assert said.startswith("captions.csv: line 2: '../out.mp4' is not in the folder")
    assert "line 3: it ends before it begins" in said
    assert "line 4: it has no caption" in said
    assert "line 5: it names no file" in said
    assert "line 6: 'x' is not a time" in said
    assert said.endswith("; and 1 more line")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "c.csv", "line 1: the first line must name the columns"),
        ("path,caption\n", "c.csv", "it has no caption"),
        ("path,caption\na.mp4,caf\xe9\n".encode("latin-1"), "c.csv", "line 2: this is not UTF-8"),
        ("path,caption\nb.mp4,a\0b\n".encode("utf-16"), "c.csv", "this is not UTF-8"),
        ("path,caption\n/etc/passwd,a dog\n", "c.csv", "is not in the folder"),
        ("path,caption\na\0.mp4,a dog\n", "c.csv", "line 2"),
        ('path,caption\na.mp4,"a dog\n', "c.csv", "this is no line of a table"),
        (f"path,caption\na.mp4,{'a' * 10_001}\n", "c.csv", "10,001 characters"),
        ("path,caption,split\na.mp4,a,test\na.mp4,b,train\n", "c.csv", "line 3: an earlier line puts this stretch"),
        ("", "c.jsonl", "it has no caption"),
        ("{", "c.jsonl", "line 1: this is no JSON"),
        ("[]", "c.jsonl", "line 1: this is no object"),
        ("[" * 100_000, "c.jsonl", "line 1: this is no JSON"),
        ('{"path": 7, "caption": "a dog"}', "c.jsonl", "it names no file"),
        ('{"path": "a.mp4", "caption": 7}', "c.jsonl", "it has no caption"),
        ('{"path": "a.mp4", "captions": []}', "c.jsonl", "it has no caption"),
        ('{"path": "a.mp4", "caption": "\\ud800"}', "c.jsonl", "half a character"),
        ('{"path": "\\ud800.mp4", "caption": "a"}', "c.jsonl", "half a character"),
        ('{"path": "a.mp4", "caption": "a", "start": true}', "c.jsonl", "True is no time"),
        ('{"path": "a.mp4", "caption": "a", "start": -1}', "c.jsonl", "-1 is no time"),
        ('{"path": "a.mp4", "caption": "a", "split": ["x"]}', "c.jsonl", "is no split"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, content: str | bytes, name: str, said: str) -> None:
    assert said in refusal(tmp_path, content, name)
