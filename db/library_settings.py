"""Settings that shape a library's rows: how each encoder is loaded, and how videos are cut.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import get_args

from sqlalchemy import Connection, func, select, update

from db.errors import LibraryDamaged
from db.records import CutSettings, EncoderChoice, Fit
from db.schema import encoder_choices, encoders, encodings, library
from db.sql import upsert
from files.json_file import parse_json

KEEP_VANISHED_DAYS = 30
"""For how many days the rows of vanished files are kept, unless the library says otherwise."""

logger = logging.getLogger(__name__)


def all_encoder_choices(connection: Connection) -> list[EncoderChoice]:
    """Return all choices, most recently used first."""
    columns = [column for column in encoder_choices.c if column is not encoder_choices.c.last_used]
    found = connection.execute(select(*columns).order_by(encoder_choices.c.last_used.desc()))
    choices = []
    for row in found.mappings():
        counts = row["still_frames"], 0 if row["frames"] is None else row["frames"]
        sound = row["fit"] in get_args(Fit) and isinstance(row["text_id"], str)
        if sound and all(type(count) is int for count in counts):
            choices.append(EncoderChoice(**row))
        else:
            logger.warning("the stored options of the encoder %.100r are damaged and are left out", row["encoder_id"])
    return choices


def use_encoders(connection: Connection, choices: Sequence[EncoderChoice]) -> None:
    """Store choices, replacing those of the same encoders; the last one becomes the most recently used."""
    last_used = connection.scalar(select(func.max(encoder_choices.c.last_used))) or 0
    for number, choice in enumerate(choices, start=last_used + 1):
        values = {
            "encoder_id": choice.encoder_id,
            "name": choice.name,
            "frames": choice.frames,
            "fit": choice.fit,
            "still_frames": choice.still_frames,
            "last_used": number,
            "text_id": choice.text_id,
        }
        connection.execute(
            upsert(connection, encoder_choices)
            .values(values)
            .on_conflict_do_update(index_elements=["encoder_id"], set_=values)
        )


def cut_settings(connection: Connection) -> CutSettings | None:
    """Return how videos are cut, or None if never stored. Raise LibraryDamaged for invalid values."""
    row = connection.execute(select(library)).one()
    if row.detector is None:
        return None
    try:
        options = dict(parse_json(row.detector_options))
    except (TypeError, ValueError) as error:
        raise LibraryDamaged(
            f"The library's detector options are damaged ({error}); put a backup in its place."
        ) from error
    if not all(isinstance(value, int | float) for value in (row.segment_seconds, row.overlap_seconds)):
        raise LibraryDamaged("The library's lengths of segments are damaged; put a backup in its place.")
    return CutSettings(
        detector=row.detector,
        detector_options={name: tuple(value) if isinstance(value, list) else value for name, value in options.items()},
        segment_seconds=row.segment_seconds,
        overlap_seconds=row.overlap_seconds,
        decode=row.decode,
        hash_content=row.hash_content,
    )


def put_cut_settings(connection: Connection, cuts: CutSettings) -> None:
    """Store how videos are cut from now on."""
    connection.execute(
        update(library).values(
            detector=cuts.detector,
            detector_options=json.dumps(dict(cuts.detector_options), sort_keys=True),
            segment_seconds=cuts.segment_seconds,
            overlap_seconds=cuts.overlap_seconds,
            decode=cuts.decode,
            hash_content=cuts.hash_content,
        )
    )


def keep_vanished_days(connection: Connection) -> int:
    """Return for how many days the rows of vanished files are kept."""
    stored = connection.scalar(select(library.c.keep_vanished_days))
    return KEEP_VANISHED_DAYS if stored is None else max(0, int(stored))


def put_keep_vanished_days(connection: Connection, days: int) -> None:
    """Store for how many days the rows of vanished files are kept."""
    connection.execute(update(library).values(keep_vanished_days=days))


def recipes(connection: Connection) -> dict[str, int]:
    """Return the number of encodings of videos per recipe, that of the newest video first."""
    counted = (
        select(encodings.c.recipe, func.count().label("encodings"))
        .group_by(encodings.c.recipe)
        .order_by(func.max(encodings.c.video_id).desc())
    )
    return {row.recipe: row.encodings for row in connection.execute(counted)}


def replace_recipes(connection: Connection, encoder_id: str, recipes: Sequence[str], recipe: str) -> int:
    """Change the recipe of an encoder's encodings with any of `recipes`. Return how many changed."""
    encoder = select(encoders.c.number).where(encoders.c.id == encoder_id).scalar_subquery()
    changed = connection.execute(
        update(encodings).where(encodings.c.encoder == encoder, encodings.c.recipe.in_(recipes)).values(recipe=recipe)
    )
    return changed.rowcount
