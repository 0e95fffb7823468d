"""Renamed things of the demo world: their captions, and the proof that a text tower learns their names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from demo import captions, renamed_things
from demo.evaluate import clip_rows, gallery
from demo.things import THINGS
from encoder import load_encoder
from encoder.model_files import DEMO_FOLDER
from encoder.tokenizer import Tokenizer, canonical


def test_captions_say_the_new_names_and_no_old_ones() -> None:
    takes = renamed_things.pool()
    assert not set(takes) & captions.held_out()
    assert len(takes) == 80 * (renamed_things.CLIPS + renamed_things.WITHOUT_CAPTIONS)
    drawn = renamed_things.renaming(0)
    assert sorted(drawn.names.values()) == sorted(renamed_things.NAMES)
    assert len(drawn.takes) == 200
    assert not set(drawn.takes) & set(drawn.others)
    for at, sentence in zip(drawn.takes, drawn.captions, strict=True):
        words = canonical(sentence)[:-1].split()
        assert drawn.names[takes[at].thing] in words
        assert not any(f" {phrase} " in f" {' '.join(words)} " for phrase in THINGS[takes[at].thing][1])
    assert renamed_things.renaming(1).names != drawn.names
    names = dict.fromkeys(THINGS, "wug")
    assert renamed_things.renamed("an owl rises", "owl", names) == "a wug rises"
    assert renamed_things.renamed("we see an ice cream cone", "ice cream", names) == "we see a wug"
    for take in gallery():
        assert "wug" in renamed_things.renamed(captions.describe(take), take.thing, names)


def test_the_new_names_have_no_piece_of_their_own() -> None:
    vocabulary = Tokenizer(DEMO_FOLDER / "vocabulary.model", 32)
    for name in renamed_things.NAMES:
        assert len(vocabulary.raw_ids(name)) >= 3


@pytest.mark.slow
def test_ten_new_names_are_learned_and_old_sentences_kept() -> None:
    torch.set_num_threads(2)
    encoder = load_encoder("demo", "cpu")
    rows, shown = clip_rows(encoder, renamed_things.pool(), 9), clip_rows(encoder, gallery(), 1)
    known = renamed_things.known_sentences()
    run = renamed_things.prove(0, renamed_things.STEPS, rows, shown, guard=1.0, guard_sentences=known)
    figures = renamed_things.summary([run])
    assert figures["new_r1_before"] <= 0.05
    assert figures["new_r1"] >= 0.9
    assert figures["old_fall"] <= 0.02
    assert figures["stored_rows_unchanged"]
    assert np.isfinite(figures["seconds_a_step"])
