"""New names of embedding spaces that earlier versions named otherwise. Inside the caller's write transaction."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from db.schema import encoder_choices, encoders, saved_searches


def rename_space(connection: Connection, former_id: str, encoder_id: str, text_id: str) -> bool:
    """Give the rows and the choice that are stored under a former id of a space its present one.

    Rows refer to encoders by number, so none of them changes, nor do counts and generations: files made from the rows
    stay valid. Saved searches without a text encoder get that of the renamed one, if the library used it last.

    Args:
        connection: In a write transaction.
        former_id: The id of earlier versions, which covered the text tower.
        encoder_id: The id of the same space.
        text_id: The text encoder that the former id covered.

    Returns:
        Whether anything was renamed: not if nothing has the former id, or if rows have both.
    """
    known = connection.execute(select(encoders.c.id).where(encoders.c.id.in_((former_id, encoder_id)))).scalars().all()
    if encoder_id in known:
        return False
    newest = select(encoder_choices.c.encoder_id).order_by(encoder_choices.c.last_used.desc()).limit(1)
    own = connection.scalar(newest) in (None, former_id)
    renamed = connection.execute(
        update(encoders).where(encoders.c.id == former_id).values(id=encoder_id, former_id=former_id)
    ).rowcount
    choices = select(encoder_choices.c.encoder_id).where(encoder_choices.c.encoder_id == encoder_id)
    mine = encoder_choices.c.encoder_id == former_id
    if connection.scalar(choices) is None:
        renamed += connection.execute(
            update(encoder_choices).where(mine).values(encoder_id=encoder_id, text_id=text_id)
        ).rowcount
    else:  # stored by a run that embedded nothing yet
        renamed += connection.execute(delete(encoder_choices).where(mine)).rowcount
    if own:
        connection.execute(update(saved_searches).where(saved_searches.c.text_id == "").values(text_id=text_id))
    return renamed > 0
