"""Rules of the JavaScript that no linter knows, the lock files, and the installation of the development packages."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from bootstrap import javascript
from bootstrap.javascript import lock_javascript, prepare_javascript
from bootstrap.place import Place, Refusal

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "app" / "web" / "static"
SOURCES = sorted([*STATIC.rglob("*.js"), *(ROOT / "tests" / "javascript").rglob("*.js")])

COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)
TYPED_TAG = re.compile(r"@(?:type|param|returns?|property|typedef|template|callback|satisfies|this|import)\s*(?=\{)")
LOCK_NAMES = re.compile(r"(?:^|[/_-])(?:lock|constraints|requirements)[^/]*$|[.-]lock(?:\.json|file)?$|lock\.json$")
PLACES = re.compile(r'"?resolved"?\s*[:=]|://|--(?:index-url|extra-index-url|find-links)|^\s*-[if]\b', re.MULTILINE)


def without_types(comment: str) -> tuple[str, list[str]]:
    """A JSDoc comment without its types, and these: what stands in the braces after tags, inner braces included."""
    types, rest, at = [], "", 0
    for tag in TYPED_TAG.finditer(comment):
        depth = 0
        for end in range(tag.end(), len(comment)):
            depth += {"{": 1, "}": -1}.get(comment[end], 0)
            if depth == 0:
                types.append(comment[tag.end() + 1 : end])
                rest, at = rest + comment[at : tag.end()], end + 1
                break
    return rest + comment[at:], types


def unexplained(source: str) -> list[str]:
    """Comments of a module that use the type `any` and do not say why, as `any: reason`."""
    found = []
    for comment in COMMENT.findall(source):
        text, types = without_types(comment)
        if any(re.search(r"(?<![\w'\"])any(?![\w'\":?])", each) for each in types) and not re.search(r"any: \w", text):
            found.append(comment)
    return found


def imports(source: str) -> list[str]:
    """What a module imports, in code and in the types of its comments."""
    return re.findall(
        r"(?:^(?:im|ex)port\s(?:[^;'\"]*\sfrom\s)?|\bimport\()\s*['\"]([^'\"]+)['\"]", source, re.MULTILINE
    )


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("/** @param {any} x */", 1),
        ("/** @param {any} x any: what a person dropped */", 0),
        ("/** @type {{a: Record<string, any>}} */", 1),
        ("/** @returns {Promise<any[]>} Any number of them. */", 1),
        ("/** @type {Company} many of any kind */", 0),
        ("/** @type {{any: number}} */", 0),
        ("/**\n * @param {any} a\n * @param {number} b any: of a library without types\n */", 0),
        ("/** @type {any} */ /** any: of another comment */", 1),
        ("/** @type {string} */ const any = 1;", 0),
    ],
)
def test_what_counts_as_an_unexplained_any(source: str, count: int) -> None:
    assert len(unexplained(source)) == count


def test_every_any_says_why_and_nothing_is_left_unchecked() -> None:
    assert len(SOURCES) > 40
    for path in SOURCES:
        source = path.read_text("utf-8")
        assert not unexplained(source), f"{path}: write the type, or `any: why`: {unexplained(source)[0]}"
        unchecked = re.search(r"@ts-(?:ignore|nocheck)|biome-ignore(?!.*: \w)|@ts-expect-error(?!:? +\w)", source)
        assert not unchecked, f"{path}: {unchecked and unchecked[0]}"


def test_the_core_knows_no_view_and_no_view_another() -> None:
    """core/ builds on itself, player/ on core/, and each view on these, the shell and itself."""
    for path in sorted(STATIC.rglob("*.js")):
        feature, *rest = path.relative_to(STATIC).parts
        if not rest:
            continue
        allowed = {"core": {"core"}, "player": {"core", "player"}}.get(feature, {"core", "player", "shell.js", feature})
        found = imports(path.read_text("utf-8"))
        assert all(name.startswith(".") for name in found), f"{path} imports what is not in the page"
        reached = {(path.parent / name).resolve() for name in found}
        assert all(each.is_file() for each in reached), f"{path}: {found}"
        assert {each.relative_to(STATIC).parts[0] for each in reached} <= allowed, f"{path}: {found}"


def test_what_counts_as_an_import() -> None:
    source = """import './a.js';
import { b } from './b.js';
import {
  c,
} from "./c.js";
export { d } from './d.js';
const e = await import('./e.js');
/** @type {import('./f.js').F} */
const text = "import 'x'" + `a name from 'the table'`;
"""
    assert imports(source) == [f"./{name}.js" for name in "abcdef"]


def lock_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode != 0:
        pytest.skip("this is not a git clone")
    names = [name for name in listed.stdout.decode("utf-8").split("\0") if LOCK_NAMES.search(name)]
    return [ROOT / name for name in names if Path(name).suffix not in {".py", ".js", ".md"}]


def test_no_lock_file_names_a_place() -> None:
    """A lock pins what is installed; where it comes from is set up on the machine."""
    found = lock_files()
    assert {"package-lock.json", "constraints.txt"} <= {path.name for path in found}
    for path in found:
        named = PLACES.search(path.read_text("utf-8"))
        assert not named, f"{path.relative_to(ROOT)} names a place: {named and named[0]}"


@pytest.mark.parametrize(
    "line",
    [
        '      "resolved": "x.tgz",',
        "a @ https://x/y.whl",
        "--index-url x",
        "--extra-index-url=x",
        "--find-links x",
        "-i x",
        "-f x",
    ],
)
def test_what_counts_as_a_place(line: str) -> None:
    assert PLACES.search(f"numpy==2.0\n{line}\n")
    assert not PLACES.search('numpy==2.0 \\\n    --hash=sha256:ab\n"integrity": "sha512-i/f=="')


# The installation


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A checkout with a lock and a node; nothing is installed."""
    here = Place(tmp_path / "check out")
    here.scripts.mkdir(parents=True)
    javascript.program(here, "node").touch()
    (here.root / "package-lock.json").write_text('{"packages": {"": {}, "a": {"version": "1.0"}}}', "utf-8")
    return here


