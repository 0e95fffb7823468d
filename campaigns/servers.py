"""kill -9 of workers, page and server of a library on PostgreSQL: nothing is lost, nothing is there twice."""

from __future__ import annotations

import sys

from campaigns import _page
from campaigns._campaign import Kind, main
from campaigns._worker_kills import kill_workers

KINDS = {"workers": Kind(kill_workers)}
MODULES = (*_page.MODULES, "psycopg", "db.server.claims", "db.server.opening")

if __name__ == "__main__":
    sys.exit(main("servers", KINDS, sys.argv[1:], __doc__, MODULES))
