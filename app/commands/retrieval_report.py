"""Results of `bench retrieval` on a set, and their table for people; `retrieval_files` has JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.evaluation.datasets.retrieval_sets import Published, RetrievalSet, published_of
from app.shell.terminal import count_text, print_note, printable, table
from app.times import format_duration

if TYPE_CHECKING:
    from app.evaluation.machine import Machine
    from app.evaluation.retrieval import Direction
    from app.evaluation.retrieval_run import RetrievalResult

_HEADER = ("", "R@1", "95 %", "R@5", "R@10", "MedR", "MeanR", "tied")


@dataclass(frozen=True, slots=True)
class OwnWay:
    """The product's own way: text to video.

    Attributes:
        direction: The figures.
        asked: The positions of its questions among those of the protocol.
        videos, segments: How many were ranked.
        library: Where they are indexed.
    """

    direction: Direction
    asked: tuple[int, ...]
    videos: int
    segments: int
    library: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """A set, what was evaluated of it, and how.

    Attributes:
        name, dataset: The set.
        wanted: Number of videos of the captions, or of the split.
        uncaptioned: Number of videos of the split without a caption.
        several: Number of videos with more than one file.
        missing: Id and reason of those without a file, and of those that could not be read.
        missing_file: The same in a file; None if there are none.
        result, own_way: The figures.
        encoder_id, frames, size, notice: The encoder, T and S.
        machine, seconds, seed: Where, how long, and the seed of the intervals.
    """

    name: str
    dataset: RetrievalSet
    wanted: int
    uncaptioned: int
    several: int
    missing: tuple[tuple[str, str], ...]
    missing_file: Path | None
    result: RetrievalResult
    own_way: OwnWay | None
    encoder_id: str
    frames: int
    size: int
    notice: str | None
    machine: Machine
    seconds: dict[str, float]
    seed: int

    @property
    def published(self) -> Published | None:
        """The published figures of this encoder."""
        return published_of(self.dataset, self.encoder_id)

    @property
    def not_comparable(self) -> str | None:
        """Why the published figures do not compare with these, as a sentence; None if they do."""
        videos, questions = len(self.result.videos), len(self.result.questions.texts)
        if self.missing or self.uncaptioned:
            return f"only {videos:,} of {self.wanted + self.uncaptioned:,} videos were evaluated"
        if self.dataset.videos not in (None, videos):
            return f"the usual test has {count_text(self.dataset.videos or 0, 'video')}, and these are {videos:,}"
        if self.dataset.questions not in (None, questions):
            return (
                f"the usual test has {count_text(self.dataset.questions or 0, 'question')}, and these are {questions:,}"
            )
        return None


def print_result(evaluated: Evaluated) -> None:
    """Print the table and what it rests on to standard output, and notices to standard error."""
    result, published = evaluated.result, evaluated.published
    shown = None if evaluated.not_comparable else published
    rows: list[tuple[str, Direction, float | None]] = [
        ("text to video", result.text_to_video, shown.text_to_video if shown else None),
        ("video to text", result.video_to_text, shown.video_to_text if shown else None),
    ]
    if evaluated.own_way is not None:
        rows.append(("text to video, own way", evaluated.own_way.direction, None))
    header = (*_HEADER, "published", "difference") if shown else _HEADER
    click.echo(f"{evaluated.dataset.title}: {_counts(evaluated)}")
    for line in table([_cells(*row)[: len(header)] for row in rows], "<" + ">" * (len(header) - 1), header=header):
        click.echo(line)
    for line in _notes(evaluated):
        click.echo(line)
    if evaluated.missing:
        examples = ", ".join(printable(key) for key, _ in evaluated.missing[:3])
        more = ", ..." if len(evaluated.missing) > 3 else ""
        print_note(
            f"missing: {count_text(len(evaluated.missing), 'video')} ({examples}{more}), with reasons in "
            f"{printable(str(evaluated.missing_file))}"
        )
    if evaluated.several:
        print_note(f"{count_text(evaluated.several, 'video')} in several files: that in the fewest folders was taken")
    if evaluated.notice:
        print_note(f"note: {evaluated.notice}")


def _counts(evaluated: Evaluated) -> str:
    videos, questions = evaluated.result.videos, evaluated.result.questions
    wanted = evaluated.wanted + evaluated.uncaptioned
    return f"{len(videos):,} of {count_text(wanted, 'video')}, {count_text(len(questions.texts), 'question')}"


def _cells(name: str, direction: Direction, published: float | None) -> tuple[str, ...]:
    summary, interval = direction.summary, direction.intervals[1]
    recall = [100 * (value or 0) for value in summary.recall.values()]
    return (
        name,
        f"{recall[0]:.1f}",
        "" if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}",
        *(f"{value:.1f}" for value in recall[1:]),
        f"{summary.median_rank:g}",
        f"{summary.mean_rank:.1f}",
        f"{100 * (summary.tied or 0):.1f} %",
        "" if published is None else f"{published:.1f}",
        "" if published is None else f"{recall[0] - published:+.1f}",
    )


def _notes(evaluated: Evaluated) -> Iterator[str]:
    result, published = evaluated.result, evaluated.published
    yield (
        f"R@k in percent, with its 95 % interval over videos; equal scores in random order. Each video as "
        f"{evaluated.frames} frames of {evaluated.size} x {evaluated.size}."
    )
    if published is not None and (why_not := evaluated.not_comparable):
        yield (
            f"Published R@1: {published.text_to_video} and {published.video_to_text} ({published.source}); it does not "
            f"compare with these: {why_not}."
        )
    elif published is not None:
        unstated = "" if evaluated.dataset.videos else "; it does not say which videos"
        yield f"Published: {published.source}{unstated}."
    else:
        yield "Nothing was published of this encoder on this set."
    if result.questions.truncated:
        yield f"{count_text(result.questions.truncated, 'question')} longer than the text tower takes, and cut."
    if evaluated.own_way is not None:
        own = evaluated.own_way
        yield (
            f"Own way: {count_text(own.segments, 'segment')} of {count_text(own.videos, 'video')}, in "
            f"{printable(own.library)}."
        )
    yield f"Time: {_seconds_text(evaluated)}"
    yield f"Machine: {evaluated.machine.text()}"
    yield f"Encoder: {evaluated.encoder_id}"


def _seconds_text(evaluated: Evaluated) -> str:
    seconds, kept = evaluated.seconds, evaluated.result.kept
    names = {"read": "reading videos", "encode": "encoding videos", "texts": "texts", "own_way": "own way"}
    parts = [f"{format_duration(seconds[key])} {name}" for key, name in names.items() if key in seconds]
    text = f"{format_duration(seconds['wall'])} ({', '.join(parts)})"
    return f"{text}; {count_text(kept, 'video')} encoded by an earlier run" if kept else text
