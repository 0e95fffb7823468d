"""Every sentence and label that a person can meet, gathered from the code: a page to read for plain English.

    python -m bootstrap.messages [--only PATH_PREFIX] > messages.md

It reads string literals, so what is put in at run time stands as {name}. Log lines, docstrings (but those of commands,
which are their help), patterns and SQL are left out; some literals that nobody meets remain.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = (
    "app/commands",
    "app/shell",
    "app/cli.py",
    "app/web/pages",
    "app/web/api",
    "app/web",
    "app",
    "indexer",
    "search",
)
ROOMS = (*PLACES, "training", "db", "encoder", "files")
_UNSEEN = frozenset(
    {"debug", "compile", "execute", "text", "getLogger", "sub", "match", "search", "fullmatch", "split"}
)
_LOGS = frozenset({"logger", "logging", "_logger", "log"})
_LABELS = frozenset({"label", "help", "placeholder", "title", "body", "short_help", "epilog", "metavar", "heading"})
_SHOWN = frozenset({"button", "caption", "badge", "write", "success", "warning", "error", "info", "markdown", "echo"})
_PROSE = re.compile(r"[^\W\d_]{2,}[,:;.)\"']* [({\"'“]?[^\W_]")
_PUT_IN = r"\{(?:[^{}]*[^{}\w])?(\w+)[^{}\w]*\}"  # of an expression, its last word is shown
_JS = re.compile(
    r"//[^\n]*|/\*.*?\*/|'((?:\\.|[^'\\\n])*)'|\"((?:\\.|[^\"\\\n])*)\"|`((?:\\.|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^`\\])*)`",
    re.DOTALL,
)
_JS_LABEL = re.compile(r"(?:title|label|text|textContent|placeholder|ariaLabel|alt|aria-label)'?\s*[:=]\s*$")
_MARKUP = re.compile(r"^\s*[.#@:\[<]|^[\w-]+\([^)]*\)|[{;]\s*$|^import |=>|\bvar\(--|calc\(|\d(px|em|rem|fr)\b")


def python_messages(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each message in a Python module, in order."""
    tree = ast.parse(source)
    seen: set[int] = set()
    found: list[tuple[int, str]] = []

    def visit(node: ast.AST, shown: bool) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            documented = (
                node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
            )
            if documented:
                value = node.body[0].value  # type: ignore[attr-defined]
                seen.add(id(value))
                if any("command" in ast.unparse(each) for each in getattr(node, "decorator_list", [])):
                    found.append((value.lineno, str(value.value)))
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            if name in _UNSEEN or (isinstance(owner, ast.Name) and owner.id in _LOGS):
                return
            for child in [*node.args, *node.keywords]:
                label = isinstance(child, ast.keyword) and child.arg in _LABELS
                visit(child, label or (not isinstance(child, ast.keyword) and name in _SHOWN))
            visit(node.func, False)
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a string that documents an attribute
        if isinstance(node, ast.AnnAssign):
            seen.add(id(node.annotation))
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else ast.literal_eval(part)
                for part in node.values
            )
            text = re.sub(_PUT_IN, r"{\1}", text)
            if _is_message(text, shown):
                found.append((node.lineno, text))
            for part in node.values:  # literals inside the braces
                if isinstance(part, ast.FormattedValue):
                    visit(part.value, False)
            return
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and _is_message(node.value, shown):
                found.append((node.lineno, node.value))
            return
        for child in ast.iter_child_nodes(node):
            visit(child, shown and isinstance(node, ast.keyword | ast.IfExp | ast.BinOp))

    visit(tree, False)
    return iter(sorted(found, key=lambda each: each[0]))


def javascript_messages(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each message in an ES module, in order."""
    for match in _JS.finditer(source):
        text = next((each for each in match.groups() if each is not None), None)
        if text is None or _MARKUP.search(text):
            continue
        text = re.sub(r"\$" + _PUT_IN, r"{\1}", text)
        label = _JS_LABEL.search(source[max(0, match.start() - 30) : match.start()])
        if _is_message(text, bool(label)) and not re.fullmatch(
            r"(ps-[\w-]+\s*)+|[a-z-]+( [a-z-]+){0,3}", text if not label else ""
        ):
            yield source.count("\n", 0, match.start()) + 1, text


def _is_message(text: str, shown: bool) -> bool:
    return bool(_PROSE.search(text)) or (shown and bool(re.search(r"[^\W\d_]{2}", text)))


def messages(root: Path = ROOT) -> dict[str, list[tuple[int, str]]]:
    """Return line and text of all messages, by the path of the file in the repository."""
    found: dict[str, list[tuple[int, str]]] = {}
    for place in ROOMS:
        path = root / place
        for file in sorted([path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.js")]):
            name = file.relative_to(root).as_posix()
            if name in found:
                continue
            read = python_messages if file.suffix == ".py" else javascript_messages
            found[name] = list(read(file.read_text("utf-8")))
    return {name: each for name, each in found.items() if each}


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(prog="python -m bootstrap.messages", description="Print every message.")
    parser.add_argument("--only", default="", metavar="PREFIX", help="Only files whose path begins so.")
    only = parser.parse_args().only
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for name, found in messages().items():
        if name.startswith(only):
            print(f"\n## {name}\n")
            for line, text in found:
                print(f"- {line}: {' '.join(text.split())}")


if __name__ == "__main__":
    main()
