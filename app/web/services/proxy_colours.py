"""Colours of proxies, by ffmpeg's filters: HDR is tone mapped, transparency over grey, all four colour tags stated.

The results are those of posters and previews: see `indexer.media.tone_map` and `indexer.media.alpha`.
"""

from __future__ import annotations

import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.media.colour_tags import ColourTags


@lru_cache
def can_tone_map(program: str) -> bool:
    """Return whether this ffmpeg has zscale, which some builds lack. Their proxies of HDR keep its colours and say so.

    Browsers tone map such a proxy themselves, as they do with HDR files that they can play.
    """
    try:
        asked = [program, "-hide_banner", "-h", "filter=zscale"]
        told = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return b"AVOptions" in told.stdout


def over_grey(stream: Any) -> Any:
    """Compose a transparent picture over grey, before it is scaled; it becomes RGB."""
    import ffmpeg

    from indexer.media.alpha import GREY

    parts = stream.filter("format", "rgba").filter_multi_output("split")
    behind = parts[0].filter("drawbox", color=f"0x{GREY:02x}{GREY:02x}{GREY:02x}", thickness="fill", replace=1)
    return ffmpeg.filter([behind, parts[1]], "overlay", format="rgb").filter("format", "gbrp")


def tone_mapped(stream: Any, source: ColourTags, *, is_rgb: bool) -> Any:
    """Map HDR to BT.709 in YUV 4:2:0 with 8 bits."""
    from indexer.media.tone_map import KNEE, PEAK

    if not is_rgb:  # zscale refuses what is not stated
        stream = stream.filter("setparams", **_parameters(source))
    stream = stream.filter("zscale", transfer="linear", npl=203, matrix="gbr").filter("format", "gbrpf32le")
    stream = stream.filter("zscale", primaries="bt709")
    stream = stream.filter("tonemap", "mobius", param=KNEE, peak=f"{PEAK:.4f}", desat=0)
    return stream.filter("zscale", transfer="bt709", matrix="bt709", range="limited").filter("format", "yuv420p")


def tagged(stream: Any, tags: ColourTags) -> Any:
    """State the colours of a stream of limited range."""
    from indexer.media.colour_tags import ColourTags

    return stream.filter("setparams", **_parameters(ColourTags(tags.matrix, tags.primaries, tags.transfer)))


def _parameters(tags: ColourTags) -> dict[str, Any]:
    names = {"colorspace": tags.matrix, "color_primaries": tags.primaries, "color_trc": tags.transfer}
    return {**names, "range": tags.range}
