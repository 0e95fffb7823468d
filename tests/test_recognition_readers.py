"""One suite for every TextReader, and what PP-OCR reads of drawn captions."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from captions import CHINESE_FROM, captions, paint
from numpy.typing import NDArray
from stand_in_recognition import PaintedTextReader, texts, write

from recognition.protocol import TextReader
from recognition.screen.merging import LEAST_CONFIDENCE
from recognition.screen.same_text import is_same

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    reader: TextReader
    write: Callable[[Frame, str, float], None]  # into a picture, at a height as a share of it


def grey(height: int = 360, width: int = 640) -> Frame:
    return np.full((height, width, 3), 90, np.uint8)


def painted() -> Case:
    def put(frame: Frame, text: str, top: float) -> None:
        write(frame, text, row=round(top * frame.shape[0] / 4))

    return Case(PaintedTextReader(), put)


def rapid() -> Case:
    if importlib.util.find_spec("rapidocr") is None or importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("the extra 'ocr' is not installed")
    from recognition.screen.rapid import RapidTextReader

    def put(frame: Frame, text: str, top: float) -> None:
        caption = next(each for each in captions() if each.text == text)
        paint(frame, caption, frame.shape[0] / 12, 20, round(top * frame.shape[0]))

    return Case(RapidTextReader(threads=1), put)


@pytest.fixture(scope="module", params=[painted, rapid])
def case(request: pytest.FixtureRequest) -> Case:
    make: Callable[[], Case] = request.param
    return make()


def test_texts_come_from_top_to_bottom_with_their_boxes(case: Case) -> None:
    frame = grey()
    case.write(frame, "THE END", 0.7)
    case.write(frame, "Quiet please", 0.2)
    found = case.reader.read(frame)
    assert texts(found) == ["Quiet please", "THE END"]
    for each, top in zip(found, (0.2, 0.7), strict=True):
        assert LEAST_CONFIDENCE <= each.confidence <= 1
        left, upper, width, height = each.box
        assert all(0 <= side <= 1 for side in (*each.box, left + width, upper + height))
        assert abs(upper - top) < 0.1
        assert left < 0.1 < width


def test_an_empty_picture_has_no_text(case: Case) -> None:
    assert case.reader.read(grey()) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3), (20, 4000)])
def test_pictures_too_small_for_letters_have_no_text(case: Case, shape: tuple[int, int]) -> None:
    assert case.reader.read(grey(*shape)) == []


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(np.zeros((9, 9), np.uint8), id="grey"),
        pytest.param(np.zeros((9, 9, 4), np.uint8), id="alpha"),
        pytest.param(np.zeros((9, 9, 3), np.float32), id="float"),
        pytest.param(np.zeros((0, 9, 3), np.uint8), id="empty"),
    ],
)
def test_frames_of_another_form_are_refused(case: Case, frame: Frame) -> None:
    with pytest.raises(ValueError, match="uint8"):
        case.reader.read(frame)


def test_a_frame_is_not_changed_and_need_not_be_in_one_piece(case: Case) -> None:
    frame = grey()
    case.write(frame, "Quiet please", 0.4)
    wide = np.zeros((frame.shape[0], 2 * frame.shape[1], 3), np.uint8)
    wide[:, ::2] = frame
    strided, before = wide[:, ::2], wide.copy()
    assert texts(case.reader.read(strided)) == ["Quiet please"]
    assert np.array_equal(wide, before)


def test_its_id_stays(case: Case) -> None:
    assert case.reader.id == case.reader.id != ""


def test_five_sizes_in_two_scripts_are_read() -> None:
    """From a 45th of the picture's height, the smallest size of subtitles, to an eighth."""
    reader = rapid().reader
    rng = np.random.default_rng(5)
    found: list[str] = []
    shown = []
    for first in (0, CHINESE_FROM):
        frame = rng.normal(100, 12, (720, 1280, 3)).clip(0, 255).astype(np.uint8)
        for i, share in enumerate((45, 30, 20, 13, 8)):
            caption = captions()[first + i]
            paint(frame, caption, 720 / share, 60, 30 + 120 * i)
            shown.append(caption.text)
        found += [each.text for each in reader.read(frame) if each.confidence >= LEAST_CONFIDENCE]
    assert len(found) == len(shown)
    assert all(any(is_same(text, other) for other in found) for text in shown)


def test_colours_are_taken_as_rgb() -> None:
    """Red letters on blue, which are as bright as each other in the wrong order of channels only."""
    reader = rapid().reader
    frame = np.empty((360, 640, 3), np.uint8)
    frame[:] = (0, 0, 140)
    paint(frame, captions()[2], 40, 40, 150, (250, 40, 0))
    assert texts(reader.read(frame)) == ["BREAKING NEWS"]
