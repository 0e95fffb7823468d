"""Our ES modules as one: a page loads a single file, where it would load a tree of forty, level by level.

Each module becomes a function within it, which runs when the module is first asked for. So every module still has one
instance a page, whoever imports it. What the modules may use is checked by tests: imports by name from relative paths,
exported functions, classes and constants, no cycles.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(r"^import \{([^}]*)\} from '([^']+)';$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_NOTHING = re.compile(r"^export \{\};$", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
# A page that a former version of the server sent would hold two instances of each module, which know nothing of each
# other: it is loaded anew.
_BEGINNING = """\
const version = %s;
globalThis.prismsearchVersion ??= version;
if (globalThis.prismsearchVersion !== version) {
  location.reload();
  await new Promise(() => {});
}
const made = new Map();
export function load(name) {
  if (!made.has(name)) made.set(name, modules[name]());
  return made.get(name);
}
const modules = {
"""


def join_modules(sources: Mapping[str, str], version: str) -> str:
    """Return one ES module that exports `load(NAME)`, which returns what the module of that name exports.

    Args:
        sources: The source of each module, by its path.
        version: Of all these files. In a page that has another version, the module reloads the page.

    Raises:
        ValueError: A module uses a form of import or export that is not provided for, or imports one that is not there.
    """
    parts = [_BEGINNING % json.dumps(version)]
    parts += [f"{json.dumps(name)}: () => {{\n{_body(name, source, sources)}}},\n" for name, source in sources.items()]
    return "".join([*parts, "};\n"])


def shim_of(name: str, source: str, joined: str) -> str:
    """Return a module with the exports of another, taken from the joined ones.

    Args:
        name: Path of the other module.
        source: Its source.
        joined: Path of the joined modules.
    """
    names = _EXPORT.findall(source)
    path = posixpath.relpath(joined, posixpath.dirname(name) or ".")
    exports = f"export const {{ {', '.join(names)} }} = exported;\n" if names else ""
    start = f"import {{ load }} from {json.dumps(path if path.startswith('.') else './' + path)};\n"
    return f"{start}const exported = load({json.dumps(name)});\n{exports}"


def imports_of(name: str, source: str) -> list[str]:
    """Return the paths of the modules that a module imports."""
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for _, path in _IMPORT.findall(source)]


def _body(name: str, source: str, sources: Mapping[str, str]) -> str:
    missing = [path for path in imports_of(name, source) if path not in sources]
    if missing:
        raise ValueError(f"{name} imports {', '.join(missing)}, which is not there")

    def imported(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
        return f"const {{{found[1].replace(' as ', ': ')}}} = load({json.dumps(path)});"

    body = _IMPORT.sub(imported, source)
    names = _EXPORT.findall(body)
    body = _NOTHING.sub("", _EXPORT.sub("", body))
    if left := _LEFT.search(body):
        raise ValueError(f"{name}: no such line can be joined: {left[0]}")
    body = body.replace("import.meta.url", f"new URL({json.dumps(name)}, import.meta.url).href")
    return f"{body}return {{ {', '.join(names)} }};\n"
