"""Surveys: the frames of a file in a range of seconds, found with the decoder used in indexing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from app.exporting.clip_words import ClipWords
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.range_frames import times_by_packets, times_by_seeking, times_until
from app.exporting.tracks import NO_EXTRAS, Extras, SoundTrack, extras, sound_tracks
from app.times import format_timestamp

if TYPE_CHECKING:
    from indexer.media.colour_tags import ColourTags
    from indexer.media.interlacing import InterlacedOrder
    from indexer.media.orientation import Orientation
    from indexer.media.probe import Source

SAME_SECONDS = Fraction(1, 2000)
"""Times this close count as equal, because times copied from our output are rounded to milliseconds, and one frame too
many at the end of a clip would be a flash of the next shot."""
_JITTER_SECONDS = Fraction(3, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A range of a file and its frames. Times are pts of the video stream, in units of `time_base` seconds."""

    path: str
    format_name: str  # FFmpeg's name of the container
    codec: str
    video_index: int  # among all streams of the file
    audio_index: int | None  # the track that players choose
    time_base: Fraction
    frame_rate: Fraction  # nominal
    first_pts: int  # pts of the first frame shown, from which seconds count
    pts: tuple[int, ...]  # pts of the frames in the range, at least one
    end_pts: int  # end of the range (exclusive): the next frame's pts at the latest
    first_frame_number: int | None
    """Number of the range's first frame in the file, if the file cannot be sought by time; otherwise None."""
    container_start_seconds: Fraction  # the container's own time of the first frame shown
    high_bit_depth: bool  # more than 8 bits per channel
    is_rgb: bool
    sample_aspect: Fraction = Fraction(1)  # width of a pixel over its height
    intra_only: bool = False  # every frame of the codec is a key frame
    seeks_exactly: bool = True  # frames have the same times after a seek; otherwise reading starts at the beginning
    sound: tuple[SoundTrack, ...] = ()  # those to export
    extras: Extras = NO_EXTRAS  # what else the file holds
    display_matrix: tuple[int, ...] | None = None  # the 9 numbers of MP4
    is_spherical: bool = False  # a projection of a sphere
    field_order: InterlacedOrder | None = None  # of the interlaced frames in the range; None if there are none
    colours: ColourTags | None = None  # as stated, or as assumed
    is_hdr: bool = False  # PQ or HLG
    has_alpha: bool = False
    size: tuple[int, int] = (0, 0)  # of decoded pictures
    words: ClipWords | None = None  # to go into the clip
    fields_flagged: bool = True  # the frames themselves say that they are interlaced, not only the container

    @property
    def orientation(self) -> Orientation:
        """How the decoded frames must be turned to be shown."""
        from indexer.media.orientation import Orientation

        return Orientation() if self.display_matrix is None else Orientation.of_matrix(self.display_matrix)

    @property
    def is_upright(self) -> bool:
        """Whether the decoded frames are shown as they are, neither rotated nor mirrored."""
        return self.display_matrix is None or self.orientation.is_upright

    def seconds(self, pts: int) -> Fraction:
        """Return a time in seconds from the first frame shown."""
        return (pts - self.first_pts) * self.time_base

    @property
    def start_seconds(self) -> Fraction:
        """Start of the range's first frame, from the first frame shown."""
        return self.seconds(self.pts[0])

    @property
    def end_seconds(self) -> Fraction:
        """End of the range, from the first frame shown."""
        return self.seconds(self.end_pts)

    @property
    def seekable(self) -> bool:
        """Whether frames are found by their times, which is fast; otherwise they are counted from the beginning."""
        return self.first_frame_number is None

    @property
    def is_variable(self) -> bool:
        """Whether frames of the range last differently long, by more than rounding to milliseconds explains."""
        steps = [after - before for before, after in pairwise(self.pts)]
        return self.seekable and bool(steps) and (max(steps) - min(steps)) * self.time_base > _JITTER_SECONDS

    def container_seconds(self, pts: int) -> Fraction:
        """Return the container's own time of a frame, which the audio shares."""
        return self.container_start_seconds + self.seconds(pts)


