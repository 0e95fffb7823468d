"""The interface to a library's database and media files. All SQL of the project is behind it.

A library is thread-safe, and may be open in several processes: each call is one transaction on its own connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from db import failures, health, library_settings, spaces, vectors, writing
from db.claims import Claim, Claims, FolderClaims
from db.collections import Collections
from db.database import Database
from db.errors import LibraryError, LibraryUnreachable
from db.library_places import LibraryPlaces
from db.media import StagedMedia
from db.media_facts import MediaFacts
from db.media_roots import NO_ROOTS, MediaRoots
from db.opening import FILE_NAME as FILE_NAME
from db.opening import open_folder
from db.people.people import People
from db.quick import Quick
from db.records import CutSettings, EncoderChoice, Failure, Segment, Shot, Video, Worker
from db.saved_searches import SavedSearches
from db.server import claims as server_claims
from db.server.address import ServerAddress, server_address
from db.server.connection import ServerDatabase
from db.server.nearest import ServerRows
from db.server.opening import open_server
from db.text.texts import Texts
from db.video_rows import VideoRows

_HOUR_SECONDS = 3600.0


class Library(LibraryPlaces):
    """Videos, shots, segments and embeddings, with the collections and searches that people keep.

    Create one with `Library.open`. Any method may raise a LibraryError: busy, full, damaged (see `db.errors`).

    Attributes:
        directory: The library's folder; of one on a server, this machine's folder for what is made from it.
        id: Its permanent uuid.
        collections, searches: Collections of subclips; saved searches.
        texts: Timed text: subtitles, speech, writing on screen, chapters and tags.
        quick, people: The videos that wait for their full pass; people who use the library over a network.
        server_rows: The embeddings of a library on a server, for the server to search; None for a folder.
    """

    def __init__(self, directory: Path, database: Database, library_id: str) -> None:
        super().__init__(directory, database, library_id)
        self.collections = Collections(database)
        self.searches = SavedSearches(database)
        self.texts = Texts(database)
        self.quick = Quick(database)
        self.people = People(database)
        self.server_rows = ServerRows(database) if isinstance(database, ServerDatabase) else None

    @classmethod
    def open(
        cls,
        place: Path | str | ServerAddress,
        *,
        create: bool = True,
        busy_seconds: float = 30.0,
        copy_of: str | None = None,
        roots: MediaRoots = NO_ROOTS,
    ) -> Library:
        """Open a library. Create it or migrate it to the current format if needed.

        Args:
            place: The library's folder, or the address of one on a server: see `db.server.address`.
            create: Create the folder and the library if they do not exist.
            busy_seconds: How long each call waits for a lock held by another process.
            copy_of: The id of a library, to open the unfinished copy of it, too: see `db.copying`.
            roots: The roots of media that this machine knows.

        Raises:
            LibraryMissing: The library does not exist, and `create` is False.
            LibraryNewer: A newer version of prismsearch wrote it.
            LibraryUnfinished: It is a copy that is not whole yet.
            LibraryDamaged: The file is not a library, or is not sound.
            LibraryBusy: Another process kept it locked for `busy_seconds`.
            LibraryFull: The disk is full.
            LibraryError: The folder cannot be created or written, or the server cannot be used.
            ValueError: The address cannot be read, or does not name both folders.
        """
        address = server_address(place)
        database: Database
        if address is None:
            assert not isinstance(place, ServerAddress)
            directory = Path(place).absolute()
            database, library_id = open_folder(directory, create=create, busy_seconds=busy_seconds, copy_of=copy_of)
        else:
            database, library_id = open_server(address, create=create, busy_seconds=busy_seconds, copy_of=copy_of)
            directory = database.work
        database.use_roots(roots)
        library = cls(directory, database, library_id)
        if not database.read_only:
            library._media.sweep_partial(24 * _HOUR_SECONDS)
        return library

    def close(self) -> None:
        """Close the database file. Later calls raise LibraryError."""
        self._database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Indexing

    def add_video(
        self,
        video: Video,
        shots: Sequence[Shot],
        segments: Sequence[Segment],
        embeddings: NDArray[np.float32],
        *,
        encoder_id: str,
        recipe: str,
        media: StagedMedia | None = None,
        quick_of: str | None = None,
        further: Sequence[VideoRows] = (),
        claim: Claim | None = None,
    ) -> int:
        """Store a video with its shots, segments and embeddings in one transaction.

        The video at that path is replaced. If content, shots and segments are unchanged, their ids stay, and only the
        embeddings of these encoders (and media, if given) are rewritten.

        Args:
            video: The video; its id is ignored.
            shots: Numbered from 0.
            segments: Numbered from 0; their ids are ignored.
            embeddings: float (segments, D), row i of segment i, of unit length. Stored as float16.
            encoder_id: The encoder of the embeddings.
            recipe: How the clips were made; `known_files` returns it.
            media: Posters and previews of all segments. They are published, or discarded after an error, unless it is
                that the server is away: then the call can be made again.
            quick_of: Of a quick pass: the encoder of the full pass, which replaces all of this and is never replaced.
            further: What further encoders made of the same segments, all in quick passes or all in full ones.
            claim: The claim on this work, if it may have lapsed.

        Returns:
            The video's id.

        Raises:
            ValueError: The arguments are inconsistent. After any error, the library is unchanged.
            ClaimLost: The work may be another worker's now.
        """
        with self._withdrawing(media):
            first = VideoRows(encoder_id=encoder_id, recipe=recipe, embeddings=embeddings, quick_of=quick_of)
            made = [
                replace(each, embeddings=vectors.checked_matrix(each.embeddings, len(segments)))
                for each in (first, *further)
            ]
            writing.check_parts(video, shots, segments)
            if media is not None:
                media.check(self._media, video, segments)
                media.flush()
            with self._releasing_media() as (connection, released):
                if claim is not None:
                    claim.confirm(connection)
                if quick_of is not None and (full := writing.full_pass_of(connection, video)) is not None:
                    if media is not None:
                        media.discard()
                    return full
                video_id = writing.put_video(
                    connection,
                    video,
                    shots,
                    segments,
                    made,
                    media=None if media is None else media.name,
                    media_bytes=0 if media is None else media.bytes,
                    released=released,
                )
                if media is not None:
                    media.publish()
        return video_id

    def is_cut_so(self, video: Video, shots: Sequence[Shot], segments: Sequence[Segment]) -> bool:
        """Return whether `add_video` of these shots and segments would keep the rows that other encoders have made."""
        with self._database.reading() as connection:
            return writing.same_video(connection, video, shots, segments) is not None

    def replace_media(
        self,
        video: Video,
        shots: Sequence[Shot],
        segments: Sequence[Segment],
        media: StagedMedia,
        *,
        claim: Claim | None = None,
    ) -> bool:
        """Replace the posters and previews of a video that is cut as before, and of its copies that share them.

        Args:
            video: The video; its path and content identify it.
            shots: As stored.
            segments: As stored.
            media: Posters and previews of all segments. They are published, or discarded, as in `add_video`.
            claim: As for `add_video`.

        Returns:
            False if the stored video has other content, shots or segments. Nothing is changed then.

        Raises:
            ValueError: The media are not those of the segments.
            ClaimLost: As `add_video` does.
        """
        with self._withdrawing(media):
            media.check(self._media, video, segments)
            media.flush()
            with self._releasing_media() as (connection, released):
                if claim is not None:
                    claim.confirm(connection)
                if not writing.put_media(connection, video, shots, segments, media.name, media.bytes, released):
                    media.discard()
                    return False
                media.publish()
        return True

    def set_content_hash(self, video_id: int, content_hash: str) -> None:
        """Store the hash of the whole content of an unchanged file. An unknown id is ignored."""
        with self._database.writing() as connection:
            writing.put_content_hash(connection, video_id, content_hash)

    def set_facts(self, video_id: int, *, timecode: str, facts: MediaFacts, kinds: frozenset[str]) -> None:
        """Store what the header of an unchanged file states, without its frames being decoded again.

        Args:
            video_id: The video; an unknown id is ignored.
            timecode, facts: As in Video: what the header states.
            kinds: The video's kinds from now on.
        """
        with self._database.writing() as connection:
            writing.put_facts(connection, video_id, timecode=timecode, facts=facts, kinds=kinds)

    def compact(self, *, least_bytes: int, least_share: float) -> bool:
        """Give the free pages of the database back to the disk, if there are many. Return whether that was done.

        The file is rewritten: searches continue meanwhile, writes wait. Ctrl-C leaves it as it was.

        Args:
            least_bytes: A file with less than this in free pages, and more than this in all, is left alone.
            least_share: Likewise, the share of free pages.
        """
        return self._database.compact(least_bytes=least_bytes, least_share=least_share)

    def remove_videos(self, ids: Iterable[int]) -> int:
        """Remove videos with their shots, segments, embeddings and media, at once. Return how many were removed.

        Source files are never touched.
        """
        with self._releasing_media() as (connection, released):
            return writing.delete_videos(connection, ids, released)

    def record_failure(self, failure: Failure) -> None:
        """Store why a file could not be indexed. Attempts accumulate while its size and time stay the same."""
        with self._writing_paths() as connection:
            failures.put_failure(connection, failure)

    def clear_failures(self, paths: Iterable[str]) -> int:
        """Remove the failures of these paths, as `add_video` does for its path. Return how many were removed."""
        with self._writing_paths() as connection:
            return failures.delete_failures(connection, paths)

    def stage_media(self, fingerprint: str, recipe: str) -> StagedMedia:
        """Return an empty store for the posters and previews of a video that is being indexed.

        Args:
            fingerprint: The video's fingerprint.
            recipe: The recipe that will be passed to `add_video`.

        Raises:
            ValueError: The fingerprint is not made of letters and digits.
        """
        return StagedMedia(self._media, fingerprint, recipe)

    def claims(self, doing: str, *, lease_seconds: float | None = None, beat_seconds: float | None = None) -> Claims:
        """Return what divides work among the processes of this library, on this machine or on all of a server's.

        Args:
            doing: The kind of work, for those who look: "index".
            lease_seconds, beat_seconds: Of a library on a server: see `db.server.claims`.
        """
        if isinstance(self._database, ServerDatabase):
            return server_claims.ServerClaims(
                self._database, doing, lease_seconds=lease_seconds, beat_seconds=beat_seconds
            )
        return FolderClaims(self.directory / "claims")

    @property
    def shared(self) -> bool:
        """Whether several machines may use it at a time: it is on a server."""
        return self._database.shared

    def workers(self) -> list[Worker]:
        """Return the processes of all machines that work for a library on a server, the first ones first.

        A folder's are on this machine, and have jobs there.
        """
        if not isinstance(self._database, ServerDatabase):
            return []
        with self._database.reading() as connection:
            return server_claims.workers(connection)

    # Settings that shape rows and cuts

    def use_encoders(self, *choices: EncoderChoice) -> None:
        """Store how encoders are loaded, replacing what was stored for their ids, in one transaction.

        Args:
            choices: In the order of use; the last one becomes the library's own encoder.
        """
        with self._database.writing() as connection:
            library_settings.use_encoders(connection, choices)

    def rename_space(self, former_id: str, encoder_id: str, text_id: str) -> bool:
        """See `db.spaces.rename_space`. One transaction, in which no row changes."""
        with self._database.writing() as connection:
            return spaces.rename_space(connection, former_id, encoder_id, text_id)

    def use_cut_settings(self, cuts: CutSettings) -> None:
        """Store how videos are cut from now on. Existing segments stay unchanged."""
        with self._database.writing() as connection:
            library_settings.put_cut_settings(connection, cuts)

    def use_keep_vanished_days(self, days: int) -> None:
        """Store for how many days the rows of vanished files are kept; 0 keeps none."""
        with self._database.writing() as connection:
            library_settings.put_keep_vanished_days(connection, days)

    def replace_recipes(self, encoder_id: str, recipes: Sequence[str], recipe: str) -> int:
        """Change the recipe of the videos that an encoder embedded with any of `recipes`. Return how many changed."""
        with self._database.writing() as connection:
            return library_settings.replace_recipes(connection, encoder_id, recipes, recipe)

    # Health

    def check(self) -> list[str]:
        """Check the whole library, reading everything once.

        Leftovers of killed runs in the media folder are no problem; those older than an hour are removed. A damaged
        full-text index is made again.

        Returns:
            The problems found, one sentence each; empty if the library is sound.
        """
        return health.check(self._database, self._media)

    # Internal

    @contextmanager
    def _withdrawing(self, media: StagedMedia | None) -> Iterator[None]:
        """Remove the media after an error, but not if the server is away, because the call may be made again."""
        try:
            yield
        except LibraryUnreachable:
            raise
        except BaseException:
            if media is not None:
                self._withdraw(media)
            raise

    def _withdraw(self, media: StagedMedia) -> None:
        """Remove the media, unless the error came after the commit (as Ctrl-C can)."""
        media.discard()
        with suppress(LibraryError), self._database.reading() as connection:
            for name in writing.unreferenced_media(connection, [media.name]):
                self._media.drop(name)
