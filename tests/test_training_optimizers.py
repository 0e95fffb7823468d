"""Optimizers and schedules: step by step what optax does, and which parameters decay."""

from __future__ import annotations

import goldens
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from encoder.pooler import AttentionPooler
from training.losses import Temperature
from training.optimizers import OptimizerSettings, make_optimizer, parameter_groups
from training.schedules import Schedule

RECIPE = goldens.training_recipe()
GOLDEN = goldens.golden("training")
NAMES = list(RECIPE.SHAPES)


def schedule(name: str) -> Schedule:
    """The schedules of the golden arrays."""
    peak, steps, warmup = RECIPE.RATE, RECIPE.STEPS, RECIPE.WARMUP
    return {
        "cosine": Schedule(peak, steps, warmup, end=peak / 50),
        "linear": Schedule(peak, steps, warmup, "linear", end=peak / 50),
        "constant": Schedule(peak, steps, warmup, "constant"),
        "started": Schedule(peak, steps, warmup, start=peak / 10),
    }[name]


# Schedules


@pytest.mark.parametrize("name", ["cosine", "linear", "constant", "started"])
def test_a_schedule_has_the_values_of_optax_at_every_step_and_beyond_the_last(name: str) -> None:
    expected = GOLDEN[f"schedule/{name}"]
    found = [schedule(name).at(step) for step in range(len(expected))]
    assert np.abs(np.array(found) - expected).max() < 1e-9


def test_a_schedule_starts_at_zero_peaks_after_the_warm_up_and_ends_at_its_end() -> None:
    for decay in ("cosine", "linear"):
        rates = Schedule(5e-4, 1000, 100, decay, end=1e-5)
        assert (rates.at(0), rates.at(100)) == (0, 5e-4)
        assert rates.at(1000) == pytest.approx(1e-5)
        assert 1e-5 < rates.at(999) < rates.at(101) < 5e-4


def test_a_schedule_without_warm_up_starts_at_its_peak() -> None:
    assert Schedule(0.1, 10).at(0) == 0.1
    assert Schedule(0.1, 1).at(0) == 0.1


@pytest.mark.parametrize(
    "values",
    [
        {"peak": 0.0}, {"peak": float("nan")}, {"start": 2.0}, {"start": -1.0}, {"end": 2.0}, {"end": -1.0},
        {"warmup": 10}, {"warmup": -1}, {"steps": 0}, {"decay": "sine"},
    ],
)  # fmt: skip
def test_a_schedule_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Schedule(**{"peak": 1.0, "steps": 10, **values})  # type: ignore[arg-type]


# Optimizers, step by step


class ThreeParameters(nn.Module):
    """The parameters of the golden arrays. The matrix is that of a linear layer, so that it decays."""

    def __init__(self) -> None:
        super().__init__()
        first = {name: torch.tensor(value, dtype=torch.float32) for name, value in RECIPE.first_parameters().items()}
        self.layer = nn.Linear(1, 1, bias=False)
        self.layer.weight = nn.Parameter(first["matrix"])
        self.vector, self.scalar = nn.Parameter(first["vector"]), nn.Parameter(first["scalar"])

    def named(self) -> dict[str, nn.Parameter]:
        return {"matrix": self.layer.weight, "vector": self.vector, "scalar": self.scalar}


@pytest.mark.parametrize(
    "settings",
    [OptimizerSettings("adamw", betas=(0.9, 0.98)), OptimizerSettings("adafactor")],
    ids=lambda settings: settings.name,
)
def test_an_optimizer_makes_the_steps_of_optax(settings: OptimizerSettings) -> None:
    module = ThreeParameters()
    optimizer = make_optimizer(parameter_groups(module, RECIPE.DECAY), settings)
    for step in range(RECIPE.STEPS):
        for group in optimizer.param_groups:
            group["lr"] = schedule("cosine").at(step)
        gradients = RECIPE.gradients(step)
        for name, parameter in module.named().items():
            parameter.grad = torch.tensor(gradients[name], dtype=torch.float32)
        optimizer.step()
        for name, parameter in module.named().items():
            found = RECIPE.kept(name, parameter.detach().numpy())
            expected = GOLDEN[f"{settings.name}/{step}/{name}"]
            assert np.abs(found - expected).max() < 1e-6, (step, name)


def test_adafactor_factors_small_matrices_too() -> None:
    """The algorithm of torch for a matrix, written out: optax would not factor one of 2 x 3."""
    value = np.array([[0.5, -0.2, 0.1], [0.3, 0.9, -0.4]])
    matrix = nn.Parameter(torch.tensor(value, dtype=torch.float32))
    optimizer = make_optimizer([{"params": [matrix], "weight_decay": 0.1}], OptimizerSettings("adafactor", 0.05))
    rows, columns = np.zeros((2, 1)), np.zeros((1, 3))
    for step in range(1, 6):
        gradient = np.random.default_rng(step).normal(size=(2, 3))
        matrix.grad = torch.tensor(gradient, dtype=torch.float32)
        optimizer.step()
        fresh = step**-0.8
        rows += fresh * ((gradient**2).mean(1, keepdims=True) - rows)
        columns += fresh * ((gradient**2).mean(0, keepdims=True) - columns)
        update = gradient / np.sqrt(rows @ columns / rows.mean())
        update /= max(1.0, float(np.sqrt((update**2).mean())))
        size = max(1e-3, float(np.sqrt((value**2).mean())))
        value = value * (1 - 0.05 * 0.1) - min(0.05, step**-0.5) * size * update
        assert np.abs(matrix.detach().numpy() - value).max() < 1e-6


