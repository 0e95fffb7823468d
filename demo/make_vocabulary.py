"""Training of the demo encoder's SentencePiece vocabulary, on captions of both demo worlds.

    python demo/make_vocabulary.py --out FILE

The layout is that of c4_en, VideoPrism's own vocabulary: pad 0, end 1, unknown 2, no beginning, then the 256 bytes.
`demo/recipe.py` makes it for the weights that it trains.
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
from demo.sampler import drawn_scenes
from demo.sentences import random_meaning, sentence
from encoder.tokenizer import canonical

SENTENCES = 20_000
PIECES = 600
"""Nearly every word is a piece of its own, and a caption has 13.4 pieces on average: with 512 it has 15.8. The captions
have no more than about 610."""


def make(sentences: int = SENTENCES, pieces: int = PIECES) -> bytes:
    """Return a SentencePiece model, the same each time.

    Args:
        sentences: How many captions of the grown world it is trained on, none of them held out; of today's world it is
            half as many.
        pieces: The number of pieces, the 256 bytes and the signs included.
    """
    rng = np.random.default_rng(0)
    takes = [world.Take(t, b, m) for t in world.THINGS for b in world.BACKGROUNDS for m in world.MOTIONS]
    chosen = rng.choice(len(takes), sentences // 2)
    texts = {canonical(captions.caption(takes[at], rng)) for at in chosen}
    for scene, _ in zip(drawn_scenes(rng, still=False, size=sentences), range(sentences), strict=False):
        texts.add(canonical(sentence(random_meaning(scene, rng), rng)))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sorted(texts)), model_writer=model, model_type="unigram", vocab_size=pieces,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, byte_fallback=True, character_coverage=1.0, num_threads=1,
        normalization_rule_name="nmt_nfkc", train_extremely_large_corpus=False, minloglevel=2,
    )  # fmt: skip
    return model.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model = make()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(model)
    print(f"{PIECES} pieces, {len(model)} bytes in {args.out}")


if __name__ == "__main__":
    main()
