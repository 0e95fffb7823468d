"""Mutation testing: the mutants that sources have, the sample that is drawn, and what becomes of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mutation import __main__ as command
from mutation import campaign, javascript_suite
from mutation.mutant import Mutant, draw, find_again
from mutation.python_mutants import is_real, python_mutants
from mutation.report import report
from mutation.results import Campaign, Result, load, wilson
from mutation.rooms import ROOMS, Room

ROOT = Path(__file__).resolve().parent.parent


def changes(source: str) -> list[tuple[str, str]]:
    """(operator, the line as it is changed) of all mutants."""
    return [(mutant.operator, mutant.changed_line()) for mutant in python_mutants("a.py", source.encode())]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {("comparison", "a <= b"), ("comparison", "a >= b")}),
        ("a not in b", {("comparison", "a in b")}),
        ("a is not b", {("comparison", "a is b")}),
        ("a == 'k'", {("comparison", "a != 'k'"), ("text", "a == 'XXk'")}),
        ("a in ('k', 'l m')", {("comparison", "a not in ('k', 'l m')"), ("text", "a in ('XXk', 'l m')")}),
        ("(a) + (b)", {("arithmetic", "(a) - (b)")}),
        ("'é' if (a) * b else c", {("arithmetic", "'é' if (a) / b else c")} | {
            ("condition", f"'é' if {test} else c") for test in ("not ((a) * b)", "True", "False")
        }),
        ("a // b % c", {("arithmetic", "a / b % c"), ("arithmetic", "a // b * c")}),
        ("a + 'text'", set()),
        ("a and b", {("and or", "a or b")}),
        ("not a", {("not removed", "a")}),
        ("-a", {("minus removed", "a")}),
        ("x = 5", {("constant", "x = 6"), ("constant", "x = 0")}),
        ("x = 0", {("constant", "x = 1")}),
        ("x = True", {("constant", "x = False")}),
        ("x = 'a message'", set()),
        ("a += b", {("arithmetic", "a -= b")}),
        ("x = {'k': a}", {("text", "x = {'XXk': a}")}),
        ("a.get('k')", {("statement deleted", "pass"), ("text", "a.get('XXk')")}),
        ("x = a[b:c]", {("slice bound", "x = a[:c]"), ("slice bound", "x = a[b:]")}),
        ("x = min(a)", {("other function", "x = max(a)")}),
        ("x = any(a)", {("other function", "x = all(a)")}),
        ("x = sorted(a, key=b)", {("order", "x = sorted(a, key=b, reverse=True)")}),
        ("x = sorted(b for b in a)", {("order", "x = sorted((b for b in a), reverse=True)")}),
        ("self.a = b", {("statement deleted", "pass")}),
        ("raise KeyError(f'{1 + 1}')", {("raise deleted", "pass")}),
        ("x = [a for a in b if c]", {
            ("condition", f"x = [a for a in b if {test}]") for test in ("not (c)", "True", "False")
        }),
    ],
)  # fmt: skip
def test_mutants_of_a_statement(source: str, expected: set[tuple[str, str]]) -> None:
    assert set(changes(source)) == expected


def test_mutants_of_a_function() -> None:
    source = "def f(a, b=3):\n    '''Text.'''\n    while a:\n        break\n    return a\n"
    assert changes(source) == [
        ("constant", "def f(a, b=0):"),
        ("constant", "def f(a, b=4):"),
        ("condition", "while False:"),
        ("condition", "while not (a):"),
        ("break or continue", "continue"),
        ("returns None", "return None"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "'''A docstring.'''",
        "__all__ = ['a']",
        "import a",
        "from __future__ import annotations\nx: dict['a', 1]",
        "if TYPE_CHECKING:\n    x = 1",
        "if __name__ == '__main__':\n    main()",
        "assert a > 1",
        "logger.info('text', 1)",
        "x = Literal['a', 'b']",
        "A = B | None",
        "@dataclass(frozen=True)\nclass A:\n    pass",
    ],
)
def test_what_says_nothing_about_tests_is_not_changed(source: str) -> None:
    assert changes(source) == []


def test_bytes_around_the_change_stay_as_they_are() -> None:
    source = "x = 'ä'; y = 'ö' if a < b else 1  # ü\r\nz = 1\n".encode()
    mutant = next(each for each in python_mutants("a.py", source) if each.replacement == "<=")
    assert mutant.apply(source) == source.replace(b"<", b"<=")


def test_mutants_that_do_not_compile_or_change_nothing_are_no_mutants() -> None:
    source = b"while a:\n    b()\n"
    [mutant, *_] = python_mutants("a.py", source)
    assert is_real(mutant, source)
    assert not is_real(Mutant(**{**vars(mutant), "replacement": "(a)", "start": 6, "end": 7}), source)
    assert not is_real(Mutant(**{**vars(mutant), "replacement": "+", "start": 6, "end": 7}), source)


SOURCE = "\n".join(f"x{number} = {number} < y" for number in range(2, 60)).encode()


def sample(source: bytes, seed: str, count: int = 20) -> list[str]:
    candidates = python_mutants("a.py", source)
    return [mutant.changed_line() for mutant in draw(candidates, seed, count, lambda _: True)]


def test_a_seed_names_its_sample() -> None:
    assert sample(SOURCE, "first") == sample(SOURCE, "first")
    assert sample(SOURCE, "first") != sample(SOURCE, "second")


def test_an_edit_draws_no_others_but_those_that_it_made_or_removed() -> None:
    before = sample(SOURCE, "first", 40)
    after = sample(b"y = 1\n\n" + SOURCE.replace(b"x7 = 7", b"x7 = 77"), "first", 40)
    assert len(set(before) - set(after)) <= 3


def test_one_place_has_one_mutant_in_a_sample() -> None:
    candidates = python_mutants("a.py", SOURCE)
    drawn = draw(candidates, "first", 1000, lambda _: True)
    assert len({(each.start, each.end) for each in drawn}) == len(drawn) == 2 * 58


def test_a_mutant_is_found_again_where_its_line_has_moved_to() -> None:
    old = python_mutants("a.py", b"a < b\nc < d\n")
    new = python_mutants("a.py", b"\n\nif c:\n    c < d\n")
    found = [find_again(mutant, new) for mutant in old]
    assert [each and each.line for each in found] == [None, None, 4, 4]


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (80, 80, 0.9542, 1.0),
        (0, 10, 0.0, 0.2775),
        (68, 80, 0.7559, 0.9120),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == pytest.approx((low, high), abs=1e-4)


def test_each_room_has_sources_and_tests() -> None:
    for room in ROOMS.values():
        assert room.source_paths(ROOT), room.name
        assert room.test_paths(ROOT), room.name


SHOP = Room("shop", ("shop/*.py",), ("tests/test_*.py",))
PRICES = """\
from dataclasses import dataclass

