"""The configuration of a training run: TOML in and out, defaults of each stage, and one sentence for what is wrong."""

from __future__ import annotations

import pytest

from training.configuration import begun_config, config_of, from_toml
from training.errors import ConfigurationError
from training.setting_values import parse_assignment
from training.stage_defaults import STAGES

HOSTILE = 'C:\\films\\"a" \u2028\x7f\x01 ü'


@pytest.mark.parametrize("stage", STAGES)
def test_a_configuration_is_the_same_after_toml(stage: str) -> None:
    config = config_of({"stage": stage, "captions": HOSTILE, "loop.beta2": 0.98, "validation": 0})
    assert config_of(from_toml(config.to_toml())) == config
    assert config.captions == HOSTILE
    assert config.loop.beta2 == 0.98
    assert 0 < config.loop.warmup_steps < config.loop.steps


def test_defaults_follow_the_steps() -> None:
    config = config_of({"loop": {"steps": 1}})
    assert (config.loop.warmup_steps, config.loop.validate_every) == (0, 1)
    assert config_of({"loop.steps": 1000}).loop.warmup_steps == 100


def test_a_stage_has_only_its_own_settings() -> None:
    assert "mask" not in config_of({}).values()
    assert "mask" in config_of({"stage": "stage2"}).values()
    assert "captions" not in config_of({}).shaping()


def test_other_values_keep_what_was_said_before() -> None:
    config = config_of({"loop.steps": 50, "rank": 4})
    again = config.changed({"loop.steps": 60})
    assert (again.loop.steps, again.loop.warmup_steps, again.rank) == (60, 5, 4)
    with pytest.raises(ConfigurationError, match="of the stage text, not lit"):
        config.changed({"stage": "lit"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"stage": "stage3"}, "there is no stage 'stage3'; the stages are text, lit"),
        ({"stage": ["text"]}, "there is no stage"),
        ({"bach": 3}, "there is no setting bach; is batch meant?"),
        ({"learning_rate": 1}, "there is no setting learning_rate; is loop.learning_rate meant?"),
        ({"loop": {"step": 1}}, "is loop.steps meant"),
        ({"loop": 7}, "there is no setting loop"),
        ({"mask_ratio": 0.5}, "mask_ratio is a setting of stage2, not of the stage text"),
        ({"batch": True}, "batch is a whole number, got True"),
        ({"batch": 0}, "batch is from 1"),
        ({"batch": 2.0}, "batch is a whole number, got 2.0"),
        ({"guard": float("nan")}, "guard is a number"),
        ({"validation": 1}, "validation is from 0 to 0.9"),
        ({"tuned": "all"}, "tuned is lora, last, got 'all'"),
        ({"checkpointing": 1}, "checkpointing is true or false"),
        ({"captions": 1}, "captions is a text"),
        ({"loop.steps": "many"}, "loop.steps is a whole number"),
        ({"loop.steps": 0}, "steps is at least 1"),
        ({"loop.optimizer": "sgd"}, "loop.optimizer is adamw, adafactor"),
    ],
)
def test_what_is_wrong_is_one_sentence(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        config_of(given)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["stage = text", "[loop", "a.b.c = 1", "\0", "[" * 5000])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        from_toml(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("loop.beta2=0.98", ("loop.beta2", 0.98)),
        ("stage = lit", ("stage", "lit")),
        ("loop.save-every=10", ("loop.save_every", 10)),
        ("shuffle=false", ("shuffle", False)),
        ('captions="a b"', ("captions", "a b")),
        ("captions=a=b.csv", ("captions", "a=b.csv")),
    ],
)
def test_assignments_are_read_as_toml_or_as_text(text: str, found: tuple[str, object]) -> None:
    assert parse_assignment(text) == found


def test_a_setting_of_later_versions_is_what_was_done_before_in_a_run_that_was_begun() -> None:
    values = config_of({"stage": "text"}).values()
    assert (values["rank"], values["loop"]["patience"]) == (8, 5)
    assert begun_config(values).values() == values
    del values["rank"], values["micro"], values["loop"]["patience"]  # as if they came later
    begun = begun_config(values)
    assert (begun.rank, begun.micro, begun.loop.patience) == (16, 0, 0), "the defaults of the fields, not of the stage"
    assert begun.before().items() >= {"rank": 16, "micro": 0}.items()


def test_the_figure_that_decides_is_one_that_the_stage_has() -> None:
    assert config_of({"stage": "stage2", "loop.best_by": "local"}).loop.best_by == "local"
    with pytest.raises(ConfigurationError, match="best_by is score, recall, kept, got 'accuracy'"):
        config_of({"loop.best_by": "accuracy"})
