"""Structure of the code: circles and upward imports between modules, sizes, single-importer modules, docstrings.

    python -m benchmarks.structure [--root DIR] [--tree PACKAGE]

Reads every import in the source, those in function bodies and under TYPE_CHECKING included; nothing is run. The order
of the rooms comes from the layers contract in pyproject.toml. --root: another checkout, for a comparison. --tree: print
the folders of a package two levels deep with their modules instead. The last line is JSON.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTION = re.compile(r"(What|Which|Where|Whether|How|Who)\b")


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a room: its length, the modules of the rooms that it imports, and its docstring."""

    name: str
    lines: int
    code: int  # lines without blank ones, comments and docstrings
    imports: frozenset[str]
    docstring: str


def room_ranks(root: Path) -> dict[str, int]:
    """Read the rank of each room from the layers contract: 0 for the top layer."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    rooms = settings["root_packages"]
    layers = next(
        contract["layers"]
        for contract in settings["contracts"]
        if contract["type"] == "layers" and contract["layers"][0].strip() in rooms
    )
    return {room.strip(): rank for rank, layer in enumerate(layers) for room in re.split(r"[|:]", layer)}


def read_modules(root: Path, rooms: Mapping[str, int]) -> dict[str, Module]:
    """Parse every module below the rooms of `root`."""
    paths: dict[str, Path] = {}
    for room in rooms:
        for path in sorted((root / room).rglob("*.py")):
            paths[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
    modules = {}
    for name, path in paths.items():
        text = path.read_text("utf-8")
        tree = ast.parse(text)
        imports = frozenset(target for target in _imported(tree, paths) if target != name)
        modules[name] = Module(
            name, len(text.splitlines()), _code_lines(text, tree), imports, ast.get_docstring(tree) or ""
        )
    return modules


def _code_lines(text: str, tree: ast.AST) -> int:
    used: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            used.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            used.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(used)


def _imported(tree: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                if submodule in known:
                    yield submodule
                elif node.module in known:
                    yield node.module


def circles(modules: Mapping[str, Module]) -> list[list[str]]:
    """Find the strongly connected components of more than one module (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in modules[name].imports:
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            cut = stack.index(name)
            component, stack[cut:] = stack[cut:], []
            if len(component) > 1:
                found.append(sorted(component))

    sys.setrecursionlimit(10_000)
    for name in modules:
        if name not in index:
            visit(name)
    return found


def upward_imports(modules: Mapping[str, Module], ranks: Mapping[str, int]) -> list[tuple[str, str]]:
    """List imports of a room above, or of another room of the same layer."""
    wrong = []
    for module in modules.values():
        room = module.name.partition(".")[0]
        for target in sorted(module.imports):
            other = target.partition(".")[0]
            if other != room and ranks[other] <= ranks[room]:
                wrong.append((module.name, target))
    return wrong


def print_tree(modules: Mapping[str, Module], package: str) -> None:
    """Print the folders below `package`, two levels deep, each with its modules and lines."""
    folders: dict[str, list[Module]] = {}
    for module in modules.values():
        parts = module.name.split(".")
        if parts[0] == package and len(parts) > 1:
            folders.setdefault("/".join(parts[:-1][:3]), []).append(module)
    for folder, inside in sorted(folders.items()):
        names = " ".join(sorted(module.name.rpartition(".")[2] for module in inside))
        print(f"{folder + '/':32}{sum(module.lines for module in inside):6} lines  {names}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="Another checkout.")
    parser.add_argument("--tree", metavar="PACKAGE", help="Print this package two levels deep.")
    options = parser.parse_args()
    ranks = room_ranks(options.root)
    modules = read_modules(options.root, ranks)
    if options.tree:
        print_tree(modules, options.tree)
        return
    importers: dict[str, set[str]] = {name: set() for name in modules}
    for module in modules.values():
        for target in module.imports:
            importers[target].add(module.name)
    loops, upward = circles(modules), upward_imports(modules, ranks)
    print(f"{'room':12}{'modules':>9}{'lines':>9}{'code':>9}{'one importer':>14}{'longest':>9}")
    for room in ranks:
        own = [module for module in modules.values() if module.name.partition(".")[0] == room]
        if own:
            single = sum(len(importers[module.name]) == 1 for module in own)
            longest = max(module.lines for module in own)
            lines, code = sum(module.lines for module in own), sum(module.code for module in own)
            print(f"{room:12}{len(own):9}{lines:9}{code:9}{single:14}{longest:9}")
    asking = [module.name for module in modules.values() if QUESTION.match(module.docstring)]
    for loop in loops:
        print(f"circle of {len(loop)}: {' '.join(loop)}")
    for source, target in upward:
        print(f"upward: {source} -> {target}")
    print(f"{len(loops)} circles, {len(upward)} upward imports")
    print(f"{len(asking)} of {len(modules)} module docstrings begin with What, Which, Where, Whether, How or Who")
    print(
        json.dumps(
            {
                "modules": len(modules),
                "lines": sum(module.lines for module in modules.values()),
                "code": sum(module.code for module in modules.values()),
                "one_importer": sum(len(each) == 1 for each in importers.values()),
                "circles": [len(loop) for loop in loops],
                "upward_imports": len(upward),
                "question_docstrings": len(asking),
            }
        )
    )


if __name__ == "__main__":
    main()
