"""One timeline for the packets of a file, across jumps of the container's clock.

Transport and program streams have free-running clocks: a restarted encoder, a full counter (33 bits: 26.5 hours) or two
recordings joined byte by byte make the times jump either way. Players and ffmpeg go on at the next expected time; so
does this, before decoding, so that pictures and sound move together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet

    from indexer.media.probe import Source

JUMP_SECONDS = 10
"""A step forward longer than this is a jump, if the container's clock runs free (ffmpeg's dts_delta_threshold). In MP4
or Matroska each frame is there because somebody wrote that time down, so a long step is a picture that stays."""
BACK_SECONDS = Fraction(1, 10)
"""Decoding times never go back: a step back longer than this is a jump where the clock runs free (as in ffmpeg)."""
_BACK_ELSEWHERE_SECONDS = Fraction(1)  # in containers with an index, where small steps back are faults of the writer
_LARGEST_OVERLAP_SECONDS = Fraction(1)  # of the sound of one piece with the pictures of the next


@dataclass(frozen=True, slots=True)
class Stamp:
    """The times of one packet, in pts units of the video stream; None if the file does not state them."""

    pts: int | None
    dts: int | None
    duration: int  # 0 if unknown
    key: bool = False


@dataclass(slots=True)
class _Run:
    """A stretch of one sound track without a jump, in the file's own times."""

    start: int
    end: int


class Timeline:
    """Finds the jumps of a file's clock, packet by packet in file order, and the shift of each piece between them.

    Attributes:
        shift: What to add to the times of the current piece.
        jumps: Number of jumps so far.
    """

    def __init__(self, *, step: int, second: int, free_running: bool) -> None:
        """Start a timeline.

        Args:
            step: pts units from one frame to the next at the nominal rate.
            second: pts units per second.
            free_running: Whether the container's clock may jump forward; see Source.free_running_clock.
        """
        self.shift = 0
        self.jumps = 0
        self._step = max(1, step)
        self._forward = max(JUMP_SECONDS * second, 10 * self._step) if free_running else None
        self._back = round((BACK_SECONDS if free_running else _BACK_ELSEWHERE_SECONDS) * second)
        self._second = second
        self._overlap = round(_LARGEST_OVERLAP_SECONDS * second)
        self._expected: int | None = None  # decoding time of the next packet, in the file's own times
        self._shown_to: int | None = None  # end of the last picture, in the file's own times
        self._unplaced = 0  # duration of the pictures of this piece that are shown after `_shown_to`
        self._sound: dict[int, _Run] = {}

    @classmethod
    def of(cls, source: Source) -> Timeline:
        """Return a timeline for an open source."""
        return cls(step=source.step, second=round(1 / source.time_base), free_running=source.free_running_clock)

    def sound(self, track: int, stamp: Stamp) -> None:
        """Note a packet of a sound track: sound that goes on shows that a long step of the pictures is a real one."""
        at = stamp.dts if stamp.dts is not None else stamp.pts
        if at is None:
            return
        run, end = self._sound.get(track), at + stamp.duration
        if run is None or not -self._back <= at - run.end <= JUMP_SECONDS * self._second:
            self._sound[track] = _Run(at, end)
        else:
            run.end = max(run.end, end)

    def picture(self, stamp: Stamp) -> Stamp:
        """Return the continued times of a packet of the video; `jumps` and `shift` change where a piece begins.

        A packet without times has none in the result either, and nor has one with a pts that FFmpeg derived from the
        other side of a jump: it is shown after the last picture of its piece.
        """
        at = stamp.dts if stamp.dts is not None else stamp.pts
        duration = stamp.duration or self._step
        if at is None:
            if self._expected is not None:
                self._expected += duration
            return stamp
        pts, expected = stamp.pts, self._expected
        wrong = self._forward is not None and pts is not None and abs(pts - at) > self._forward
        jumped = expected is not None and self._is_jump(at, expected)
        if jumped and expected is not None:
            self._begin_piece(at, None if wrong else pts, expected, key=stamp.key)
        self._expected = at + duration
        if wrong:
            self._unplaced += duration
            return replace(stamp, pts=None, dts=None)
        end = (at if pts is None else pts) + duration
        self._shown_to = end if jumped or self._shown_to is None else max(self._shown_to, end)
        return replace(
            stamp,
            pts=None if pts is None else pts + self.shift,
            dts=None if stamp.dts is None else stamp.dts + self.shift,
        )

    def _is_jump(self, at: int, expected: int) -> bool:
        if at - expected < -self._back - self._step:
            return True
        if self._forward is None or at - expected <= self._forward:
            return False
        # The pictures stand still, and the sound goes on.
        return not any(
            run.start <= expected and run.end > expected + self._forward // 2 for run in self._sound.values()
        )

    def _begin_piece(self, at: int, pts: int | None, expected: int, *, key: bool) -> None:
        """Let the new piece begin where the old one ends: its next decoding time, or later if the two would overlap."""
        self.jumps += 1
        shift = self.shift
        self.shift += expected - at
        ends = [self._shown_to + self._unplaced] if key and pts is not None and self._shown_to is not None else []
        self._unplaced = 0
        # Sound that ends with the old piece; a track that has jumped already has other times.
        ends += [run.end for run in self._sound.values() if abs(run.end - expected) <= self._overlap]
        shown = (at if pts is None else pts) + self.shift
        late = max(ends, default=shown - shift) + shift - shown
        if 0 < late <= self._overlap:
            self.shift += late


def stamp_of(packet: Packet[Any], base: Fraction) -> Stamp:
    """Return the times of a packet of any stream in units of `base`, the time base of the video stream."""
    ratio = (packet.time_base or base) / base
    if ratio == 1:
        return Stamp(packet.pts, packet.dts, packet.duration or 0, bool(packet.is_keyframe))
    return Stamp(
        None if packet.pts is None else round(packet.pts * ratio),
        None if packet.dts is None else round(packet.dts * ratio),
        round((packet.duration or 0) * ratio),
        bool(packet.is_keyframe),
    )


def watched_streams(source: Source) -> Sequence[int]:
    """Return the indices of the streams to demux: the video, and the sound where it says whether the clock jumped."""
    sound = [stream.index for stream in source.container.streams.audio] if source.free_running_clock else []
    return [source.stream.index, *sound]
