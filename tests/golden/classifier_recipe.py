"""Deterministic stand-in parameters for the official classifier (FactorizedVideoClassifier), by the rules of param_recipe.

`shapes` has the keys and shapes of a Flax init of the official code; classifier_golden.npz has that init's own list.
"""

import param_recipe

CLASSES = 5


def plain(name):
    """The configuration called `name` in param_recipe, without its text tower and auxiliary layers."""
    return dict(param_recipe.CONFIGS[name], lvt=False)


def head_shapes(dim, heads, classes=CLASSES):
    """Keys and shapes of the head: pooler (its heads together D wide) and projection."""
    pool, wide = "params/atten_pooler/", (dim, heads, dim // heads)
    out = {}
    for m in ("query", "key", "value"):
        out[pool + "pooling_attention/%s/w" % m] = wide
        out[pool + "pooling_attention/%s/b" % m] = wide[1:]
    out[pool + "pooling_attention/post/w"] = wide
    out[pool + "pooling_attention/post/b"] = (dim,)
    out[pool + "pooling_attention/per_dim_scale/per_dim_scale"] = wide[2:]
    out[pool + "pooling_attention_layer_norm/scale"] = (dim,)
    out[pool + "pooling_attention_layer_norm/bias"] = (dim,)
    out[pool + "pooling_attention_query"] = (1, dim)
    out["params/projection/linear/kernel"] = (dim, classes)
    out["params/projection/linear/bias"] = (classes,)
    return out


def shapes(cfg, classes=CLASSES):
    """All keys -> shapes of the classifier around the plain configuration `cfg`."""
    encoder = {"params/encoder/" + k[len("params/"):]: s for k, s in param_recipe.shapes(cfg).items()}
    return dict(sorted({**encoder, **head_shapes(cfg["dim"], cfg["heads"], classes)}.items()))


def params(name):
    return {k: param_recipe.value(k, s) for k, s in shapes(plain(name)).items()}


def clips(name):
    """Two clips, uint8 (2, T, S, S, 3), as high as wide: the table of `odd` (3 x 4) is resized for them."""
    cfg = param_recipe.CONFIGS[name]
    size = cfg["patch"] * max(cfg["pos"][1:])
    return [param_recipe.clip_u8(seed, cfg["pos"][0], size) for seed in (301, 302)]
