"""The public sets for retrieval between texts and videos: how each is read, and what was published on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from app.evaluation.datasets.activitynet import activitynet_ids, read_activitynet
from app.evaluation.datasets.captioned import CaptionedVideo, video_ids
from app.evaluation.datasets.didemo import read_didemo
from app.evaluation.datasets.msrvtt import read_msrvtt
from app.evaluation.datasets.msvd import read_msvd
from app.evaluation.datasets.vatex import read_vatex

DEEPMIND = "README of github.com/google-deepmind/videoprism"
VEDJE = "first stage of github.com/GabrieleSerussi/vedje, which ran the public weights"


@dataclass(frozen=True, slots=True)
class Published:
    """Published R@1 of an encoder on a set, in percent.

    Attributes:
        text_to_video, video_to_text: The figures.
        source: Who published them.
    """

    text_to_video: float
    video_to_text: float
    source: str


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """A set, and its protocol.

    Attributes:
        title: Its name, with the part of it that retrieval is published on.
        read: Reads a caption file.
        ids_of: The ids that the name of a file or in a list may stand for.
        videos, questions: How many the usual test of retrieval has, which sources of figures do not always state; None
            where several tests are usual.
        published: By the configuration of the encoder.
    """

    title: str
    read: Callable[[Path], list[CaptionedVideo]]
    videos: int | None
    questions: int | None
    published: Mapping[str, Published]
    ids_of: Callable[[str], tuple[str, ...]] = video_ids


_BASE, _LARGE = "videoprism_lvt_public_v1_base", "videoprism_lvt_public_v1_large"

RETRIEVAL_SETS: Mapping[str, RetrievalSet] = MappingProxyType(
    {
        "msrvtt": RetrievalSet(
            "MSR-VTT 1k-A",
            read_msrvtt,
            videos=1000,
            questions=1000,
            published={_BASE: Published(50.1, 49.8, DEEPMIND), _LARGE: Published(50.1, 50.6, DEEPMIND)},
        ),
        "activitynet": RetrievalSet(
            "ActivityNet Captions val_1, paragraphs",
            read_activitynet,
            videos=4917,
            questions=4917,
            published={_BASE: Published(48.8, 47.9, DEEPMIND), _LARGE: Published(51.3, 49.1, DEEPMIND)},
            ids_of=activitynet_ids,
        ),
        "didemo": RetrievalSet(
            "DiDeMo test, paragraphs",
            read_didemo,
            videos=1004,
            questions=1004,
            published={_BASE: Published(47.1, 47.3, VEDJE)},
        ),
        "msvd": RetrievalSet(
            "MSVD test",
            read_msvd,
            videos=670,
            questions=None,
            published={_BASE: Published(55.6, 83.4, VEDJE)},
        ),
        "vatex": RetrievalSet(
            "VATEX",
            read_vatex,
            videos=None,
            questions=None,
            published={_BASE: Published(56.2, 73.1, DEEPMIND), _LARGE: Published(57.2, 75.0, DEEPMIND)},
        ),
    }
)


def published_of(dataset: RetrievalSet, encoder_id: str) -> Published | None:
    """Return what was published of an encoder; None of one that is another, or that looks at other frames.

    Args:
        dataset: The set.
        encoder_id: `Encoder.id`: `NAME@SPACE:16f:stretch`. How frames become square does not matter, since the protocol
            crops them; fewer frames, or fewer of still clips, make another encoder.
    """
    from encoder.config import CONFIGS

    name, _, rest = encoder_id.partition("@")
    found = dataset.published.get(name)
    if found is None or rest.split(":")[1:2] != [f"{CONFIGS[name].frames}f"] or ":still" in rest:
        return None
    return found
