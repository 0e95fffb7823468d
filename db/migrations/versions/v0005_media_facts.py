"""Facts stated by a file's header, kinds of videos, and cut settings that name every option.

Libraries of format 4 store only the detector options that differ from the defaults of that version. These defaults are
written out here, so that a library keeps its cuts when defaults change.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"

_ADAPTIVE = {
    "adaptive_threshold": 3.0,
    "min_scene_len": "0.6s",
    "window_width": 2,
    "min_content_val": 15.0,
    "weights": [1.0, 1.0, 1.0, 0.0],
    "luma_only": False,
    "kernel_size": None,
}
_DEFAULTS: dict[str, dict[str, object]] = {
    "learned": {"threshold": 0.3, "support": 0.03, "blend_score": 4.0, **_ADAPTIVE, "min_scene_len": "0.3s"},
    "blend": {"blend_score": 0.5, **_ADAPTIVE},
    "adaptive": _ADAPTIVE,
    "content": {
        "threshold": 27.0,
        "min_scene_len": "0.6s",
        "weights": [1.0, 1.0, 1.0, 0.0],
        "luma_only": False,
        "kernel_size": None,
        "filter_mode": "merge",
    },
}
"""The options of format 4 whose defaults may have changed since."""


def upgrade() -> None:
    for table in ("videos", "subclips"):
        op.add_column(table, sa.Column("facts", sa.Text(), nullable=True))
    op.add_column("videos", sa.Column("kinds", sa.Text(), server_default="", nullable=False))
    connection = op.get_bind()
    row = connection.execute(sa.text("SELECT detector, detector_options FROM library")).first()
    if row is None or row.detector not in _DEFAULTS:
        return
    try:
        chosen = dict(json.loads(row.detector_options))
    except (TypeError, ValueError):
        return  # damaged: reported when the settings are read
    options = json.dumps({**_DEFAULTS[row.detector], **chosen}, sort_keys=True)
    connection.execute(sa.text("UPDATE library SET detector_options = :options"), {"options": options})
