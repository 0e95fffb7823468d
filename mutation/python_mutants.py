"""Mutants of Python sources: positions come from the syntax tree, so that a mutant is a small change of the text.

Not changed: docstrings, annotations, imports, asserts (they narrow types), logging, what is raised, f-strings (before
Python 3.12 their parts have no positions), `__all__`, decorators of dataclasses, and code under TYPE_CHECKING or
`__name__`.
"""

from __future__ import annotations

import ast
import bisect
import io
import itertools
import tokenize

from mutation.mutant import Mutant, at

COMPARISONS = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
    "is": ("is not",), "is not": ("is",), "in": ("not in",), "not in": ("in",),
}  # fmt: skip
ARITHMETIC = {
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "*", "**": "*", "<<": ">>", ">>": "<<", "&": "|", "|": "&",
    "^": "&",
}  # fmt: skip
OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any"}
LOGGING = {"logger", "logging", "log", "warnings"}
KEYED_METHODS = {"get", "pop", "setdefault"}
TYPE_FORMS = {"Literal", "Annotated", "ClassVar", "Final", "TypeVar", "NewType", "cast"}


def python_mutants(path: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a source file, in the order of its text."""
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))


def is_real(mutant: Mutant, source: bytes) -> bool:
    """Say whether the mutant compiles, and to other code than the original."""
    try:
        changed = ast.parse(mutant.apply(source))
        compile(changed, mutant.path, "exec")
    except (SyntaxError, ValueError):
        return False
    return ast.dump(changed) != ast.dump(ast.parse(source))


class _Finder(ast.NodeVisitor):
    def __init__(self, path: str, source: bytes) -> None:
        self.found: list[Mutant] = []
        self._path = path
        self._source = source
        self._line_starts = [0]
        for line in source.splitlines(keepends=True):
            self._line_starts.append(self._line_starts[-1] + len(line))
        self._tokens = self._operator_tokens()
        self._functions = 0
        self._header = (1, 1)
        self._at_import = True

    # Places in the text

    def _operator_tokens(self) -> list[tuple[int, int]]:
        """Start and end of each token that may be an operator, or part of one."""
        spans = []
        for token in tokenize.tokenize(io.BytesIO(self._source).readline):
            if token.type in (tokenize.OP, tokenize.NAME) and token.string not in "()":
                row, column = token.start
                start = self._line_starts[row - 1] + len(token.line[:column].encode())
                spans.append((start, start + len(token.string.encode())))
        return spans

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt | ast.pattern)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._line_starts[node.lineno - 1] + node.col_offset,
            self._line_starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _between(self, left: ast.AST, right: ast.AST) -> tuple[int, int]:
        """Return the span of the operator between two operands."""
        begin, finish = self._span(left)[1], self._span(right)[0]
        first = bisect.bisect_left(self._tokens, (begin, 0))
        after = bisect.bisect_left(self._tokens, (finish, 0))
        return (self._tokens[first][0], self._tokens[after - 1][1])

    def _add(self, operator: str, span: tuple[int, int], replacement: str) -> None:
        mutant = at(
            self._path, self._source, operator, span, replacement, lines=self._header, at_import=self._at_import
        )
        self.found.append(mutant)

    # Statements: which lines reach them, and which of them can go

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.match_case):
            self._enter(node.pattern.lineno, node.body)
        elif isinstance(node, ast.stmt):
            decorators = [d.lineno for d in getattr(node, "decorator_list", [])]
            body = getattr(node, "body", None) or getattr(node, "cases", None)
            self._enter(min([node.lineno, *decorators]), body, node.end_lineno)
        super().visit(node)

    def _enter(self, first: int, body: list[ast.stmt] | list[ast.match_case] | None, end: int | None = None) -> None:
        last = end or first
        if body:
            inner = body[0].pattern if isinstance(body[0], ast.match_case) else body[0]
            last = max(first, inner.lineno - 1)
        self._header = (first, last)
        self._at_import = self._functions == 0

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if part is not None:
                self.visit(part)
                self._string(part)
        self._functions += 1
        for statement in node.body:
            self.visit(statement)
        self._functions -= 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            if "dataclass" not in ast.dump(decorator):
                self.visit(decorator)
        for statement in node.body:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        pass

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        pass

    def visit_Assert(self, node: ast.Assert) -> None:
        pass

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and "TypeAlias" not in ast.dump(node.annotation):
            self._delete_if_stored(node, [node.target])
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(target, ast.Name) and target.id in ("__all__", "__slots__") for target in node.targets):
            return
        self._delete_if_stored(node, node.targets)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._delete_if_stored(node, [node.target])
        span = self._between(node.target, node.value)
        sign = self._source[span[0] : span[1]].decode()
        if sign[:-1] in ARITHMETIC and not _is_text(node.value):
            self._add("arithmetic", span, f"{ARITHMETIC[sign[:-1]]}=")
        self.generic_visit(node)

    def _delete_if_stored(self, node: ast.stmt, targets: list[ast.expr]) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets):
            self._add("statement deleted", self._span(node), "pass")

    def visit_Delete(self, node: ast.Delete) -> None:
        self._add("statement deleted", self._span(node), "pass")

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call) and not _is_logging(node.value):
            self._add("statement deleted", self._span(node), "pass")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        if "NotImplementedError" not in ast.dump(node):
            self._add("raise deleted", self._span(node), "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self._add("break or continue", self._span(node), "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._add("break or continue", self._span(node), "break")

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        if not (isinstance(node.value, ast.Constant) and node.value.value in (None, False)):
            self._add("returns None", self._span(node.value), "None")
        self._string(node.value)
        self.visit(node.value)

    # Conditions

    def _condition(self, test: ast.expr, *, loops: bool = False) -> None:
        span, text = self._span(test), self._text(test)
        simple = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if not simple and not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            self._add("condition", span, f"not ({text})")  # else the operator itself is swapped
        if not loops:
            self._add("condition", span, "True")
        self._add("condition", span, "False")

    def visit_If(self, node: ast.If) -> None:
        names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
        names |= {part.attr for part in ast.walk(node.test) if isinstance(part, ast.Attribute)}
        if names & {"TYPE_CHECKING", "__name__"}:
            for statement in node.orelse:
                self.visit(statement)
            return
        self._condition(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        if isinstance(node.test, ast.Constant):
            for statement in [*node.body, *node.orelse]:
                self.visit(statement)
            return
        self._condition(node.test, loops=True)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._condition(test)
        self.generic_visit(node)

    # Expressions

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, right in itertools.pairwise(operands):
            span = self._between(left, right)
            sign = " ".join(self._source[span[0] : span[1]].decode().split())
            for other in COMPARISONS.get(sign, ()):
                self._add("comparison", span, other)
        for operand in operands:
            inner = operand.elts if isinstance(operand, ast.Tuple | ast.List | ast.Set) else [operand]
            for part in inner:
                self._string(part)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if self._at_import and isinstance(node.op, ast.BitOr) and _is_type(node):
            return
        span = self._between(node.left, node.right)
        sign = self._source[span[0] : span[1]].decode()
        if sign in ARITHMETIC and not _is_text(node.left) and not _is_text(node.right):
            self._add("arithmetic", span, ARITHMETIC[sign])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = "or" if isinstance(node.op, ast.And) else "and"
        for left, right in itertools.pairwise(node.values):
            self._add("and or", self._between(left, right), other)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            name = "not removed" if isinstance(node.op, ast.Not) else "minus removed"
            start, end = self._span(node)
            sign = len("not") if isinstance(node.op, ast.Not) else len("-")
            self._add(name, (start, end), self._source[start + sign : end].decode().lstrip())
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value, span = node.value, self._span(node)
        if isinstance(value, bool):
            self._add("constant", span, str(not value))
        elif isinstance(value, int | float):
            self._add("constant", span, repr(value + 1))
            if value not in (0, -1):
                self._add("constant", span, "0")

    def _string(self, node: ast.expr) -> None:
        """Change a string that is looked up, compared or returned; one with a space in it is a message."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            separator = " " if isinstance(node.value, str) else b" "
            text = self._text(node)
            quote = min(place for place in (text.find('"'), text.find("'")) if place >= 0)
            if separator not in node.value and not text[quote:].startswith(('"""', "'''")):  # type: ignore[operator]
                self._add("text", self._span(node), f"{text[: quote + 1]}XX{text[quote + 1 :]}")

    def visit_Dict(self, node: ast.Dict) -> None:
        for key in node.keys:
            if key is not None:
                self._string(key)
        self.generic_visit(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> None:
        self._string(node.value)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if _name(node.value) in TYPE_FORMS:
            return
        self._string(node.slice)
        self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> None:
        for bound in (node.lower, node.upper):
            if bound is not None:
                self._add("slice bound", self._span(bound), "")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if _is_logging(node) or name in TYPE_FORMS:
            for part in node.args[1:] if name == "cast" else []:
                self.visit(part)
            return
        if isinstance(node.func, ast.Name) and name in OTHER_FUNCTION:
            self._add("other function", self._span(node.func), OTHER_FUNCTION[name])
        plain = isinstance(node.func, ast.Name) and name == "sorted"
        if (plain or (isinstance(node.func, ast.Attribute) and name == "sort")) and not any(
            keyword.arg == "reverse" for keyword in node.keywords
        ):
            start = self._span(node.func)[1]
            inside = [self._text(part) for part in node.args]
            inside += [f"{keyword.arg}={self._text(keyword.value)}" for keyword in node.keywords if keyword.arg]
            self._add("order", (start, self._span(node)[1]), f"({', '.join([*inside, 'reverse=True'])})")
        if isinstance(node.func, ast.Attribute) and name in KEYED_METHODS and node.args:
            self._string(node.args[0])
        self.generic_visit(node)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_logging(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and _name(node.func.value) in LOGGING


def _is_text(node: ast.expr) -> bool:
    """Say whether it is text for certain: arithmetic on it fails at once, and shows nothing about the tests."""
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_type(node.left) and _is_type(node.right)
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
