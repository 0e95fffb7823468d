"""The tables, in the state after the newest migration. `db.rows` converts between their rows and records.

Those of timed text are in `db.text.tables`.

A change here needs a migration in `db/migrations/versions` and a higher SCHEMA_VERSION; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    event,
)

from db.column_types import HalfRows, Integer, Text
from db.path_types import MediaPath, PathBytes

SCHEMA_VERSION = 11
"""The number of the newest migration, so that opening a library of this format need not import alembic."""


def revision_of(version: int) -> str:
    """Return alembic's name of a version: four digits."""
    return f"{version:04d}"


def _fraction(name: str) -> tuple[Column[int], Column[int]]:
    """Return the two columns of a fraction, as `db.rows` reads and writes them."""
    return Column(f"{name}_num", Integer, nullable=False), Column(f"{name}_den", Integer, nullable=False)


metadata = MetaData()

alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

library = Table(
    "library",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
    # How videos are cut; NULL until an index run stores it.
    Column("detector", Text, nullable=True),
    Column("detector_options", Text, nullable=True),  # a JSON object
    Column("segment_seconds", Float, nullable=True),
    Column("overlap_seconds", Float, nullable=True),
    Column("decode", Text, nullable=True),
    Column("keep_vanished_days", Integer, nullable=True),  # NULL: the default
    Column("hash_content", Text, nullable=True),  # when the whole content of a file is read: always, local or never
)

videos = Table(
    "videos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", MediaPath, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("modified_ns", Integer, nullable=False),
    *_fraction("time_base"),
    Column("start_pts", Integer, nullable=False),
    Column("end_pts", Integer, nullable=False),
    *_fraction("frame_rate"),
    Column("frames", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("codec", Text, nullable=False),
    Column("rotation", Integer, nullable=False),
    Column("has_audio", Boolean, nullable=False),
    Column("damaged", Integer, nullable=False),
    Column("media", Text, nullable=True),  # name of the folder of posters and previews: db.media
    Column("timecode", Text, nullable=False, server_default=""),
    Column("media_bytes", Integer, nullable=False, server_default="0"),  # total size of the files in that folder
    Column("facts", Text, nullable=True),  # db.media_facts; NULL: not read yet
    Column("kinds", Text, nullable=False, server_default=""),  # likewise
    Column("content_hash", Text, nullable=False, server_default=""),  # "" in these three: not known
    Column("file_id", Text, nullable=False, server_default=""),
    Column("volume", Text, nullable=False, server_default=""),
    Column("recorded_at", Integer, nullable=True),  # Unix seconds
    Column("checksum", Integer, nullable=True),  # CRC-32 of the rows below it and of facts; NULL: not known
    UniqueConstraint("path", name="uq_videos_path"),
    Index("ix_videos_fingerprint", "fingerprint"),
    Index("ix_videos_media", "media"),
    sqlite_autoincrement=True,
)

shots = Table(
    "shots",
    metadata,
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("start_pts", Integer, nullable=False),
    Column("end_pts", Integer, nullable=False),
    PrimaryKeyConstraint("video_id", "number"),
)

# AUTOINCREMENT: without it, SQLite may reuse the id of a deleted row, and a vector index that is not yet aware of the
# deletion would return the new segment for the old vector.
segments = Table(
    "segments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("shot_number", Integer, nullable=False),
    Column("start_pts", Integer, nullable=False),
    Column("end_pts", Integer, nullable=False),
    UniqueConstraint("video_id", "number", name="uq_segments_video_number"),
    ForeignKeyConstraint(["video_id", "shot_number"], ["shots.video_id", "shots.number"], ondelete="CASCADE"),
    Index("ix_segments_start", "video_id", "start_pts", "end_pts"),  # the segments at some time of a video
    sqlite_autoincrement=True,
)

encoders = Table(
    "encoders",
    metadata,
    Column("number", Integer, primary_key=True),  # referenced by rows, because ids are long
    Column("id", Text, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("segments", Integer, nullable=False, server_default="0"),  # maintained by the triggers below
    Column("generation", Integer, nullable=False, server_default="0"),  # likewise
    Column("former_id", Text, nullable=True),  # the id that an earlier version stored: db.spaces
    Column("quick_of", Text, nullable=True),  # of a space of quick passes: the id of the full one (db.quick)
    UniqueConstraint("id", name="uq_encoders_id"),
    sqlite_autoincrement=True,
)

# How to load each encoder of the library. There is no foreign key to `encoders`, because a choice is stored when a run
# begins, before anything is embedded. The highest `last_used` is the library's own encoder.
encoder_choices = Table(
    "encoder_choices",
    metadata,
    Column("encoder_id", Text, primary_key=True),
    Column("name", PathBytes, nullable=False),  # may be a path, whose bytes need not be UTF-8
    Column("frames", Integer, nullable=True),
    Column("fit", Text, nullable=False),
    Column("still_frames", Integer, nullable=False),
    Column("last_used", Integer, nullable=False),
    Column("text_id", Text, nullable=False, server_default=""),  # "" in these two: not known
)

# Encoders that have embedded a whole video, and the recipe of its clips.
encodings = Table(
    "encodings",
    metadata,
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("encoder", Integer, ForeignKey("encoders.number"), nullable=False),
    Column("recipe", Text, nullable=False),
    Column("checksum", Integer, nullable=True),  # CRC-32 of the video's rows by this encoder; NULL: not known
    Column("revision", Integer, nullable=True),  # raised whenever they are written again; NULL: never
    PrimaryKeyConstraint("video_id", "encoder"),
)

# The key's index covers (encoder, segment_id), so that listing ids never reads vectors. The second index is for the
# cascade from segments, which would otherwise read the whole table for each segment that is deleted.
embeddings = Table(
    "embeddings",
    metadata,
    Column("encoder", Integer, ForeignKey("encoders.number"), nullable=False),
    Column("segment_id", Integer, ForeignKey("segments.id", ondelete="CASCADE"), nullable=False),
    Column("row", HalfRows, nullable=False),  # float16, little endian
    PrimaryKeyConstraint("encoder", "segment_id"),
    Index("ix_embeddings_segment_id", "segment_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("path", MediaPath, primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("modified_ns", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", Text, nullable=False),
)

# Collections of subclips. `key` is the name's comparison key; removed collections can be restored, but free their name.
# A collection with an owner is the tray of that person, and has no key: people's trays may have any name.
collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=True),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("removed_at", Text, nullable=True),
    Column("owner", Integer, nullable=True),  # a person's id; NULL: shared. db.people removes what people own
    UniqueConstraint("key", name="uq_collections_key"),
    Index("uq_collections_owner", "owner", unique=True),
    sqlite_autoincrement=True,
)