class Npm:
    """Stands in for npm: notes its arguments, and does what it is told."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.calls: list[list[str]] = []
        self.code = 0
        self.says = ""
        self.writes = ""

    def __call__(self, command: list[str], *, cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        assert cwd == self.place.root
        assert command[0] == str(javascript.program(self.place, "npm"))
        self.calls.append(command[1:])
        if command[1] == "ci":
            (cwd / "node_modules").mkdir(exist_ok=True)
        if self.writes:
            (cwd / "package-lock.json").write_text(self.writes, "utf-8")
        return subprocess.CompletedProcess(command, self.code, self.says)


@pytest.fixture
def npm(place: Place, monkeypatch: pytest.MonkeyPatch) -> Npm:
    pretended = Npm(place)
    monkeypatch.setattr(subprocess, "run", pretended)
    return pretended


def stamp(place: Place) -> Path:
    return place.root / "node_modules" / "prismsearch-installed"


def test_packages_are_installed_once_and_again_when_the_lock_changes(place: Place, npm: Npm) -> None:
    prepare_javascript(place)
    prepare_javascript(place)
    assert [call[0] for call in npm.calls] == ["ci"], "exactly what the lock pins"
    assert "--ignore-scripts" in npm.calls[0], "no package runs code of its own when it is installed"
    assert (
        stamp(place).read_text("utf-8") == hashlib.sha256((place.root / "package-lock.json").read_bytes()).hexdigest()
    )
    (place.root / "package-lock.json").write_text("{}", "utf-8")
    prepare_javascript(place)
    assert len(npm.calls) == 2


def test_a_stamp_that_is_damaged_is_as_good_as_none(place: Place, npm: Npm) -> None:
    prepare_javascript(place)
    stamp(place).write_text("", "utf-8")
    prepare_javascript(place)
    assert len(npm.calls) == 2


def test_without_node_it_is_refused_before_npm_runs(place: Place, npm: Npm) -> None:
    javascript.program(place, "node").unlink()
    with pytest.raises(Refusal, match=r"no node in \.venv"):
        prepare_javascript(place)
    assert npm.calls == []


def test_a_failed_installation_says_what_npm_said_first_and_is_done_anew(place: Place, npm: Npm) -> None:
    npm.code, npm.says = 1, "\nnpm error code ENOTFOUND\n\n" + "\n".join(f"npm error line {n}" for n in range(20))
    with pytest.raises(Refusal) as refused:
        prepare_javascript(place)
    lines = str(refused.value).splitlines()
    assert lines[:3] == ["npm ci failed:", "npm error code ENOTFOUND", "npm error line 0"]
    assert len(lines) == 7
    assert not stamp(place).exists()
    npm.code = 0
    prepare_javascript(place)
    assert stamp(place).exists()


def test_a_failure_does_not_leave_the_stamp_of_the_installation_before(place: Place, npm: Npm) -> None:
    """npm removes node_modules first, unless it fails even before."""
    prepare_javascript(place)
    lock = place.root / "package-lock.json"
    before = lock.read_text("utf-8")
    lock.write_text("{}", "utf-8")
    npm.code = 1
    with pytest.raises(Refusal):
        prepare_javascript(place)
    lock.write_text(before, "utf-8")
    npm.code = 0
    prepare_javascript(place)
    assert len(npm.calls) == 3, "what a failed installation left is not trusted"


def test_the_lock_is_written_without_addresses(place: Place, npm: Npm) -> None:
    npm.writes = (
        '{"name": "é", "packages": {"": {}, '
        '"node_modules/a": {"version": "1.0", "resolved": "http://x/a.tgz", "integrity": "sha512-x", "funding": {}}}}'
    )
    assert lock_javascript(place) == 1
    written = (place.root / "package-lock.json").read_text("utf-8")
    assert "sha512-x" in written
    assert "é" in written
    assert not PLACES.search(written)
    assert "--package-lock-only" in npm.calls[0]
    assert "--omit-lockfile-registry-resolved" in npm.calls[0]


def test_the_checks_test_only_where_they_are_asked_to(place: Place) -> None:
    checks = javascript.javascript_checks(place, with_tests=False)
    node = str(javascript.program(place, "node"))
    assert all(command[0] == node for command in checks.values())
    assert len(checks) == 3
    assert set(javascript.javascript_checks(place, with_tests=True)) - set(checks) == {"node --test"}


def test_programs_are_those_of_the_environment(place: Place) -> None:
    assert javascript.program(place, "npm") == place.scripts / ("npm.exe" if os.name == "nt" else "npm")
