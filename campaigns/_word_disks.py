"""A full disk while words are stored: subtitles of new videos, text that is read on screen, speech that is transcribed.

Stand-ins recognise what the tests of recognition paint and play; they say it at length, so that words fill a disk.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from campaigns._campaign import Case
from campaigns._children import Fault, call, command, require_one_line
from campaigns._libraries import BLEND, examine
from campaigns._small_disk import small_disk

FILMS = 5
STAGES = ("index", "read-text", "transcribe")


def fill_words(case: Case) -> None:
    """The disk is full at some moment of one of the stages; with room again, the library has all words."""
    folder = Path(case.once("films", lambda made: call(make_films, made, log=case.log("films"))))
    stage = STAGES[case.number % len(STAGES)]
    before, wanted, grown = case.once(stage, lambda made: undisturbed(case, folder, stage, made))
    with small_disk(case.folder / "disk") as disk:
        library = disk.folder / "library"
        if before is not None:
            shutil.copytree(before, library)
        # The write-ahead log and the full-text indexes need several times what stays.
        disk.leave(int(case.random.uniform(0.0, 12.0) * grown))
        full = run(case, "full", folder, stage, library)
        case.count(f"{stage} on a full disk" if full else f"{stage} that fitted")
        disk.free()
        if (library / "library.sqlite3").exists() and (library / "library.sqlite3").stat().st_size:
            examine(library)
        if run(case, "again", folder, stage, library):
            raise Fault(f"{stage} with room again fails")
        examine(library)
        if (found := call(words_of, library, log=case.log("words"))) != wanted:
            missing = [name for name in wanted if found.get(name) != wanted[name]]
            raise Fault(f"{stage}: the words of {missing or sorted(found)} are not those of an undisturbed run")


def undisturbed(case: Case, folder: Path, stage: str, made: Path) -> tuple[Path | None, Any, int]:
    """Return the library before a stage (None: there is none), its words after it, and by how many bytes it grew."""
    library = made / "after"
    made.mkdir()
    for each in STAGES[: STAGES.index(stage)]:
        run(case, f"before-{each}", folder, each, library)
    if library.exists():
        shutil.copytree(library, made / "before")
    run(case, "undisturbed", folder, stage, library)
    sizes = [sum(path.stat().st_size for path in each.rglob("*") if path.is_file()) for each in made.iterdir()]
    before = made / "before" if (made / "before").exists() else None
    return before, call(words_of, library, log=case.log("words")), max(sizes) - (min(sizes) if before else 0)


def run(case: Case, name: str, folder: Path, stage: str, library: Path) -> int:
    """Run a stage and return its exit code. Raises Fault where it does not end in words."""
    words = {
        "index": ("index", folder, *BLEND),
        "read-text": ("index", folder, *BLEND, "--read-text"),
        "transcribe": ("transcribe", folder, "--also-subtitled"),
    }[stage]
    child = command(words, case.log(name), library=library, prepare=recognize_at_length)
    child.wait()
    require_one_line(child, f"{stage} ({name})", codes=[0, 1, 3])
    return child.code or 0


def recognize_at_length() -> None:
    """Let this process recognise words with stand-ins."""
    from dataclasses import replace

    from stand_in_recognition import PaintedTextReader, ToneTranscriber

    from app import word_engines
    from recognition.protocol import FoundText
    from recognition.speech.passages import Heard

    class Reader(PaintedTextReader):
        def read(self, frame: Any) -> list[FoundText]:
            return [
                replace(
                    found, text=f"{found.text} {number} " + "written at length " * 20, box=(0, number / 60, 1, 0.01)
                )
                for found in super().read(frame)
                for number in range(60)
            ]

    class Transcriber(ToneTranscriber):
        def _hear(self, samples: Any, language: str | None) -> Heard:
            heard = super()._hear(samples, language)
            lines = (replace(line, text=line.text + " said at length" * 500, words=()) for line in heard.lines)
            return replace(heard, lines=tuple(lines))

    word_engines.require_text_reader = lambda: None
    word_engines.open_text_reader = Reader
    word_engines.text_reader_id = lambda: Reader.id
    word_engines.require_speech = lambda: None
    word_engines.open_transcriber = lambda settings, model, sources: Transcriber()


def make_films(folder: Path) -> Path:
    """Write talking films with text in their pictures and long subtitles beside them."""
    from stand_in_recognition import WORDS, say
    from synthetic import make_video
    from talkies import SIZE, card, make_talkie

    folder.mkdir()
    spoken = list(WORDS)
    for number in range(FILMS):
        make_talkie(folder / f"talk {number}.mkv", say(*(part for word in spoken for part in (word, 0.3))), seconds=4)
        make_video(folder / f"card {number}.mp4", [(card(f"card{number}", 60), 25), (card("", 200), 25)], size=SIZE)
        for name in ("talk", "card"):
            cues = (
                f"{at + 1}\n00:00:00,{at:03} --> 00:00:01,{at:03}\n{name} {number} cue {at} " + "in a subtitle " * 8
                for at in range(300)
            )
            (folder / f"{name} {number}.srt").write_text("\n\n".join(cues) + "\n", encoding="utf-8")
    return folder


def words_of(library: Path) -> dict[str, Any]:
    """Return the lines of each video, by name, kind and source."""
    from db.library import Library

    found: dict[str, Any] = {}
    with Library.open(library, create=False) as opened:
        sources = opened.texts.sources_of()
        for video in opened.videos():
            found[Path(video.path).name] = [
                (source.kind, source.language, [
                    (each.line.start_ms, each.line.end_ms, each.line.text)
                    for each in opened.texts.lines(video.id or 0, source_id=source.id)
                ])
                for source in sources.get(video.id or 0, ())
            ]  # fmt: skip
    return found
