"""Change tokens: another one after every write, by whomever, and the same one in between."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from db_samples import add, make_video

from db.library import Library
from db.records import Failure


def test_every_write_changes_it_and_nothing_else_does(place: Path | str) -> None:
    with Library.open(place) as library:
        seen = [library.change_token()]

        def changed() -> bool:
            seen.append(library.change_token())
            return len(seen) == len(set(seen))

        assert library.change_token() == seen[0]
        add(library)
        assert changed(), "a video"
        library.collections.tray()
        assert changed(), "a collection"
        library.record_failure(Failure(path="/f", size_bytes=1, modified_ns=1, kind="empty", reason="It is empty."))
        assert changed(), "a failure"
        with Library.open(place) as other:
            assert library.change_token() == seen[-1], "opening is no change"
            other.searches.save("one", "q=1")
        assert changed(), "another connection"
        code = "import sys; from db.library import Library; Library.open(sys.argv[1]).remove_videos([1])"
        subprocess.run([sys.executable, "-c", code, str(place)], check=True)
        assert changed(), "another process"
        assert library.videos() == []
        assert library.change_token() == seen[-1]


def test_what_is_read_after_it_is_never_older(place: Path | str) -> None:
    """A cache asks for the token, reads, and keeps what it read under that token."""
    with Library.open(place) as library, Library.open(place) as writer:
        counts: dict[str, int] = {}
        done = threading.Event()

        def write() -> None:
            for number in range(60):
                add(writer, make_video(f"/f/{number}.mp4", f"f{number}"), count=1, dim=4)
            done.set()

        thread = threading.Thread(target=write)
        thread.start()
        while not done.is_set():
            token = library.change_token()
            counts.setdefault(token, len(library.videos()))
        thread.join()
        token = library.change_token()
        assert counts.get(token, 60) == 60
        assert len(counts) > 5


def test_a_fork_has_a_token_of_its_own_and_sees_changes(place: Path | str) -> None:
    with Library.open(place) as library:
        before = library.change_token()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            one = library.change_token()
            same = library.change_token() == one
            add(library)
            os.write(writing, b"ok" if same and library.change_token() != one else b"no")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert os.read(reading, 2) == b"ok"
        os.close(reading)
        os.close(writing)
        assert library.change_token() != before