LEAST = 3


@dataclass
class Price:
    amount: int

    def reduced(self):
        if self.amount > 10:
            return self.amount - LEAST
        return self.amount


def unknown():
    return 7 + 1
"""
WEAK = """\
import subprocess, sys
import pytest
from shop.prices import Price

@pytest.fixture(scope="module")
def reduced():
    return Price(20).reduced()

def test_reduced(reduced):
    assert reduced != 20

def test_fails_anyway():
    assert False
"""
STRONG = """
def test_in_a_process_that_leaves_no_measurement():
    code = "import os, shop.prices; os._exit(shop.prices.unknown() != 8)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

def test_in_a_process():
    code = "from shop.prices import Price; assert [Price(n).reduced() for n in (9, 10, 11, 20)] == [9, 10, 8, 17]"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project whose tests see little."""
    root = tmp_path / "project"
    for name, text in {"shop/__init__.py": "", "shop/prices.py": PRICES, "tests/test_prices.py": WEAK}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def outcomes(done: Campaign) -> dict[str, str]:
    return {result.mutant.changed_line(): result.status for result in done.results}


def test_a_campaign_and_the_survivors_after_mending(shop: Path, tmp_path: Path) -> None:
    said: list[str] = []
    options = {"seed": "prices", "count": 100, "workers": 2, "say": said.append}
    before = campaign.run(shop, SHOP, tmp_path / "out", **options)  # type: ignore[arg-type]
    first = outcomes(before)
    assert first["if self.amount >= 10:"] == "survived", "no test is at the limit"
    assert first["return self.amount + LEAST"] == "survived"
    assert first["if False:"] == "killed", "through the fixture of the module"
    assert first["LEAST = 0"] == "killed", "imported by the tests of the file"
    assert first["return 7 - 1"] == "unreached"
    assert "left out, since it fails without any mutant: tests/test_prices.py::test_fails_anyway" in said
    assert (shop / "shop" / "prices.py").read_text("utf-8") == PRICES

    known = len(said)
    again = campaign.run(shop, SHOP, tmp_path / "out", **options)  # type: ignore[arg-type]
    assert len(said) == known, "nothing is run twice"
    assert outcomes(again) == first

    tests = shop / "tests" / "test_prices.py"
    tests.write_text(tests.read_text("utf-8") + STRONG, "utf-8")
    mended = PRICES.replace("LEAST = 3", "# moves the lines\nLEAST = 3").replace(
        "return self.amount\n", "return +self.amount\n"
    )
    (shop / "shop" / "prices.py").write_text(mended, "utf-8")
    after = campaign.run(shop, SHOP, tmp_path / "out", **options, survivors=True)  # type: ignore[arg-type]
    second = outcomes(after)
    assert second["if self.amount >= 10:"] == "killed", "seen by a process of a test"
    assert second["return 7 - 1"] == "killed", "seen by a process that no line was seen of"
    assert second["if False:"] == "killed"
    assert len(after.results) == len(before.results)
    assert "    + return 7 - 1\n" in report(before)
    assert "(no test reaches it)" in report(before)
    summary = json.loads(report(after).splitlines()[-1])
    assert summary["mutants"] == len(after.results) - summary["gone"]
    assert summary["killed"] == after.count("killed") > 0


def test_survivors_need_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["db", "--report"], tmp_path) == 1
    with pytest.raises(SystemExit):
        command.main(["no such room"], tmp_path)
    assert "invalid choice" in capsys.readouterr().err


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    [mutant, *_] = python_mutants("a.py", b"a < b\n")
    done = Campaign("db", "first", "digest", 1.5, 2.5, [Result(mutant, "survived", tests=3, of=4)])
    done.save(tmp_path / "db-first.json")
    assert load(tmp_path / "db-first.json") == done
    assert "a.py:1: comparison (3 of 4 tests ran)\n    - a < b\n    + a <= b\n" in report(done)


PAGE = Room("page", ("page/*.js",), ("tests/*.test.js",), language="javascript")
MODULES = {
    "page/times.js": """\
