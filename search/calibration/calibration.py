"""Calibration of one encoder in one library: kept in a stamped file, extended with new rows, made into a HitJudge.

What unrelated questions get depends on the rows and on what encodes the questions, so each text encoder of a space has
a file of its own.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from encoder import Encoder, EncoderError
from search.cache_file import CacheFile
from search.calibration.hit_judge import HitJudge
from search.calibration.null_statistics import NullStatistics, OnProgress, calibrate, grown
from search.calibration.questions import forms, null_questions
from search.calibration.shot_scores import ShotScores

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

FORMAT = 4
MAX_NEW_SHARE = 0.2
"""It is rebuilt once the new rows exceed this fraction of those it was made from."""
MOST_IN_SEARCH = 200_000
"""Number of rows that a search waits for."""
_BATCH = 32  # null questions encoded at once
_TRIES = 3  # attempts while another process is changing the library
_ENCODING = 0.3  # share of the progress


class Calibration:
    """The calibration of one space's rows for one text encoder. Thread-safe."""

    def __init__(
        self, library: Library, encoder: Encoder, directory: Path, on_progress: OnProgress | None = None
    ) -> None:
        """Create the calibration.

        Args:
            library: The rows.
            encoder: Encodes the null questions.
            directory: The folder of its file, usually `<library>/calibration`. Nothing is read or written yet.
            on_progress: Called with the finished fraction while `judge` brings it up to date.
        """
        self._library, self._encoder = library, encoder
        self._cache = CacheFile(Path(directory), null_name(encoder.id, encoder.text_id), ".npz")
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._judge: HitJudge | None = None
        self._token = ""  # the library's change token that it is up to date with

    def judge(self) -> HitJudge | None:
        """Return the judge of hits; None without any.

        The calibration is brought up to date first, unless a search would have to wait for more than MOST_IN_SEARCH
        rows: indexing does that at its end. Rows that it lacks are taken for average ones.

        Raises:
            LibraryError: The library cannot be read.
        """
        try:
            self.update(self._on_progress, most=MOST_IN_SEARCH)
        except EncoderError as error:  # an example from the library needs no model, so there may be none
            logger.warning("no strengths, because the null questions cannot be encoded: %s", error)
        return self._judge

    def update(self, on_progress: OnProgress | None = None, *, most: int | None = None) -> bool:
        """Bring the calibration up to date with the library, and save it. Return whether anything was done.

        Args:
            on_progress: Called with the finished fraction; what it raises ends the work, and nothing is saved.
            most: Do nothing if more rows than this would have to be read.

        Raises:
            LibraryError, EncoderError: The library cannot be read, or a question cannot be encoded.
        """
        with self._lock:
            token = self._library.change_token()
            if self._judge is not None and token == self._token:
                return False
            held = None if self._judge is None else self._judge.statistics
            stamp = self._library.stamp(self._encoder.id)
            if held is not None and held.stamp == stamp:
                self._token = token
                return False
            if not stamp.count:
                self._judge = None
                return False
            texts = null_questions(self._encoder.id)
            held = held or self._load(texts)
            if held is not None and held.stamp == stamp:
                made: NullStatistics | None = held
            elif most is not None and _to_read(held, stamp) > most:
                made = held if self._judge is None else None
            else:
                made = self._made(held, texts, on_progress)
            if made is None:  # the present one stays
                return False
            self._judge = HitJudge.of(made, forms(texts))
            return made is not held

    def _made(
        self, held: NullStatistics | None, texts: list[str], on_progress: OnProgress | None
    ) -> NullStatistics | None:
        report = on_progress or (lambda share: None)
        questions = self._questions(texts, report) if held is None else held.questions
        for _ in range(_TRIES):
            stamp = self._library.stamp(self._encoder.id)
            rest: OnProgress = lambda share: report(_ENCODING + (1 - _ENCODING) * share)  # noqa: E731
            try:
                if held is not None and _may_grow(held, stamp):
                    made = grown(held, self._library, stamp, rest)
                else:
                    made = calibrate(self._library, stamp, questions, rest)
            except KeyError:  # a row was removed between two reads
                held = None
                continue
            if not self._library.read_only:
                self._cache.save(made.stamp, partial(_write, made, _digest(texts)))
            return made
        return None

    def _questions(self, texts: list[str], on_progress: OnProgress) -> NDArray[np.float32]:
        rows = []
        for start in range(0, len(texts), _BATCH):
            rows.append(self._encoder.encode_texts(texts[start : start + _BATCH]))
            on_progress(_ENCODING * min(1.0, (start + _BATCH) / len(texts)))
        return np.concatenate(rows)

    def _load(self, texts: Sequence[str]) -> NullStatistics | None:
        loaded = self._cache.load(partial(_read, digest=_digest(texts)))
        if loaded is None:
            return None
        stamp, saved = loaded
        dim, shots = self._encoder.dim, len(saved.shot_ids)
        shapes = saved.questions.shape, saved.best_words.shape, saved.shot_rows.shape
        fits = (stamp.library_id, stamp.encoder_id) == (self._library.id, self._encoder.id)
        fits &= shapes == ((len(texts), dim), (len(texts),), (shots, dim))
        return replace(saved, stamp=stamp) if fits else None


def null_name(encoder_id: str, text_id: str) -> str:
    """Return what the file of an encoder's calibration is named by: no other cache of the folder has the name."""
    return f"{encoder_id} {text_id} null"


def _may_grow(held: NullStatistics, stamp: Stamp) -> bool:
    """Return whether every row that is covered still holds and few enough are new."""
    only_more = stamp.last_id > held.stamp.last_id and stamp.count > held.stamp.count
    few = stamp.count - held.made_from <= MAX_NEW_SHARE * held.made_from
    return held.stamp.holds_at(stamp) and only_more and few


def _to_read(held: NullStatistics | None, stamp: Stamp) -> int:
    return stamp.count - held.stamp.count if held is not None and _may_grow(held, stamp) else stamp.count


def _digest(texts: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()


_ARRAYS = ("ids", "questions", "best_words", "shot_ids", "shot_rows", "best_shots")


def _write(made: NullStatistics, digest: str, file: IO[bytes]) -> None:
    scores = {
        f"{name}_{field}": getattr(getattr(made, name), field)
        for name in ("words", "shots")
        for field in ("means", "variances", "variance")
    }
    arrays = {name: getattr(made, name) for name in _ARRAYS}
    np.savez(file, format=FORMAT, digest=digest, made_from=made.made_from, **arrays, **scores)


def _read(path: Path, *, digest: str) -> NullStatistics:
    """Read a calibration without its stamp, which the cache returns beside it. Raise ValueError for another one."""
    no_stamp = Stamp(library_id="", encoder_id="", dim=0, count=0, last_id=0, generation=-1)
    with np.load(path, allow_pickle=False) as saved:
        if int(saved["format"]) != FORMAT or str(saved["digest"]) != digest:
            raise ValueError("made by another version")
        words, shots = (
            ShotScores(saved[f"{name}_means"], saved[f"{name}_variances"], float(saved[f"{name}_variance"]))
            for name in ("words", "shots")
        )
        arrays = {name: saved[name] for name in _ARRAYS}
        made = NullStatistics(stamp=no_stamp, made_from=int(saved["made_from"]), words=words, shots=shots, **arrays)
    if not len(made.ids) == len(made.words.means) == len(made.words.variances) == len(made.shots.means):
        raise ValueError("arrays of different lengths")
    return made
