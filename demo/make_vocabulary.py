"""Training of the demo encoder's SentencePiece vocabulary, on captions of the demo world.

    python demo/make_vocabulary.py

The layout is that of c4_en, VideoPrism's own vocabulary: pad 0, end 1, unknown 2, no beginning, then the 256 bytes.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import numpy as np
import sentencepiece

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import captions, world
from encoder.config import DEMO
from encoder.tokenizer import canonical


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "encoder/demo/vocabulary.model")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    takes = [world.Take(t, b, m) for t in world.THINGS for b in world.BACKGROUNDS for m in world.MOTIONS]
    sentences = sorted({canonical(captions.caption(take, rng)) for take in takes for _ in range(4)})
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, model_type="unigram", vocab_size=DEMO.vocabulary,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, byte_fallback=True, character_coverage=1.0, num_threads=1,
        normalization_rule_name="nmt_nfkc", train_extremely_large_corpus=False, minloglevel=2,
    )  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(model.getvalue())
    print(f"{len(sentences)} sentences, {DEMO.vocabulary} pieces, {args.out.stat().st_size} bytes in {args.out}")


if __name__ == "__main__":
    main()