export const LEAST = 3;
const unit = 'a message';

/** Text. */
export function clamped(/** @type {number} */ value, kind = 'a') {
  if (value < LEAST && kind === 'a') return LEAST;
  if (kind === 'b') throw new Error('ü ' + (1 + 1));
  return value;
}
""",
    "page/unused.js": "export const more = (/** @type {number} */ ä) => Math.max(ä ?? 1, 2);\n",
    "tests/times.test.js": """\
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clamped } from '../page/times.js';

test('short ones are clamped', () => assert.equal(clamped(0), 3));
""",
}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    node = javascript_suite.program()
    if not Path(node).exists() or not (ROOT / "node_modules" / "acorn").is_dir():
        pytest.skip("needs node and node_modules: python3 dev.py check")
    root = tmp_path / "project"
    for name, text in {**MODULES, "package.json": '{"type": "module"}'}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def test_a_campaign_on_javascript(page: Path, tmp_path: Path) -> None:
    done = campaign.run(page, PAGE, tmp_path / "out", seed="first", count=100, say=lambda _: None)
    found = outcomes(done)
    assert found["if (value < LEAST || kind === 'a') return LEAST;"] == "survived"
    assert found["if (kind === 'b') ;"] == "survived"
    assert found["if (value < LEAST && kind === 'a') return undefined;"] == "killed"
    assert found["export const more = (/** @type {number} */ ä) => Math.min(ä ?? 1, 2);"] == "unreached"
    assert found["export const more = (/** @type {number} */ ä) => Math.max(ä && 1, 2);"] == "unreached"
    assert {result.mutant.operator for result in done.results} >= {"constant", "text", "condition", "comparison"}
    assert not any("message" in result.mutant.original for result in done.results)
    assert (page / "page" / "times.js").read_text("utf-8") == MODULES["page/times.js"]
