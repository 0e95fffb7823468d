"""SIGKILL while timed text is stored: a source has all lines of one writing, and both full-text indexes follow."""

from __future__ import annotations

from pathlib import Path

from campaigns._campaign import Case
from campaigns._children import Fault, call
from campaigns._endless import kill_endless

VIDEOS, SOURCES = 6, 4


def kill_texts(case: Case) -> None:
    """One library whose texts are replaced, hidden, copied and removed, killed again and again."""
    library = case.folder / "library"
    for turn in range(5):
        kill_endless(case, turn, lambda seed: write(library, seed), "text writing")
        for problem in call(examine_texts, library, log=case.log("examine")):
            raise Fault(problem)


def write(directory: Path, seed: int) -> None:
    """Replace, hide, bring back, copy and remove texts for ever. All lines of a writing have its number."""
    import random

    from db_samples import add, make_video

    from db.library import Library
    from db.timed_text import TextSource, TimedLine

    draw = random.Random(seed)
    with Library.open(directory) as library:
        while True:
            number = draw.randrange(VIDEOS)
            video = library.video_at(f"/f/{number}.mp4")
            video_id = add(library, make_video(f"/f/{number}.mp4", f"{number:x}")) if video is None else video.id or 0
            count, writing = draw.randrange(1, 400), draw.randrange(10**9)
            lines = [TimedLine(at * 500, at * 500 + 400, f"writing{writing} of{count}") for at in range(count)]
            library.texts.replace(video_id, TextSource(kind="subtitle", origin=str(draw.randrange(SOURCES))), lines)
            way = draw.random()
            if way < 0.1:
                library.remove_videos([video_id])
            elif way < 0.2:
                library.hide_videos([video_id])
            elif way < 0.3:
                add(library, make_video(f"/f/{number}.mp4", f"{number:x}"), count=draw.randrange(1, 6))
            elif way < 0.4:
                library.copy_video(video_id, path=f"/g/{number}.mp4", size_bytes=1, modified_ns=1)
            for hidden in library.vanished_videos()[:1] if way > 0.8 else []:
                library.touch_video(hidden.video_id, path=hidden.path, size_bytes=1, modified_ns=1)


def examine_texts(directory: Path) -> list[str]:
    """Return what is wrong with the texts of a library."""
    from db.library import Library

    if not (directory / "library.sqlite3").exists():
        return []
    with Library.open(directory) as library:
        if problems := library.check():
            return problems
        for video_id, sources in library.texts.sources_of().items():
            for source in sources:
                texts = [each.line.text for each in library.texts.lines(video_id, source_id=source.id)]
                if len(set(texts)) != 1 or not texts[0].endswith(f" of{len(texts)}") or len(texts) != source.lines:
                    return [f"a source has {len(texts)} lines of {len(set(texts))} writings"]
                word = texts[0].split()[0]
                found = library.texts.match_words(f'{{text}} : "{word}"', [f'"{word}"']).ids
                if found.size < len(texts):
                    return [f"a search finds {found.size} of {len(texts)} lines"]
    return []
