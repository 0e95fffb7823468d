"""Questions about an index run that would do more than a person has asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

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
        spec: ClipSpec,
        *,
        own: Shaping,
        now: Shaping,
        asked: bool,
        yes: bool,
        line: LiveLine,
        quick: bool = False,
    ) -> None:
        """Make a review.

        Args:
            library: The library.
            spec: The clip shape of the run's encoder.
            own: The shaping of the library before the run.
            now: That of the run.
            asked: Unchanged videos were explicitly asked for (--redo).
            yes: Consent was given.
            line: Cleared before anything is printed.
            quick: Whether quick passes are made, which take another time.
        """
        self.refusal: CommandError | None = None
        self._library = library
        self._spec = spec
        self._own = own
        self._now = now
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
        optional = not self._own.changed_by(self._now)  # nobody has asked for it
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
        recipe = self._now.cuts.recipe(self._spec)
        return reasons((each.record for each in again), recipe, self._spec, own=self._own, now=self._now)

    def time_text(self, seconds: float) -> str:
        """Return how long so many seconds of video take, measured by the library's last run; "" if there was none."""
        speed = self.speed
        return f"about {format_duration(seconds / speed)} at the speed of the last run" if speed else ""

    @property
    def speed(self) -> float | None:
        """Seconds of video per second, of the newest run."""
        name = "" if self._now.choice is None else self._now.choice.name
        return last_speed(Jobs(self._library.directory).all(), name, quick=self._quick)
