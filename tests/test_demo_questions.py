"""Questions about the demo world: present ones are answered, absent ones are not, sequences alone tell edits apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from demo import captions, edits, evaluate, other_worlds, questions, world
from demo.world import Take


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def content() -> questions.World:
    return questions.make_world(0)


def test_a_world_lacks_what_it_says_and_has_the_rest(content: questions.World) -> None:
    shown = {take.thing for take in content.takes}
    assert not shown & content.absent_things
    assert len(shown) > 60
    assert {take.motion for take in content.takes} == set(world.MOTIONS) - content.absent_motions
    assert {take.background for take in content.takes} == set(world.BACKGROUNDS) - content.absent_backgrounds
    assert set(content.takes) <= captions.held_out()
    assert len(set(content.takes)) == len(content.takes) > 400
    assert len({motion for seed in range(8) for motion in questions.make_world(seed, 1).absent_motions}) == 8
    assert max(Counter(questions.make_world(3, 1100).takes).values()) <= 3


def test_present_questions_are_answered_and_absent_ones_are_not(content: questions.World) -> None:
    present = questions.present_questions(content, chance(), 30)
    assert {question.kind for question in present} == {
        "sentence", "thing+motion", "thing+background", "word", "motion-only",
    }  # fmt: skip
    assert all(question.present and any(map(question.answered_by, content.takes)) for question in present)
    absent = [
        *questions.absent_questions(content, chance(), 30),
        *questions.combination_questions(content, chance(), 30),
    ]
    assert not any(question.present or any(map(question.answered_by, content.takes)) for question in absent)
    assert {question.kind for question in absent} == {
        "thing", "motion", "background", "word", "motion-only", "other-world", "combination",
    }  # fmt: skip
    assert not {question.text for question in present} & {question.text for question in absent}
    words = {
        word for thing in content.absent_things for phrase in questions.THINGS[thing][1] for word in phrase.split()
    }
    assert all(set(question.text.split()) & words for question in absent if question.kind in ("thing", "word"))


def test_questions_are_the_same_for_the_same_seed(content: questions.World) -> None:
    first, again, other = (
        [question.text for question in questions.present_questions(content, chance(seed), 5)] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_other_worlds_share_no_word_with_the_demo_world() -> None:
    plain = other_worlds.plain_questions(400, chance())
    assert Counter(form for form, _ in plain) == dict.fromkeys(other_worlds.FORMS, 100)
    nonsense = other_worlds.nonsense_questions(400, chance())
    assert set(Counter(kind for kind, _ in nonsense).values()) == {200}
    assert len({text for _, text in [*plain, *nonsense]}) == 800
    rng = chance()
    ours = {
        word.strip(",")
        for take in captions.held_out()
        for text in (captions.caption(take, rng), captions.caption(take, rng), captions.motion_words(take.motion, rng))
        for word in text.split()
    }
    salad = [each for each in nonsense if each[0] == "salad"]  # noise may strike a word by chance
    shared = {word for _, text in [*plain, *salad] for word in text.split()} & ours
    assert shared <= {"a", "an", "the", "is", "in", "at", "with", "of", "behind"}


def test_composed_questions_have_one_answer() -> None:
    takes = evaluate.gallery()
    asked = questions.composed_questions(takes, chance(), 300)
    assert len(asked) == 300
    for question in asked:
        example, target = takes[question.example], takes[question.target]
        assert (example.thing, example.background) == (target.thing, target.background)
        assert example.motion != target.motion
    assert len({question.example for question in asked}) == 300


def test_an_exclusion_leaves_something_right() -> None:
    takes = evaluate.gallery()
    for asked in questions.exclusions(takes, chance(), 50):
        assert sum(map(asked.right, takes)) == 7
        assert any(asked.wrong(take) for take in takes if not asked.right(take))


def test_every_concept_is_among_the_takes_and_rare() -> None:
    takes = sorted(captions.held_out())
    shares = {name: sum(map(fits, takes)) / len(takes) for name, fits in questions.CONCEPTS.items()}
    assert all(0.02 < share < 0.35 for share in shares.values()), shares


def test_only_the_right_video_of_each_question_is_its_answer_among_those_made_for_it() -> None:
    videos, asked = edits.edited_videos(chance(), two_steps=24, three_steps=12)
    roles = Counter(video.role for video in videos)
    assert roles["right"] == roles["too far"] == roles["other order"] == 36
    assert roles["both in one shot"] == 6
    for video in videos:
        question = asked[video.question]
        assert question.answered_in(video) == (video.role == "right"), (video.role, question)
        assert question.answered_in(video, any_order=True) == (video.role in ("right", "other order"))
        assert 3 <= len(video.takes) <= 20


def test_a_chain_ends_where_it_may() -> None:
    first, second = Take("dog", "red", "spin"), Take("cat", "blue", "rise")
    question = edits.ChainQuestion(("a", "b"), (first.__eq__, second.__eq__), 2.0, "sentence")
    apart = edits.Edit((first, Take("bus", "red", "fall"), second), (3.0, 2.0, 3.0), "right", 0)
    assert question.answers(apart, (0, 2))
    assert not question.answers(apart, (2, 0))
    assert not question.answers(apart, (0, 1))
    assert not question.answers(apart, (0,))
    assert not edits.ChainQuestion(("a", "b"), (first.__eq__, second.__eq__), 1.9, "").answered_in(apart)
    same = edits.ChainQuestion(("a", "b"), (first.__eq__, first.__eq__), 9.0, "")
    assert not same.answered_in(apart), "one shot does not meet two steps"
