"""Tables of labels, lists of class names, templates: what people's editors write is read, and wrong lines are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import text_files
from app.evaluation.class_names import read_class_names, read_prompts
from app.evaluation.label_files import read_labels
from app.evaluation.labelled import LabelledStretch, Stretch
from app.text_files import TextFileError


def written(folder: Path, content: str | bytes, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def labels_of(folder: Path, content: str | bytes, name: str = "labels.csv") -> list[LabelledStretch]:
    return read_labels(written(folder, content, name), folder)


def test_a_table_is_read_with_all_its_columns(tmp_path: Path) -> None:
    found = labels_of(
        tmp_path,
        "file,label,start,end,split,group\n"
        'dogs/rex.mp4,run|bark,,,Training,rex\n"a, b.mp4",jump,0:12,15.5,val,\n\n'
        "dogs/rex.mp4, sleep ,,,train,rex\nempty.mp4,,,,,\n",
    )
    assert found == [
        LabelledStretch(Stretch(str(tmp_path / "dogs/rex.mp4")), frozenset({"run", "bark", "sleep"}), "rex", "train"),
        LabelledStretch(Stretch(str(tmp_path / "a, b.mp4"), 12.0, 15.5), frozenset({"jump"}), "a, b.mp4", "validation"),
        LabelledStretch(Stretch(str(tmp_path / "empty.mp4")), frozenset(), "empty.mp4", ""),
    ]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xef\xbb\xbffile,label\r\na.mp4,caf\xc3\xa9\r\n", "labels.csv"),
        ("File\tLabel\na.mp4\tcafé", "labels.tsv"),
        ("label;file\ncafe\u0301;a.mp4\n", "labels.csv"),
        ("file,label,\na.mp4,café,\n", "labels.csv"),
    ],
)
def test_marks_separators_and_spellings_of_editors_make_no_difference(tmp_path: Path, content: str, name: str) -> None:
    assert labels_of(tmp_path, content, name) == [
        LabelledStretch(Stretch(str(tmp_path / "a.mp4")), frozenset({"café"}), "a.mp4")
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1: the first line must name the columns"),
        ("a.mp4,run\n", "line 1: the first line must name the columns"),
        ("file,label\n", "no line below"),
        ("file,file,label\na,b,c\n", "line 1: two columns"),
        ("file,start\na.mp4,1\n", "line 2: there is no column `label`"),
        ("file,label\na.mp4,run\nb.mp4\n", "line 3: there is no column `label`, or this line ends"),
        ("file,label\na.mp4,run,walk\n", "line 2: 3 columns"),
        ("file,label\n,run\n", "line 2: a name of a file is missing"),
        ("file,label\n../a.mp4,run\n", "line 2: '../a.mp4' is not in the folder"),
        ("file,label\nb/../../a.mp4,run\n", "line 2: 'b/../../a.mp4' is not in"),
        ("file,label\n/etc/passwd,run\n", "line 2: '/etc/passwd' is not in"),
        ("file,label\n.,run\n", "line 2: '.' is not in"),
        ("file,label,start\na.mp4,run,soon\n", "line 2: 'soon' is not a time"),
        ("file,label,start\na.mp4,run,nan\n", "line 2: 'nan' is not a time"),
        ("file,label,start\na.mp4,run,-1\n", "line 2: '-1' is not a time"),
        ("file,label,start,end\na.mp4,run,3,3\n", "line 2: it ends before it begins"),
        ("file,label,end\na.mp4,run,0\n", "line 2: it ends before it begins"),
        ("file,label,split\na.mp4,run,all\n", "line 2: 'all' is no split"),
        ("file,label,split\na.mp4,run,train\na.mp4,walk,test\n", "line 3: another line puts"),
        ('file,label\n"a.mp4,run\nb.mp4,run\n', "line 3: this is no line of a table"),
        (b"file,label\na.mp4,run\nb.mp4,caf\xe9\n", "line 3: this is not UTF-8"),
        ("file,label\na.mp4,run\n".encode("utf-16"), "line 1: this is not UTF-8"),
        ("file,label\na\0.mp4,run\n", "line 2"),
    ],
)
def test_a_wrong_table_is_one_sentence_with_the_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(TextFileError) as error:
        labels_of(tmp_path, content)
    assert str(error.value).startswith("labels.csv")
    assert said in str(error.value)


def test_names_may_hold_any_character_that_a_file_system_allows(tmp_path: Path) -> None:
    name = "new\nline\u2028 \x85'.mp4"
    (only,) = labels_of(tmp_path, f'file,label\n"{name}",run\n')
    assert only.stretch.path == str(tmp_path / name)


def test_an_absolute_name_in_the_folder_is_one_of_its_files(tmp_path: Path) -> None:
    (only,) = labels_of(tmp_path, f"file,label\n{tmp_path}/a.mp4,run\n")
    assert only.stretch.path == os.path.join(str(tmp_path), "a.mp4")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "MOST_BYTES", 20)
    with pytest.raises(TextFileError, match="too large"):
        labels_of(tmp_path, "file,label\na.mp4,running\n")


def test_class_names_come_from_lines_or_from_a_column(tmp_path: Path) -> None:
    lines = written(tmp_path, '# of the field\n run \n\nplay  piano\nrun\n"quoted"\n<b>&amp;{}\n', "names.txt")
    assert read_class_names(lines) == ["run", "play piano", '"quoted"', "<b>&amp;{}"]
    assert read_class_names(written(tmp_path, "id,name\n1,run\n2,walk\n", "names.csv")) == ["run", "walk"]
    assert read_class_names(written(tmp_path, "file,label\na,run|jump\nb,run\n", "l.tsv")) == ["jump", "run"]


@pytest.mark.parametrize(
    ("content", "name"), [("# nothing\n", "a.txt"), ("x" * 1001, "a.txt"), ("id\n1\n", "a.csv"), ("name\n", "a.csv")]
)
def test_a_wrong_list_of_names_is_refused(tmp_path: Path, content: str, name: str) -> None:
    with pytest.raises(TextFileError, match=f"^{name}"):
        read_class_names(written(tmp_path, content, name))


def test_templates_have_one_place_each(tmp_path: Path) -> None:
    good = written(tmp_path, "# ours\na video of {}.\n{} seen from above\n", "p.txt")
    assert read_prompts(good) == ["a video of {}.", "{} seen from above"]
    for bad in ("a video\n", "{} and {}\n", "# none\n"):
        with pytest.raises(TextFileError, match=r"^p\.txt"):
            read_prompts(written(tmp_path, f"{bad}", "p.txt"))
