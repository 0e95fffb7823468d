"""kill -9 at chosen moments of index, export, page, vectors, text, migration, backup, training: nothing is lost."""

from __future__ import annotations

import sys

from campaigns import _page, _training_kills
from campaigns._backup_kills import kill_backup, kill_restore
from campaigns._campaign import Kind, main
from campaigns._export_kills import kill_export
from campaigns._index_kills import kill_index
from campaigns._migration_kills import kill_migration
from campaigns._page_kills import kill_page
from campaigns._text_kills import kill_texts
from campaigns._training_kills import kill_training
from campaigns._vector_kills import kill_vectors, shorten_vectors

KINDS = {
    "index": Kind(kill_index), "export": Kind(kill_export, 4), "page": Kind(kill_page), "vectors": Kind(kill_vectors),
    "shortened": Kind(shorten_vectors),
    "texts": Kind(kill_texts),
    "migration": Kind(kill_migration, 2),
    "backup": Kind(kill_backup),
    "restore": Kind(kill_restore),
    "training": Kind(kill_training),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main("kills", KINDS, sys.argv[1:], __doc__, (*_page.MODULES, *_training_kills.MODULES)))
