"""Completion in shells: what is offered, that it is quoted, and that real shells take it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_architecture import HEAVY

from app.cli import COMMANDS, main
from app.commands.completion import SHELLS, QuotingBash
from app.compose import COMPLETE_VARIABLE
from db.library import Library
from db.quick_names import collection_names, saved_searches

ROOT = Path(__file__).parents[1]
HOSTILE = "$(touch owned)"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "library"
    with Library.open(directory) as made:
        for name in ("My Clips", HOSTILE, "two\nlines"):
            made.collections.create(name)
        made.searches.save("Beach day", "q=beach&shape=portrait")
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(directory))
    return directory


def completed(*words: str) -> list[str]:
    """Complete the last of the words after `prismsearch`, in this process. Files are `type:`."""
    *before, incomplete = words
    items = QuotingBash(main, {}, "prismsearch", COMPLETE_VARIABLE).get_completions(before, incomplete)
    return [f"{each.type}:" if each.type != "plain" else each.value for each in items]


def test_what_is_offered(library: Path) -> None:
    assert completed("se") == ["search", "settings"]
    assert completed("") == list(COMMANDS)
    assert "--dry-run" in completed("index", "--dr")
    assert completed("search", "--min-strength", "") == ["strong", "likely", "weak"]
    assert completed("--encoder", "") == ["base", "large", "demo"]
    assert completed("index", "--encoder", "./w") == ["file:"]
    assert completed("--device", "c") == ["cpu", "cuda"]
    assert completed("export", "--list", "edl,fcp") == ["edl,fcpxml", "edl,fcp7"]
    assert completed("export", "--collection", "My") == ["My Clips"]
    assert completed("similar", "--collection", "") == [HOSTILE, "My Clips"], "not what cannot be typed"
    assert completed("search", "--link", "beach") == ["q=beach&shape=portrait"]
    assert completed("--library", str(library / "none"), "export", "--collection", "") == []
    for words in (["index", ""], ["similar", ""], ["export", "fi"], ["search", "--like", ""]):
        assert completed(*words) == ["file:"]
    assert completed("completion", "") == list(SHELLS)


def test_asking_for_names_changes_nothing_and_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert collection_names(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    (tmp_path / "library.sqlite3").write_bytes(b"not a library")
    assert collection_names(tmp_path) == saved_searches(tmp_path) == []
    broken = tmp_path / "settings.toml"
    broken.write_text("x = = 3")
    monkeypatch.setenv("PRISMSEARCH_SETTINGS", str(broken))
    monkeypatch.delenv("PRISMSEARCH_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert completed("export", "--collection", "") == []
    broken.write_text('library = "."')
    assert completed("export", "--mode", "") == ["exact", "smart", "copy"]


@pytest.mark.parametrize("words", ["prismsearch\n", "prismsearch\nexport\n--collection\n", "prismsearch\nsearch\n--"])
def test_completion_imports_nothing_heavy(words: str, library: Path) -> None:
    unwanted = [*HEAVY, "sqlalchemy", "app.commands.index"]
    code = (
        "import sys\nfrom app.cli import main\n"
        "try:\n    main(prog_name='prismsearch')\nfinally:\n"
        f"    print('loaded:', *sorted(set({unwanted!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    environment = {**os.environ, COMPLETE_VARIABLE: "bash_complete", "COMP_WORDS": words, "PYTHONPATH": str(ROOT)}
    environment["COMP_CWORD"] = str(words.count("\n"))
    code = code.replace("main(prog_name", "main([], prog_name")  # given arguments, the process does not end at once
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("plain,")
    assert done.stderr == "loaded:\n"


# Real shells


@pytest.fixture
def program(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `prismsearch` on the PATH, and return the folder of a completion script for each shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "prismsearch"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom app.cli import main\nmain()\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    for shell in SHELLS:
        result = CliRunner().invoke(main, ["completion", shell])
        assert result.exit_code == 0
        (tmp_path / shell).write_text(result.stdout)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def needs(shell: str) -> str:
    return shutil.which(shell) or pytest.skip(f"{shell} is not installed")


def test_bash_completes_commands_and_quotes_names(program: Path) -> None:
    def offered(*words: str) -> list[str]:
        code = (
            'source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _prismsearch_completion prismsearch; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        command = [needs("bash"), "--norc", "-c", code, "bash", "prismsearch", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()

    assert offered("se") == ["search", "settings"]
    assert offered("export", "--collection", "") == [f"'{HOSTILE}'", "'My Clips'"]
    assert offered("export", "--collection", '"') == [HOSTILE.replace("$", "\\$"), "My Clips"]
    assert offered("export", "--collection", "'") == [HOSTILE, "My Clips"]
    typed = subprocess.run(["bash", "-c", f"echo '{HOSTILE}'"], capture_output=True, text=True, timeout=60)
    assert typed.stdout.strip() == HOSTILE, "what was inserted is a text"
    assert not (program / "owned").exists()


def test_fish_completes(program: Path) -> None:
    def offered(line: str) -> list[str]:
        command = [needs("fish"), "--no-config", "-c", f"source ./fish; complete -C '{line}'"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()

    assert [each.partition("\t")[0] for each in offered("prismsearch se")] == ["search", "settings"]
    assert offered("prismsearch export --collection M") == ["My Clips"]


def test_zsh_completes(program: Path) -> None:
    """Typed into a terminal, because zsh completes nowhere else."""
    shell = needs("zsh")
    process, terminal = pty.fork()
    if process == 0:
        os.execve(shell, [shell, "-f", "-i"], {**os.environ, "TERM": "dumb", "PS1": "> "})
    try:
        shown = typed(terminal, "autoload -U compinit; compinit -u -D; source ./zsh; echo rea''dy\n", until="ready")
        shown = typed(terminal, "prismsearch sett\t", until="settings ")
        shown = typed(terminal, "\x15prismsearch export --collection M\t", until="My\\ Clips")
        assert "My\\ Clips" in shown
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def typed(terminal: int, text: str, *, until: str) -> str:
    """Type into a terminal, and return what it shows up to a text."""
    os.write(terminal, text.encode())
    shown, end = "", time.monotonic() + 60
    while until not in shown.replace("\r\n", ""):
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown
