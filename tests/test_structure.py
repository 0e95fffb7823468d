"""The structure of the code: benchmarks/structure.py finds what it is for, and finds nothing in this tree."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmarks.structure import QUESTION, ROOT, Module, circles, read_modules, room_ranks, upward_imports

CONTRACT = """
[tool.importlinter]
root_packages = ["top", "left", "right"]

[[tool.importlinter.contracts]]
type = "layers"
layers = ["top", "left | right"]
"""


def test_circles_and_upward_imports_are_found(tmp_path: Path) -> None:
    """Imports in function bodies and under TYPE_CHECKING count too."""
    (tmp_path / "pyproject.toml").write_text(CONTRACT)
    for name, text in {
        "top/a.py": "from top import b\n",
        "top/b.py": "def later():\n    import top.c\n",
        "top/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from top.a import thing\n",
        "left/__init__.py": '"""Which it is."""\n',
        "left/low.py": "import top.a\nfrom right import side\n",
        "right/side.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    ranks = room_ranks(tmp_path)
    modules = read_modules(tmp_path, ranks)
    assert circles(modules) == [["top.a", "top.b", "top.c"]]
    assert upward_imports(modules, ranks) == [("left.low", "right.side"), ("left.low", "top.a")]


@cache
def modules_of_this_tree() -> dict[str, Module]:
    return read_modules(ROOT, room_ranks(ROOT))


def test_this_tree_has_neither() -> None:
    ranks, modules = room_ranks(ROOT), modules_of_this_tree()
    assert len(modules) > 200
    assert circles(modules) == []
    assert upward_imports(modules, ranks) == []


def test_docstrings_of_modules_name_their_subject() -> None:
    """A first word such as What or Whether puts a question where the subject belongs."""
    modules = modules_of_this_tree().values()
    asking = [module.name for module in modules if QUESTION.match(module.docstring)]
    assert len(asking) < 0.02 * len(modules), asking
    assert all(module.docstring for module in modules)