def test_an_epsilon_replaces_the_default() -> None:
    for name, key, expected in (("adamw", "eps", 1e-6), ("adafactor", "eps", (1e-6, 1e-3))):
        settings = OptimizerSettings(name, epsilon=1e-6)  # type: ignore[arg-type]
        made = make_optimizer(parameter_groups(nn.Linear(2, 2), 0.1), settings)
        assert all(group[key] == expected for group in made.param_groups)


@pytest.mark.parametrize(
    "values", [{"name": "sgd"}, {"learning_rate": -1.0}, {"betas": (0.9, 1.0)}, {"betas": (-0.1, 0.9)}]
)
def test_an_optimizer_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        OptimizerSettings(**values)  # type: ignore[arg-type]


# Which parameters decay


def decayed(module: nn.Module) -> set[str]:
    """Names of the parameters with weight decay."""
    groups = parameter_groups(module, 0.05)
    ids = {id(each) for group in groups if group["weight_decay"] for each in group["params"]}
    return {name for name, each in module.named_parameters() if id(each) in ids}


def test_matrices_of_linear_layers_decay_and_nothing_else_of_videoprism() -> None:
    network = nn.ModuleDict({"network": goldens.lvt("tiny").requires_grad_(), "temperature": Temperature()})
    names = decayed(network)
    assert "network.vision_encoder.spatial.layers.0.attention.qkv.weight" in names
    assert "network.vision_encoder.patch_projection.weight" in names
    assert "network.pooler.q.weight" in names
    assert "network.text_encoder.stack.layers.0.feed_forward.down.weight" in names
    kept = {name for name, _ in network.named_parameters()} - names
    for part in (
        "temperature.log_scale", "network.pooler.query", "network.pooler.per_dim_scale", "network.pooler.q.bias",
        "network.pooler.norm.weight", "network.vision_encoder.spatial_positions",
        "network.vision_encoder.temporal_positions", "network.text_encoder.token_embedding.weight",
        "network.text_encoder.class_embedding",
    ):  # fmt: skip
        assert part in kept
    assert {name.rsplit(".", 2)[-2] for name in kept if name.endswith(".weight")} <= {
        "token_embedding", "norm", "attention_norm", "feed_forward_norm", "spatial_norm", "temporal_norm",
    }  # fmt: skip


def test_the_matrices_of_torchs_own_attention_decay_but_not_its_biases() -> None:
    names = decayed(nn.TransformerEncoderLayer(8, 2, 16))
    assert names == {"self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear2.weight"}


def test_each_parameter_that_is_trained_is_in_one_group() -> None:
    pooler = AttentionPooler(8, 2, 16)
    pooler.q.requires_grad_(False)
    groups = parameter_groups(pooler, 0.05)
    grouped = [id(each) for group in groups for each in group["params"]]
    assert sorted(grouped) == sorted(id(each) for each in pooler.parameters() if each.requires_grad)
    assert [group["weight_decay"] for group in groups] == [0.05, 0.0]


def test_groups_without_parameters_are_left_out() -> None:
    assert [group["weight_decay"] for group in parameter_groups(nn.Linear(2, 2, bias=False), 0.1)] == [0.1]
    assert [group["weight_decay"] for group in parameter_groups(Temperature(), 0.1)] == [0.0]


def test_nothing_to_train_and_a_negative_decay_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing is to be trained"):
        parameter_groups(nn.Linear(2, 2).requires_grad_(False), 0.1)
    with pytest.raises(ValueError, match="at least 0"):
        parameter_groups(nn.Linear(2, 2), -0.1)


def test_the_state_of_an_optimizer_goes_on_in_another_one() -> None:
    """What a resumed run does: the same groups, in the same order, from the same module."""
    values: list[NDArray[np.float32]] = []
    for cut in (False, True):
        module = ThreeParameters()
        optimizer = make_optimizer(parameter_groups(module, 0.1), OptimizerSettings("adafactor"))
        for step in range(4):
            if cut and step == 2:
                state, again = optimizer.state_dict(), ThreeParameters()
                again.load_state_dict(module.state_dict())
                module = again
                optimizer = make_optimizer(parameter_groups(module, 0.1), OptimizerSettings("adafactor"))
                optimizer.load_state_dict(state)
            for name, parameter in module.named().items():
                parameter.grad = torch.tensor(RECIPE.gradients(step)[name], dtype=torch.float32)
            optimizer.step()
        values.append(module.layer.weight.detach().numpy())
    assert np.array_equal(*values)
