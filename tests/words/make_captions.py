"""Make captions.png and captions.json: twenty captions in two scripts, one a row, white on black.

    python tests/words/make_captions.py

They are drawn once, because a machine that runs the tests may have no font for them. DejaVu Sans (its own free licence)
and WenQuanYi Micro Hei (Apache-2.0 or GPL-3.0 with the font exception) are installed on Debian as fonts-dejavu-core and
fonts-wqy-microhei. Neither font is part of this repository, only these words drawn from them.
"""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
FONTS = Path("/usr/share/fonts/truetype")
ROW, SIZE = 64, 46

LATIN = (
    "Harvest in the valley", "Port of Rotterdam", "BREAKING NEWS", "Élodie Müller, baker", "Chapter 3: The Bridge",
    "Quiet please", "42 km to Oslo", "Café de la Gare", "THE END", "Summer of 1987",
)  # fmt: skip
CHINESE = (
    "今日天气晴朗", "北京欢迎你", "第三章大桥", "请保持安静", "新闻联播", "长城日出", "山间小路", "夏天的回忆",
    "火车站出口", "谢谢观看",
)  # fmt: skip


def make(folder: Path) -> None:
    """Write both files. A row of the table is the text and its width in pixels; rows of the picture are `ROW` high."""
    drawn = []
    for text, font in [(each, "dejavu/DejaVuSans.ttf") for each in LATIN] + [
        (each, "wqy/wqy-microhei.ttc") for each in CHINESE
    ]:
        letters = ImageFont.truetype(str(FONTS / font), SIZE)
        width = round(letters.getlength(text))
        row = Image.new("L", (width, ROW))
        ImageDraw.Draw(row).text((0, ROW // 2), text, font=letters, fill=255, anchor="lm")
        drawn.append((text, row))
    sheet = Image.new("L", (max(row.width for _, row in drawn), ROW * len(drawn)))
    for i, (_, row) in enumerate(drawn):
        sheet.paste(row, (0, i * ROW))
    sheet.quantize(16).save(folder / "captions.png", optimize=True)
    table = [{"text": text, "width": row.width} for text, row in drawn]
    (folder / "captions.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    make(HERE)
