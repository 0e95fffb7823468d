"""Rooms that mutants are drawn from, each with its sources and the tests that answer for it.

Tests of other rooms may reach the same code. They do not count: a room should not owe its safety to its callers. Left
out are networks and kernels of the encoder with the published outputs that check them, and tests that drive a browser.
Of the JavaScript, the core counts, and each module that has a test file of its own: views are tested in a browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Room:
    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()
    language: Literal["python", "javascript"] = "python"
    tested: tuple[str, str] | None = None
    """folders of sources and tests: sources that have a test file of their own are added"""

    def source_paths(self, root: Path) -> list[str]:
        """Paths of the sources, relative to the root."""
        found = _matching(root, self.sources, self.without)
        if self.tested is not None:
            sources, tests = (root / folder for folder in self.tested)
            own = {test.relative_to(tests).as_posix().replace(".test.js", ".js") for test in tests.rglob("*.test.js")}
            found += [(sources / path).relative_to(root).as_posix() for path in own if (sources / path).is_file()]
        return sorted(set(found))

    def test_paths(self, root: Path) -> list[str]:
        return _matching(root, self.tests)


def _matching(root: Path, globs: tuple[str, ...], without: tuple[str, ...] = ()) -> list[str]:
    left_out = {path for glob in without for path in root.glob(glob)}
    found = {path for glob in globs for path in root.glob(glob) if path.is_file()}
    return sorted(path.relative_to(root).as_posix() for path in found - left_out)


def _tests(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/test_{name}.py" for name in names)


ROOMS = {
    room.name: room
    for room in (
        Room("db", ("db/**/*.py",), _tests("db_*")),
        Room("timelines", ("app/timelines/*.py",), _tests("timelines_*", "timecode_table", "page_and_lists")),
        Room(
            "exporting",
            ("app/exporting/**/*.py",),
            _tests("export*", "smart*", "cli_export*", "page_and_lists"),
        ),
        Room("metrics", ("metrics/*.py",), _tests("metrics*")),
        Room("recognition", ("recognition/**/*.py",), _tests("recognition_*")),
        Room("training", ("training/*.py",), _tests("training*", "probing")),
        Room(
            "search",
            ("search/**/*.py",),
            _tests(
                "search_engine*", "search_answer*", "several*", "equal_scores", "projection*", "vector_codes",
                "vector_index*", "vector_stress", "vectors_in_order", "near_duplicates*", "stacks*", "query*",
                "layout*", "cache_file*",
            ),
        ),
        Room(
            "indexer",
            ("indexer/**/*.py",),
            _tests(
                "alpha", "batches", "colour_tags", "cuts_and_encoders", "decoding*", "detector", "dolby_vision",
                "downscale", "fingerprint", "indexer_*", "learned_*", "one_pass", "orientation", "pipeline*", "plan",
                "reference_frames", "scan",
                "still_pictures", "tone_map", "transitions", "video_*",
            ),
        ),
        Room(
            "encoder",
            ("encoder/**/*.py",),
            _tests(
                "encoder_*", "checkpoint*", "cpu_encoder", "heads", "hub*", "lazy_encoder", "loading", "motion",
                "openclip*", "parity", "precision*", "reference_outputs", "shot_boundaries*", "tokenizer",
                "transformers_layout", "videoprism", "weights",
            ),
            without=(
                "encoder/model.py", "encoder/layers.py", "encoder/pooler.py", "encoder/published_outputs.py",
                "encoder/shot_boundaries/network.py",
                "encoder/openclip/torchvision_shim.py", "encoder/runtime/allocator.py",
                "encoder/runtime/capped_attention.py", "encoder/runtime/cpu_tower.py", "encoder/runtime/cuda.py",
                "encoder/runtime/fused_tower.py", "encoder/runtime/kernel_trust.py", "encoder/runtime/packed_block.py",
                "encoder/runtime/packed_linear.py", "encoder/runtime/plain_kernels.py", "encoder/runtime/staging.py",
                "encoder/runtime/token_layout.py", "encoder/runtime/triton_kernels.py",
            ),
        ),
        Room(
            "javascript",
            ("app/web/static/core/*.js",),
            ("tests/javascript/**/*.test.js",),
            language="javascript",
            tested=("app/web/static", "tests/javascript"),
        ),
    )
}  # fmt: skip
