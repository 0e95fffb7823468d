"""`prismsearch completion`: the script that lets a shell complete commands, options and values, by click."""

from __future__ import annotations

import os
import re
import shlex
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

from app.compose import COMPLETE_VARIABLE

SHELLS = ("zsh", "bash", "fish")
PROGRAM = "prismsearch"


@add_completion_class
class QuotingBash(BashComplete):
    """Click's completion for bash, which inserts a value as it is: spaces and the like have to be quoted."""

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return the line about a value that click's script reads."""
        if item.type != "plain":
            return super().format_completion(item)
        quoted = _quoted(str(item.value), self._typed()).replace("\\", "\\\\")  # the script's `read` takes one away
        return f"plain,{quoted}"

    @staticmethod
    def _typed() -> str:
        words = os.environ.get("COMP_WORDS", "").split("\n")  # click's script joins them so
        at = int(os.environ.get("COMP_CWORD", "0"))
        return words[at] if at < len(words) else ""


def _quoted(value: str, typed: str) -> str:
    """Return a value for the word typed so far, which may begin with a quote that bash closes."""
    if typed[:1] == "'":
        return value.replace("'", "'\\''")
    if typed[:1] == '"':
        return re.sub(r'([$`"\\])', r"\\\1", value)
    return shlex.quote(value)


@click.command(
    epilog="""\b
Examples:
  prismsearch completion bash > ~/.local/share/bash-completion/completions/prismsearch
  prismsearch completion zsh > ~/.zfunc/_prismsearch
  prismsearch completion fish > ~/.config/fish/completions/prismsearch.fish

\b
Make the folder first if it is missing. For zsh, ~/.zshrc needs the line
  fpath+=~/.zfunc; autoload -Uz compinit; compinit
Then open a new shell. bash needs version 4.4 or newer and the package bash-completion; without that
package, write the script anywhere and `source` it in ~/.bashrc.""",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(context.find_root().command, {}, PROGRAM, COMPLETE_VARIABLE).source(), nl=False)