# No foreign key to videos or segments, because a subclip outlives both. They are joined by fingerprint.
subclips = Table(
    "subclips",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),  # with gaps; removed subclips keep theirs
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("video_id", Integer, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("path", MediaPath, nullable=False),
    *_fraction("time_base"),
    Column("video_start_pts", Integer, nullable=False),
    Column("video_end_pts", Integer, nullable=False),
    *_fraction("frame_rate"),
    Column("timecode", Text, nullable=False),
    Column("start_pts", Integer, nullable=False),
    Column("end_pts", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("has_audio", Boolean, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("score", Float, nullable=True),
    Column("created_at", Text, nullable=False),
    Column("removed_at", Text, nullable=True),
    Column("facts", Text, nullable=True),
    Column("content_hash", Text, nullable=False, server_default=""),
    Index("ix_subclips_place", "collection_id", "position"),
    Index("ix_subclips_fingerprint", "fingerprint"),
    sqlite_autoincrement=True,
)

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("text_id", Text, nullable=False, server_default=""),  # of the encoder that it was made with
    Column("owner", Integer, nullable=True),  # a person's id; NULL: of whoever uses the library alone
    UniqueConstraint("owner", "key", name="uq_saved_searches_key"),  # NULLs are distinct: see the index
    sqlite_autoincrement=True,
)
_ALONE = saved_searches.c.owner.is_(None)
Index("uq_saved_searches_alone", saved_searches.c.key, unique=True, sqlite_where=_ALONE, postgresql_where=_ALONE)

# People who use the library over a network; the one who uses it alone has no row. `key` is the name's comparison key.
people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=True),  # a salted hash; NULL: a proxy says who it is
    Column("created_at", Text, nullable=False),
    UniqueConstraint("key", name="uq_people_key"),
    sqlite_autoincrement=True,
)

