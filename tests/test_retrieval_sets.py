"""Readers of the public retrieval sets, on files of the layouts in which these are distributed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.evaluation.datasets.activitynet import activitynet_ids, read_activitynet
from app.evaluation.datasets.captioned import CaptionedVideo, video_ids
from app.evaluation.datasets.didemo import read_didemo
from app.evaluation.datasets.msrvtt import read_msrvtt
from app.evaluation.datasets.msvd import read_msvd
from app.evaluation.datasets.retrieval_sets import RETRIEVAL_SETS, published_of
from app.evaluation.datasets.splits import of_split, read_split
from app.evaluation.datasets.vatex import read_vatex
from app.evaluation.datasets.video_files import find_by_ids
from app.text_files import TextFileError


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_msrvtt_1ka_has_a_sentence_a_video(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "MSRVTT_JSFUSION_test.csv",
        "key,vid_key,video_id,sentence\nret0,msr9770,video9770,a person is connecting something\n"
        'ret1,msr9771,video9771,"a ""man"", running"\n',
    )
    assert read_msrvtt(path) == [
        CaptionedVideo("video9770", ("a person is connecting something",)),
        CaptionedVideo("video9771", ('a "man", running',)),
    ]


def test_msrvtt_data_has_twenty_sentences_a_video_and_a_split_chooses(tmp_path: Path) -> None:
    content = {
        "info": {"year": "2016"},
        "videos": [{"video_id": "video0", "id": 0, "split": "train", "start time": 137.72}],
        "sentences": [
            {"caption": "a car", "video_id": "video0", "sen_id": 0},
            {"caption": "a dog", "video_id": "video1", "sen_id": 1},
            {"caption": "a red car", "video_id": "video0", "sen_id": 2},
        ],
    }
    path = written(tmp_path, "MSRVTT_data.json", content)
    videos = read_msrvtt(path)
    assert videos == [CaptionedVideo("video0", ("a car", "a red car")), CaptionedVideo("video1", ("a dog",))]
    split = written(tmp_path, "val_list_jsfusion.txt", "video1\nvideo7\n\n")
    assert of_split(videos, split, video_ids) == ([videos[1]], ["video7"])


def test_activitynet_paragraphs_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    content = {
        "v_uqiMw7tQ1Cc": {
            "duration": 55.15,
            "timestamps": [[0.28, 55.15], [13.79, 54.32]],
            "sentences": [" A weight lifting tutorial is given.", "  The coach helps. "],
        },
        "v_empty": {"duration": 1.0, "timestamps": [], "sentences": []},
    }
    path = written(tmp_path, "val_1.json", content)
    assert read_activitynet(path) == [
        CaptionedVideo("v_uqiMw7tQ1Cc", ("A weight lifting tutorial is given. The coach helps.",))
    ]
    assert read_split(path) == ["v_uqiMw7tQ1Cc", "v_empty"]
    for name in ("uqiMw7tQ1Cc.mp4", "v_uqiMw7tQ1Cc.mkv", "train_val/v_uqiMw7tQ1Cc", "v_uqiMw7tQ1Cc"):
        assert "v_uqiMw7tQ1Cc" in activitynet_ids(name)
    assert "v_v_abcdefghi" in activitynet_ids("v_abcdefghi.mp4"), "a bare id of YouTube that begins with v_"


def test_didemo_descriptions_of_a_video_are_joined(tmp_path: Path) -> None:
    content = [
        {"video": "12@N00_1_ab.mov", "description": "a dog runs", "times": [[0, 0]], "annotation_id": 7},
        {"video": "13@N01_2_cd.avi", "description": "people dance.", "times": [[1, 1]], "annotation_id": 8},
        {"video": "12@N00_1_ab.mov", "description": "the dog is gone", "times": [[2, 3]], "annotation_id": 9},
    ]
    path = written(tmp_path, "test_data.json", content)
    assert read_didemo(path) == [
        CaptionedVideo("12@N00_1_ab", ("a dog runs the dog is gone",)),
        CaptionedVideo("13@N01_2_cd", ("people dance.",)),
    ]
    split = written(tmp_path, "test_list.txt", "13@N01_2_cd.avi\n")
    assert of_split(read_didemo(path), split, video_ids)[0] == read_didemo(path)[1:]


def test_msvd_is_read_from_the_authors_text_and_from_microsofts_table(tmp_path: Path) -> None:
    heading = "# These are the descriptions\n#\n\n"
    lines = b"-4wsuPCjDBc_5_15 a squirrel is eating\n-4wsuPCjDBc_5_15 a chipmunk\nabc_0_4 caf\xe9\n"
    expected = [CaptionedVideo("-4wsuPCjDBc_5_15", ("a squirrel is eating", "a chipmunk"))]
    text = written(tmp_path, "AllVideoDescriptions.txt", heading.encode() + lines)
    assert read_msvd(text) == [*expected, CaptionedVideo("abc_0_4", ("café",))]
    table = written(
        tmp_path,
        "MSR Video Description Corpus.csv",
        "\ufeffVideoID,Start,End,WorkerID,Source,AnnotationTime,Language,Description\n"
        "-4wsuPCjDBc,5,15,1,clean,10,English,a squirrel is eating\n"
        "-4wsuPCjDBc,5,15,2,clean,11,German,ein Tier\n"
        '-4wsuPCjDBc,5,15,3,unverified,12,English,"a\nchipmunk"\n'
        "-4wsuPCjDBc,5,15,3,unverified,12,English,\n",
    )
    assert read_msvd(table) == expected


def test_vatex_has_ten_english_sentences_a_video(tmp_path: Path) -> None:
    content = [{"videoID": "Ptf_2VRj-V0_000122_000132", "enCap": ["one", "two"], "chCap": ["一", "二"]}]
    path = written(tmp_path, "vatex_validation_v1.0.json", content)
    assert read_vatex(path) == [CaptionedVideo("Ptf_2VRj-V0_000122_000132", ("one", "two"))]


@pytest.mark.parametrize("name", list(RETRIEVAL_SETS))
def test_lists_of_records_are_read_of_every_set(tmp_path: Path, name: str) -> None:
    chosen = RETRIEVAL_SETS[name]
    content = [{"video": "v1-3/v_one.mp4", "caption": ["a b", "c"]}, {"video_id": "v_two", "caption": "d"}]
    videos = chosen.read(written(tmp_path, "ret_test.json", content))
    paragraph = name in ("activitynet", "didemo")
    assert [(each.id, each.captions) for each in videos] == [
        ("v_one", ("a b c",) if paragraph else ("a b", "c")),
        ("v_two", ("d",)),
    ]


HOSTILE: list[tuple[object, str]] = [
    ("", "caption|columns"),
    ("[]", "no caption"),
    ("{", "not JSON"),
    ("[" * 5000, "nested too deeply"),
    (b"\xff\xfe\x00video", "not a text file"),
    (b"\0\0\0\x18ftypmp42", "not a text file"),
    ([{"video": 3, "caption": "x"}], "entry 1 has no name"),
    ([{"video": "a", "caption": [["x"]]}], "entry 1 has a caption that is not text"),
    ([None], "entry 1 has no name"),
    ([{"video": "a", "caption": " \n "}], "no caption"),
    ('[{"video": "a", "caption": NaN}]', "entry 1 has no name|no caption"),
    ({"sentences": 3}, "."),
]


@pytest.mark.parametrize("name", list(RETRIEVAL_SETS))
@pytest.mark.parametrize(("content", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_file_that_is_something_else_is_one_sentence_with_its_name(
    tmp_path: Path, name: str, content: object, message: str
) -> None:
    with pytest.raises(TextFileError, match=message) as error:
        RETRIEVAL_SETS[name].read(written(tmp_path, "captions.json", content))
    assert "captions.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_names_that_lead_elsewhere_and_lines_in_captions_do_no_harm(tmp_path: Path) -> None:
    content = [{"video": "../../etc/passwd", "caption": "one\n\ttwo"}, {"video": "C:\\films\\x.MP4", "caption": "y"}]
    assert read_vatex(written(tmp_path, "v.json", content)) == [
        CaptionedVideo("passwd", ("one two",)),
        CaptionedVideo("x", ("y",)),
    ]


def test_a_split_of_another_set_is_refused(tmp_path: Path) -> None:
    videos = [CaptionedVideo("video0", ("a",))]
    for content, message in (("v_other\n", "list of this data set"), ("\n\n", "no name"), ("[1]", "list of names")):
        path = written(tmp_path, "split.txt", content)
        with pytest.raises(TextFileError, match=message):
            of_split(videos, path, video_ids)


def test_videos_are_found_by_id_in_any_format_and_folder(tmp_path: Path) -> None:
    for name in (
        "b/c/one.mp4",
        "b/one.avi",
        "b/one.mkv",
        "two.mov.mp4",
        "three.txt",
        "x/four.webm",
        "FIVE.MP4",
        "sub.srt",
    ):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "six.mp4").touch()
    (tmp_path / "set" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "x" / "round").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "seven.mp4").symlink_to(tmp_path / "set" / "x" / "four.webm")
    keys = ["one", "two", "three", "four", "FIVE", "five", "six", "seven", "eight"]
    found = find_by_ids(tmp_path / "set", keys, video_ids)
    assert {key: str(Path(path).relative_to(tmp_path / "set")) for key, path in found.paths.items()} == {
        "one": "b/one.avi",
        "two": "two.mov.mp4",
        "four": "x/four.webm",
        "FIVE": "FIVE.MP4",
        "six": "link/six.mp4",
        "seven": "seven.mp4",
    }
    assert found.missing == ["three", "five", "eight"]
    assert found.several == 1


def test_published_figures_belong_to_one_encoder_with_its_own_frames() -> None:
    base = "videoprism_lvt_public_v1_base@0123456789abcdef"
    msrvtt = RETRIEVAL_SETS["msrvtt"]
    found = published_of(msrvtt, f"{base}:16f:stretch")
    assert found is not None
    assert (found.text_to_video, found.video_to_text) == (50.1, 49.8)
    assert published_of(msrvtt, f"{base}:16f:crop") == found
    large: Any = published_of(msrvtt, "videoprism_lvt_public_v1_large@0123456789abcdef:8f:stretch")
    assert (large.text_to_video, large.video_to_text) == (50.1, 50.6)
    for other in (
        f"{base}:8f:stretch",
        f"{base}:16f:stretch:still4",
        "videoprism_lvt_demo@1:8f:stretch",
        "videoprism_lvt@0123:16f:stretch",
        "",
    ):
        assert published_of(msrvtt, other) is None
    published = {name: each.published["videoprism_lvt_public_v1_base"] for name, each in RETRIEVAL_SETS.items()}
    assert [each.text_to_video for each in published.values()] == [50.1, 48.8, 47.1, 55.6, 56.2]
