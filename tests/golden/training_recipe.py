"""Reference numbers of losses, optimizers and schedules, by JAX and optax in float64: training_golden.npz.

    python tests/golden/training_recipe.py        # jax 0.10.2, optax 0.2.8

The inputs below need numpy alone, so that a test can draw them again.
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
STEPS, RATE, DECAY, WARMUP = 12, 0.02, 0.3, 3
SHAPES = {"matrix": (130, 140), "vector": (7,), "scalar": ()}
SIZES = {"matrix": 1.0, "vector": 1e-8, "scalar": 30.0}  # of gradients: torch's own epsilon would stop the vector


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def contrast_inputs():
    """Unit rows of clips and sentences, float64 (8, 16), and the logarithm of the scale."""
    rng = np.random.default_rng(401)
    video = rng.normal(size=(8, 16))
    return unit(video), unit(video + rng.normal(size=(8, 16))), np.log(14.0)


def distillation_inputs():
    """Predictions and targets, float64 (3, 5, 16)."""
    rng = np.random.default_rng(402)
    return rng.normal(size=(3, 5, 16)), rng.normal(size=(3, 5, 16))


def first_parameters():
    rng = np.random.default_rng(403)
    return {name: rng.normal(size=shape) * 0.3 for name, shape in SHAPES.items()}


def gradients(step):
    """Gradients of a step, whatever the parameters are. A row and an entry are zero."""
    rng = np.random.default_rng((404, step))
    drawn = {name: np.asarray(rng.normal(size=shape) * SIZES[name]) for name, shape in SHAPES.items()}
    drawn["matrix"][5] = 0
    drawn["vector"][2] = 0
    return drawn


def kept(name, value):
    """What is stored of a parameter: some entries of the matrix, all of the others."""
    return value[::13, ::14] if name == "matrix" else value


def main():
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import optax

    out = {}
    labels = jnp.arange(8)

    def contrast(video, text, log_scale):
        logits = jnp.exp(log_scale) * video @ text.T
        each = optax.softmax_cross_entropy_with_integer_labels
        return (each(logits, labels).mean() + each(logits.T, labels).mean()) / 2

    loss, grads = jax.value_and_grad(contrast, argnums=(0, 1, 2))(*contrast_inputs())
    out["contrast/loss"] = loss
    out.update({f"contrast/d_{name}": g for name, g in zip(("video", "text", "log_scale"), grads, strict=True)})

    def distil(predicted, target):
        return optax.cosine_distance(predicted, target).mean()

    predicted, target = distillation_inputs()
    out["distillation/loss"], out["distillation/d_predicted"] = jax.value_and_grad(distil)(predicted, target)

    schedules = {
        "cosine": optax.warmup_cosine_decay_schedule(0.0, RATE, WARMUP, STEPS, end_value=RATE / 50),
        "linear": optax.join_schedules(
            [optax.linear_schedule(0.0, RATE, WARMUP), optax.linear_schedule(RATE, RATE / 50, STEPS - WARMUP)], [WARMUP]
        ),
        "constant": optax.warmup_constant_schedule(0.0, RATE, WARMUP),
        "started": optax.warmup_cosine_decay_schedule(RATE / 10, RATE, WARMUP, STEPS, end_value=0.0),
    }
    for name, schedule in schedules.items():
        out[f"schedule/{name}"] = np.array([schedule(step) for step in range(STEPS + 3)])

    rate = schedules["cosine"]
    matrices = {name: name == "matrix" for name in SHAPES}
    optimizers = {
        "adamw": optax.adamw(rate, b1=0.9, b2=0.98, eps=1e-8, weight_decay=DECAY, mask=matrices),
        "adafactor": optax.adafactor(
            rate, weight_decay_rate=lambda step: rate(step) * DECAY, weight_decay_mask=matrices
        ),
    }
    for name, optimizer in optimizers.items():
        params = {key: jnp.asarray(value) for key, value in first_parameters().items()}
        state = optimizer.init(params)
        for step in range(STEPS):
            updates, state = optimizer.update({k: jnp.asarray(g) for k, g in gradients(step).items()}, state, params)
            params = optax.apply_updates(params, updates)
            for key, value in params.items():
                out[f"{name}/{step}/{key}"] = kept(key, np.asarray(value))
    np.savez_compressed(HERE / "training_golden.npz", **{key: np.asarray(value) for key, value in out.items()})


if __name__ == "__main__":
    main()
