"""Speech: the sound of a video as a stream from a worker process to a Transcriber in this one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from db.timed_text import TextSource
from indexer.media.errors import Cancelled
from indexer.recognizing.lines import RecognizedText, require_as_indexed, timed_lines

if TYPE_CHECKING:
    from db.records import Video
    from indexer.workers.child import Link
    from indexer.workers.pool import WorkerPool
    from recognition.protocol import RecognizedLine, Transcriber

_BLOCK_SAMPLES = 32_000  # that are sent at once: two seconds


def transcribe_video(
    video: Video,
    transcriber: Transcriber,
    pool: WorkerPool,
    *,
    language: str | None = None,
    cancelled: Callable[[], bool],
    on_progress: Callable[[float], None] = lambda share: None,
) -> RecognizedText:
    """Transcribe the speech of an indexed video. Half a minute of sound is held at most.

    Args:
        video: The video, whose file must be as it was indexed.
        transcriber: The engine, which runs in this process.
        pool: Decodes.
        language: What is spoken; None detects it.
        cancelled: Asked before each passage.
        on_progress: Called with the share of the video that is done, 0 to 1.

    Returns:
        The lines. The language is the one in which most is said.

    Raises:
        UnreadableVideo: The file cannot be read.
        ValueError: The engine does not know the language.
        Cancelled: `cancelled()` returned True.
        RecognitionError: The engine cannot be used.
        WorkersUnavailable: No process for decoding can be started.
    """
    from recognition.errors import Cancelled as StoppedEngine

    require_as_indexed(video)
    seconds = (video.end_pts - video.start_pts) * video.time_base
    before = time.process_time()
    lines: list[RecognizedLine] = []
    spoken: Counter[str] = Counter()
    start = video.start_pts * video.time_base
    with pool.task(_send_sound, video.path, start, seconds, path=video.path, cancelled=cancelled) as task:
        try:
            for passage in transcriber.transcribe(iter(task), language=language, cancelled=cancelled):
                lines += passage.lines
                if passage.language is not None:
                    spoken[passage.language] += sum(line.end_ms - line.start_ms for line in passage.lines)
                on_progress(min(1.0, passage.end_ms / float(1000 * seconds)))
        except StoppedEngine:
            raise Cancelled from None
    heard = [name for name, length in spoken.most_common(1) if length]
    return RecognizedText(
        source=TextSource(kind="speech", engine=transcriber.id, language=heard[0] if heard else ""),
        lines=timed_lines(lines),
        cpu_seconds=time.process_time() - before + (task.result or 0.0),
    )


# In the worker


def _send_sound(link: Link, path: str, start: Fraction, seconds: Fraction) -> float:
    """Send the sound of a video, float32 (n,) at 16 kHz; a task. Returns the CPU seconds that it took."""
    import numpy as np

    from indexer.media.sound import read_sound

    before = time.process_time()
    held, count = [], 0
    for samples in read_sound(path, start=start, seconds=seconds, on_packet=link.progress):
        held.append(samples)
        count += len(samples)
        if count >= _BLOCK_SAMPLES:
            link.send(np.concatenate(held))
            held, count = [], 0
    if held:
        link.send(np.concatenate(held))
    return time.process_time() - before