def survey_range(
    path: str,
    start_seconds: Fraction,
    end_seconds: Fraction,
    *,
    decoding: bool = True,
    clock_jumps: bool | None = False,
) -> Survey:
    """Find the frames with start <= time < end.

    Args:
        path: The file.
        start_seconds: Start of the range from the first frame shown, inclusive.
        end_seconds: End of the range from the first frame shown, exclusive.
        decoding: Decode the range and the frames that lead up to it. If False, the times of the packets are used
            where they are reliable, which is far faster; frames that turn out to be damaged then count as well, and
            `field_order` is that of the first frame of the file.
        clock_jumps: As in continuous_source. ffmpeg finds the frames of such a file only in the copy made there.

    Returns:
        The range, with at least one frame.

    Raises:
        UnreadableVideo: The file is missing or broken.
        ExportError: No frame lies in the range.
    """
    from indexer.media.alpha import has_alpha
    from indexer.media.clock_map import clock_map
    from indexer.media.colour_tags import source_tags
    from indexer.media.decode import Decoding
    from indexer.media.interlacing import FieldsSeen
    from indexer.media.orientation import display_matrix, is_spherical
    from indexer.media.probe import open_source
    from indexer.media.tone_map import tone_map_for

    with open_source(path) as source:
        opening = Decoding(source)
        first = opening.first()
        base, first_pts, step = source.time_base, first.pts, source.step
        # AVI has no presentation times. Its decoding times are as good only where frames are not reordered.
        reliable = first.picture.pts == first.picture.dts and not source.stream.codec_context.has_b_frames
        counted = opening.clock.synthesized or (source.decoding_times_only and not reliable)
        facts = _stream_facts(source, first_pts, counted)
        facts |= {"display_matrix": display_matrix(first.picture), "is_spherical": is_spherical(first.picture)}
        facts["colours"] = source_tags(first.picture, (first.picture.width, first.picture.height))
        facts["size"] = (first.picture.width, first.picture.height)
        facts["is_hdr"] = tone_map_for(first.picture) is not None
        facts["has_alpha"] = has_alpha(first.picture.format.name)
        fields = FieldsSeen(source)
        if not decoding:
            fields.look(first.picture)
    low = first_pts + math.ceil((start_seconds - SAME_SECONDS) / base)
    high = first_pts + math.ceil((end_seconds - SAME_SECONDS) / base)
    first_frame_number = None
    found = None
    clock = None if clock_jumps is False else clock_map(path)
    if clock is not None:
        with open_source(path) as source:
            number, _ = clock.key_before(low) or (0, 0)
            found = list(times_until(Decoding(source, skip_packets=number), fields, low, high))
    elif not counted and not source.seeks_exactly:
        with open_source(path) as source:
            found = list(times_until(Decoding(source), fields, low, high))
    elif not counted and not decoding and not source.decoding_times_only and not fields.may_have_packets:
        found = times_by_packets(path, low, high, first_pts, base)
    if found is None and not counted:
        found = times_by_seeking(path, low, high, first_pts, base, fields)
    if found is None:
        with open_source(path) as source:
            found = list(times_until(Decoding(source), fields, low, high))
        first_frame_number = sum(pts < low for pts, _ in found)
    inside = [(pts, duration) for pts, duration in found if low <= pts < high]
    if not inside:
        raise ExportError(_no_frame_message(start_seconds, end_seconds, found, low, first_pts, base))
    last_pts, last_duration = next((each for each in found if each[0] >= high), found[-1])
    # The next frame may be within SAME_SECONDS before the end; without one, the video may end before it.
    follows = last_pts if last_pts >= high else last_pts + (last_duration or step)
    ends = min(first_pts + math.ceil(end_seconds / base), follows)
    return Survey(
        **facts,
        pts=tuple(pts for pts, _ in inside),
        end_pts=ends,
        first_frame_number=first_frame_number,
        field_order=fields.order,
        fields_flagged=fields.flagged,
    )


def _no_frame_message(
    start: Fraction, end: Fraction, found: list[tuple[int, int]], low: int, first_pts: int, base: Fraction
) -> str:
    span = f"{format_timestamp(start)}-{format_timestamp(end)}"
    if found and found[-1][0] < low:
        last = format_timestamp((found[-1][0] - first_pts) * base)
        return f"the range {span} is past the end of the video, whose last frame is shown at {last}"
    return f"no frame begins in {span}, because frames are further apart there; take a longer range"


def _stream_facts(source: Source, first_pts: int, counted: bool) -> dict[str, Any]:
    stream, audio = source.stream, source.container.streams.best("audio")
    pixels = stream.codec_context.format
    zero = first_pts * source.time_base
    if counted:
        zero = Fraction(0) if stream.start_time is None else stream.start_time * source.time_base
    return {
        "path": source.path,
        "format_name": source.container.format.name,
        "codec": source.codec,
        "video_index": stream.index,
        "audio_index": None if audio is None else audio.index,
        "time_base": source.time_base,
        "frame_rate": source.nominal_rate,
        "first_pts": first_pts,
        "container_start_seconds": zero,
        "high_bit_depth": source.high_bit_depth,
        "is_rgb": pixels is not None and pixels.is_rgb,
        "sample_aspect": source.sample_aspect,
        "seeks_exactly": source.seeks_exactly,
        "intra_only": stream.codec_context.codec.intra_only,
        "sound": sound_tracks(source),
        "extras": extras(source),
    }
