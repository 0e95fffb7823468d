"""Generator of the sprites: draw the things of the demo world into one atlas, demo/sprites.png, in 10 columns.

    python demo/make_sprites.py /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf

The pictures are Noto Color Emoji's (Google, SIL Open Font License 1.1). Each gets a white rim with a faint dark edge,
as stickers have, so that a red apple stands out on red.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.things import THINGS

SIDE, COLUMNS = 128, 10
STRIKE = 109  # the one size in the font's bitmap table


def sticker(emoji: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    """Draw one thing, RGBA, SIDE x SIDE."""
    canvas = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(canvas).text((30, 30), emoji, font=font, embedded_color=True)
    box = canvas.getbbox()
    if box is None:
        raise SystemExit(f"the font has no picture of {emoji!r}")
    picture = canvas.crop(box)
    scale = (SIDE - 16) / max(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    sprite = Image.new("RGBA", (SIDE, SIDE))
    sprite.paste(picture, ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2))
    alpha = sprite.getchannel("A")
    result = Image.new("RGBA", (SIDE, SIDE))
    for spread, colour, strength in ((13, (40, 40, 40), 0.6), (9, (255, 255, 255), 1.0)):
        rim = alpha.filter(ImageFilter.MaxFilter(spread)).filter(ImageFilter.GaussianBlur(1))
        layer = Image.new("RGBA", (SIDE, SIDE), (*colour, 0))
        layer.putalpha(rim.point([int(a * strength) for a in range(256)]))
        result = Image.alpha_composite(result, layer)
    return Image.alpha_composite(result, sprite)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("font", type=Path, help="NotoColorEmoji.ttf")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sprites.png")
    args = parser.parse_args()
    font = ImageFont.truetype(str(args.font), STRIKE)
    rows = -(-len(THINGS) // COLUMNS)
    atlas = Image.new("RGBA", (COLUMNS * SIDE, rows * SIDE))
    for i, (emoji, _) in enumerate(THINGS.values()):
        atlas.paste(sticker(emoji, font), (i % COLUMNS * SIDE, i // COLUMNS * SIDE))
    pixels = np.asarray(atlas).copy()
    pixels[pixels[..., 3] == 0] = 0  # the same bytes wherever nothing is
    Image.fromarray(pixels).quantize(256, Image.Quantize.FASTOCTREE).save(args.out, optimize=True)
    print(f"{len(THINGS)} sprites in {args.out}, {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
