"""Questions about an index run that would do more than a person has asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from app.commands.index_values import joint_name
from app.encoding_again import Shaping, reasons
from app.jobs.index_journal import last_speed
from app.jobs.jobs import Jobs
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, USAGE
from app.shell.interrupt import signals_raise
from app.shell.live_line import LiveLine
from app.shell.questions import has_terminal
from app.shell.terminal import count_text, display_path, printable
from app.times import format_duration
from indexer.preview import Decision, EncodedAgain, Preview

if TYPE_CHECKING:
    from db.library import Library
    from encoder import ClipSpec

NO_TERMINAL = "no terminal to ask on; use --yes to confirm"


class IndexReview:
    """Decides what of a run is done, by asking. An `indexer.preview.Review`.

    Unchanged videos are encoded again only after a yes. After a no, nothing is done if an option of this run is the
    cause; else they stay as they are, and the rest is done. Without a terminal, only --yes says yes.

    Attributes:
        refusal: Why the run ended before anything was changed; else None.
    """

    def __init__(
        self,
        library: Library,
        shapes: Sequence[tuple[ClipSpec, Shaping]],
        *,
        own: Shaping,
        asked: bool,
        yes: bool,
        line: LiveLine,
        quick: bool = False,
    ) -> None:
        """Make a review.

        Args:
            library: The library.
            shapes: For each encoder of the run, its clip shape and its shaping.
            own: The shaping of the library before the run.
            asked: Unchanged videos were explicitly asked for (--redo).
            yes: Consent was given.
            line: Cleared before anything is printed.
            quick: Whether quick passes are made, which take another time.
        """
        self.refusal: CommandError | None = None
        self._library = library
        self._shapes = shapes
        self._own = own
        self._asked = asked
        self._yes = yes
        self._line = line
        self._quick = quick

    def __call__(self, work: Preview) -> Decision:
        again = self._again(work)
        if self.refusal is not None:
            return Decision(go_on=False)
        return Decision(again=again, forget=frozenset(self._forget(work)))

    def _again(self, work: Preview) -> bool:
        if not work.again or self._asked:
            return True
        plan = self.cost_text(work.again)
        optional = not self._is_asked_for(work.again)
        if self._yes:
            self._line.log(plan)
            return True
        if has_terminal():
            self._line.log(plan)
            if self._confirmed("Re-encode them?"):
                return True
            if not optional:
                self.refusal = CommandError("nothing was changed", FAILED)
        elif optional:
            self._line.log(f"{plan} They stay as they are ({NO_TERMINAL}).")
        else:
            self._line.clear()
            self.refusal = CommandError(f"{plan} Nothing was changed ({NO_TERMINAL})", USAGE)
        return False

    def _is_asked_for(self, again: Sequence[EncodedAgain]) -> bool:
        """Return whether an option of this run is the cause, such as the name of an encoder beside the library's."""
        now = self._shapes[0][1]
        if len(self._shapes) == 1:
            return self._own.changed_by(now)
        return replace(self._own, choice=now.choice).changed_by(now) or any(not each.record.embedded for each in again)

    def _forget(self, work: Preview) -> list[str]:
        """Return the roots whose videos have really been deleted, by asking."""
        if self._yes or not has_terminal():
            return []
        forget = []
        for root, paths in work.gone.doubtful.items():
            self._line.log(
                f"{count_text(len(paths), 'video')} of {display_path(root)} are missing: deleted, or on another card "
                "or drive?"
            )
            if self._confirmed("Were they deleted?"):
                forget.append(root)
        return forget

    def _confirmed(self, question: str) -> bool:
        with signals_raise():
            try:
                return click.confirm(question, err=True)
            except click.Abort:
                raise KeyboardInterrupt from None

    def cost_text(self, again: Sequence[EncodedAgain]) -> str:
        """Return how many videos would be encoded again, why, and for how long if that is known."""
        why = self.reasons(again)
        listed = why[0][0] if len(why) == 1 else "; ".join(f"{count:,} x {reason}" for reason, count in why)
        seconds = self.seconds_of(again)
        videos = count_text(len(again), "video")
        time = f", in {text}" if (text := self.time_text(seconds)) else ""
        return (
            f"{videos} ({format_duration(seconds)}) that did not change would be re-encoded "
            f"({printable(listed)}){time}. Collections and names are kept."
        )

    def seconds_of(self, again: Sequence[EncodedAgain]) -> float:
        """Return the total length of videos."""
        ids = {each.record.video_id for each in again}
        return sum(video.duration_seconds for video in self._library.videos() if video.id in ids) if ids else 0.0

    def reasons(self, again: Sequence[EncodedAgain]) -> list[tuple[str, int]]:
        """Return the reasons, most frequent first, with numbers of videos."""
        counts: Counter[str] = Counter()
        for number, (spec, now) in enumerate(self._shapes):
            records = [each.record for each in again if each.encoder == number]
            if len(self._shapes) > 1 and now.choice is not None:
                counts[f"not yet encoded by {now.choice.name}"] = sum(not record.embedded for record in records)
                records = [record for record in records if record.embedded]
            counts.update(dict(reasons(records, now.cuts.recipe(spec), spec, own=self._own, now=now)))
        return [(reason, count) for reason, count in counts.most_common() if count]

    def time_text(self, seconds: float) -> str:
        """Return how long so many seconds of video take, measured by the library's last run; "" if there was none."""
        speed = self.speed
        return f"about {format_duration(seconds / speed)} at the speed of the last run" if speed else ""

    @property
    def speed(self) -> float | None:
        """Seconds of video per second, of the newest run."""
        name = joint_name(now.choice for _, now in self._shapes if now.choice is not None)
        return last_speed(Jobs(self._library.directory).all(), name, quick=self._quick)
