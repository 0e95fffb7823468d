"""What the server keeps by itself, beside the tables of `db.schema`: the counters and revisions that SQLite's triggers
keep, and a token that every change of the library replaces."""

from __future__ import annotations

from db.server import claims
from db.text.server.indexing import TABLES


def _trigger(table: str, name: str, event: str, body: str, *, rows: str = "", when: str = "") -> tuple[str, str]:
    """Return the statements that make a trigger and its function.

    Args:
        table: Its table.
        name: Its name, and that of the function.
        event: What it comes after.
        body: Its statements, each with its semicolon.
        rows: The rows of a statement and their name, if it comes once after each statement.
        when: A condition, if it comes after each row.
    """
    each = f"REFERENCING {rows} FOR EACH STATEMENT" if rows else f"FOR EACH ROW {when}"
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON {table} {each} EXECUTE FUNCTION {name}()",
    )


# Once for all vectors of a video, which are written at once. A row below the highest id that was there counts as a
# change, because an index that reads the rows above its last id would never see it.
_EMBEDDINGS = (
    *_trigger(
        "embeddings",
        "embeddings_added",
        "INSERT",
        "UPDATE encoders SET segments = segments + added.count, generation = generation + CAST("
        " (SELECT count(*) FROM embeddings AS e WHERE e.encoder = added.encoder AND e.segment_id >= added.least)"
        " > added.count AS INTEGER)"
        " FROM (SELECT encoder, count(*) AS count, min(segment_id) AS least FROM new_rows GROUP BY encoder) AS added"
        " WHERE number = added.encoder;",
        rows="NEW TABLE AS new_rows",
    ),
    *_trigger(
        "embeddings",
        "embeddings_changed",
        "UPDATE",
        "UPDATE encoders SET generation = generation + 1 WHERE number IN (SELECT encoder FROM new_rows);",
        rows="NEW TABLE AS new_rows",
    ),
    *_trigger(
        "embeddings",
        "embeddings_removed",
        "DELETE",
        "UPDATE encoders SET segments = segments - gone.count, generation = generation + 1"
        " FROM (SELECT encoder, count(*) AS count FROM old_rows GROUP BY encoder) AS gone"
        " WHERE number = gone.encoder;",
        rows="OLD TABLE AS old_rows",
    ),
)

_TOUCH = (
    "UPDATE collections SET revision = revision + 1,"
    " updated_at = to_char(now() AT TIME ZONE 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"') WHERE id = {0};"
)
_TOUCH_OWNERS = (
    "UPDATE collections SET revision = revision + 1"
    " WHERE id IN (SELECT collection_id FROM subclips WHERE fingerprint = {0}.fingerprint);"
)
_MOVED = "UPDATE subclips SET path = NEW.path WHERE fingerprint = NEW.fingerprint AND path = OLD.path;"
_REVISIONS = (
    *_trigger("subclips", "subclips_added", "INSERT", _TOUCH.format("NEW.collection_id")),
    *_trigger("subclips", "subclips_changed", "UPDATE", _TOUCH.format("NEW.collection_id")),
    *_trigger("subclips", "subclips_removed", "DELETE", _TOUCH.format("OLD.collection_id")),
    *_trigger("videos", "videos_added", "INSERT", _TOUCH_OWNERS.format("NEW")),
    *_trigger("videos", "videos_removed", "DELETE", _TOUCH_OWNERS.format("OLD")),
    *_trigger(
        "videos",
        "videos_moved",
        "UPDATE OF path",
        _TOUCH_OWNERS.format("NEW") + " " + _MOVED,
        when="WHEN (OLD.path <> NEW.path)",
    ),
)

_LINES = "lines = lines {0} (SELECT count(*) FROM {1}), size = size {0} (SELECT sum(size) FROM {1})"
_COUNTED = f"UPDATE text_totals SET {_LINES} WHERE EXISTS (SELECT 1 FROM {{1}});"
_TEXTS = (
    *_trigger(
        "text_index", "text_index_added", "INSERT", _COUNTED.format("+", "new_rows"), rows="NEW TABLE AS new_rows"
    ),
    *_trigger(
        "text_index", "text_index_removed", "DELETE", _COUNTED.format("-", "old_rows"), rows="OLD TABLE AS old_rows"
    ),
)

STATEMENTS = (
    *_EMBEDDINGS,
    *_REVISIONS,
    *TABLES,
    *_TEXTS,
    *claims.TABLES,
    "CREATE TABLE library_changes (token UUID NOT NULL)",
    "INSERT INTO library_changes VALUES (gen_random_uuid())",
    # Texts are set aside while the row of their video is replaced: db.text.writing.
    "ALTER TABLE text_sources ALTER CONSTRAINT text_sources_video_id_fkey DEFERRABLE INITIALLY IMMEDIATE",
)
"""To be executed once the tables of `db.schema` have been made."""