# Browsers that are logged in. Only a digest of what the cookie holds is stored.
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("token", Text, primary_key=True),
    Column("person_id", Integer, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("began", Integer, nullable=False),  # Unix seconds, as the next
    Column("expires", Integer, nullable=False),
    Index("ix_sign_ins_person_id", "person_id"),
)

# Log-ins that failed lately, by what they have in common: a person or an address.
failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column("common", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", Integer, nullable=False),  # Unix seconds
)

# What people did. Names are kept as text: events outlast people.
events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)


def vanished_table(table: Table, *more: Column[int]) -> Table:
    """Return the table of rows whose file has vanished: the same columns, without foreign keys and triggers."""
    columns = (
        Column(column.name, column.type, nullable=column.nullable, primary_key=column.primary_key)
        for column in table.columns
        if column.computed is None
    )
    return Table(f"vanished_{table.name}", metadata, *columns, *more)


# Rows of videos whose files have vanished are moved to these tables whole, ids included, so that no query of the
# library can find them, and back when the files return.
vanished_videos = vanished_table(videos, Column("vanished_at", Integer, nullable=False))  # Unix seconds
vanished_shots = vanished_table(shots)
vanished_segments = vanished_table(segments)
vanished_encodings = vanished_table(encodings)
vanished_embeddings = vanished_table(embeddings)

# Triggers, so that no statement, cascades included, can miss the counters that vector indexes compare. A row inserted
# below the highest id counts as a change, because an index that reads the rows above its last id would never see it.
# (Alembic's batch mode drops a table's triggers: a migration that rebuilds `embeddings` must create them again.)
EMBEDDING_TRIGGERS = (
    "CREATE TRIGGER embeddings_added AFTER INSERT ON embeddings BEGIN"
    " UPDATE encoders SET segments = segments + 1, generation = generation + (NEW.segment_id <"
    " (SELECT MAX(segment_id) FROM embeddings WHERE encoder = NEW.encoder)) WHERE number = NEW.encoder; END",
    "CREATE TRIGGER embeddings_changed AFTER UPDATE ON embeddings BEGIN"
    " UPDATE encoders SET generation = generation + 1 WHERE number = NEW.encoder; END",
    "CREATE TRIGGER embeddings_removed AFTER DELETE ON embeddings BEGIN"
    " UPDATE encoders SET segments = segments - 1, generation = generation + 1 WHERE number = OLD.encoder; END",
)

# Likewise: a view of a collection compares only the revision, which also increases when the videos of its subclips are
# added, removed or moved, because those are shown with the subclips.
_TOUCH = "UPDATE collections SET revision = revision + 1, updated_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')"
_TOUCH_OWNERS = (
    "UPDATE collections SET revision = revision + 1"
    " WHERE id IN (SELECT collection_id FROM subclips WHERE fingerprint = {0}.fingerprint)"
)
SUBCLIP_TRIGGERS = (
    f"CREATE TRIGGER subclips_added AFTER INSERT ON subclips BEGIN {_TOUCH} WHERE id = NEW.collection_id; END",
    f"CREATE TRIGGER subclips_changed AFTER UPDATE ON subclips BEGIN {_TOUCH} WHERE id = NEW.collection_id; END",
    f"CREATE TRIGGER subclips_removed AFTER DELETE ON subclips BEGIN {_TOUCH} WHERE id = OLD.collection_id; END",
    f"CREATE TRIGGER videos_added AFTER INSERT ON videos BEGIN {_TOUCH_OWNERS.format('NEW')}; END",
    f"CREATE TRIGGER videos_removed AFTER DELETE ON videos BEGIN {_TOUCH_OWNERS.format('OLD')}; END",
    # A subclip keeps the last path of its file, to show it after the video was removed from the library.
    "CREATE TRIGGER videos_moved AFTER UPDATE OF path ON videos WHEN OLD.path <> NEW.path BEGIN"
    f" {_TOUCH_OWNERS.format('NEW')};"
    " UPDATE subclips SET path = NEW.path WHERE fingerprint = NEW.fingerprint AND path = OLD.path; END",
)
for _trigger in EMBEDDING_TRIGGERS + SUBCLIP_TRIGGERS:
    # SQLite's strftime has percent signs, which DDL would interpret. Those of a server are in db.server.tables.
    _ddl = DDL(_trigger.replace("%", "%%"))  # type: ignore[no-untyped-call]
    event.listen(metadata, "after_create", _ddl.execute_if(dialect="sqlite"))
