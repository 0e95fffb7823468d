"""Features of stretches for heads on a frozen encoder, each kind made once and kept: rows, tokens, scores of heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.evaluation.encoded import EncodesClips, ReadStretch, Store, T, Unread, encode_stretches, key_of
from app.evaluation.features import HeadsOnTokens, TokensOf
from app.evaluation.labelled import LabelledStretch, Stretch
from app.evaluation.row_store import RowStore, rows_file
from app.evaluation.token_store import Need, TokenFiles, TokenStore, token_shape
from encoder.protocol import former_id, with_tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import Encoder
    from encoder.heads import MapHead

    Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who follows an evaluation.

    Attributes:
        on_progress: Called with what is being done (`rows`, `tokens`, `training`, `test`), how much of it, of how much.
        on_need: Called with the room that tokens take, before they are made.
        cancelled: Polled; True ends the run with Cancelled.
    """

    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None
    on_need: Callable[[Need], None] = lambda need: None
    cancelled: Callable[[], bool] = lambda: False


UNWATCHED = Watch()


class FeatureMaker:
    """Makes features with one encoder and one way of reading. `unread` grows by what could not be read."""

    def __init__(
        self, encoder: Encoder, read: ReadStretch, *, work: Path, precision: str, watch: Watch = UNWATCHED
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            encoder: The encoder. It needs tokens for everything but rows.
            read: The way of reading.
            work: The folder of evaluations.
            precision: Of the encoder, for the names of what is kept.
            watch: Who follows.
        """
        self._encoder, self._read, self._work, self._precision, self._watch = encoder, read, work, precision, watch
        self.unread: list[Unread] = []

    @property
    def attention_heads(self) -> int:
        """See `TokenEncoder`. Raises EncoderError if the encoder has no tokens."""
        return with_tokens(self._encoder).attention_heads

    def rows(self, stretches: Sequence[Stretch]) -> dict[Stretch, Rows]:
        """Return the encoder's rows, float32 (D,), of what can be read.

        Raises:
            Cancelled: It was cancelled.
            OSError: The rows could not be kept.
        """
        with RowStore(self._rows_file(), self._encoder.dim) as store:
            return self._made("rows", stretches, self._encoder, store)

    def tokens(self, stretches: Sequence[Stretch]) -> dict[Stretch, Path]:
        """Return the files with tokens of what can be read.

        Raises:
            Cancelled: It was cancelled.
            NoRoom: They do not fit on the disk.
            EncoderError: The encoder has no tokens.
            OSError: The tokens could not be kept.
        """
        encoder = with_tokens(self._encoder)
        former = former_id(self._encoder)
        store = TokenStore(self._work, self._encoder.id, self._precision, token_shape(encoder), former)
        self._watch.on_need(store.require_room(self._keys(stretches)))
        return self._made("tokens", stretches, TokensOf(encoder), store)

    def token_files(self, paths: Sequence[Path]) -> TokenFiles:
        """Return what reads the files that `tokens` made, a batch at a time."""
        return TokenFiles(paths, token_shape(with_tokens(self._encoder)))

    def scores(
        self, stretches: Sequence[Stretch], heads: Sequence[MapHead]
    ) -> tuple[dict[Stretch, int], Rows, list[Rows]]:
        """Score stretches with heads on tokens, in one pass; no tokens are kept.

        Returns:
            The place of each stretch that can be read; the unit-length means of tokens, float32 (n, D); and for each
            head its logits, float32 (n, classes).

        Raises:
            Cancelled: It was cancelled.
            EncoderError: The encoder has no tokens.
            OSError: The scores could not be kept.
        """
        import numpy as np

        maker = HeadsOnTokens(with_tokens(self._encoder), heads)
        with RowStore(self._rows_file(f" {maker.digest}"), maker.dim) as store:
            made = self._made("test", stretches, maker, store)
        rows = np.stack(list(made.values())) if made else np.zeros((0, maker.dim), np.float32)
        return {stretch: at for at, stretch in enumerate(made)}, *maker.split(rows)

    def _rows_file(self, of: str = "") -> Path:
        """Return the file of rows; `of` distinguishes those that are made from the encoder's."""
        former = former_id(self._encoder)
        return rows_file(
            self._work, f"{self._encoder.id}{of}", self._precision, None if former is None else f"{former}{of}"
        )

    def readable(self, stretches: Sequence[LabelledStretch]) -> list[LabelledStretch]:
        """Return the stretches that did not turn out to be unreadable."""
        gone = {each.stretch for each in self.unread}
        return [each for each in stretches if each.stretch not in gone]

    def _made(self, stage: str, stretches: Sequence[Stretch], maker: EncodesClips, store: Store[T]) -> dict[Stretch, T]:
        gone = {each.stretch for each in self.unread}
        wanted = [each for each in dict.fromkeys(stretches) if each not in gone]
        made, unread = encode_stretches(
            wanted,
            maker,
            store,
            self._read,
            on_progress=lambda done: self._watch.on_progress(stage, done, len(wanted)),
            cancelled=self._watch.cancelled,
        )
        self.unread += unread
        return made

    def _keys(self, stretches: Sequence[Stretch]) -> list[str]:
        keys: list[str] = []
        prints: dict[str, str] = {}
        for stretch in dict.fromkeys(stretches):
            try:
                keys.append(key_of(stretch, self._read, prints))
            except OSError:
                continue  # named when it is read
        return keys
