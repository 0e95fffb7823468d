"""`prismsearch train export`: the network of a run as an official checkpoint, which every command can load."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.train_session import existing_run, run_stage, train_errors
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.options import PathWord, json_option, with_settings
from app.shell.result_file import require_result_file
from app.shell.terminal import count_text, print_json, print_note, printable
from files.installed_package import program_version
from files.replace import replace_file

if TYPE_CHECKING:
    from encoder.loading import Parent
    from encoder.model import Network

WHICH = ("best", "last")


@click.command(
    "export",
    epilog="""\b
Examples:
  prismsearch train export zorps --to zorps.npz
  prismsearch search "a zorp in the rain" --encoder zorps.npz
  prismsearch index ~/Videos --encoder deep.npz

\b
The file has the layout of the public checkpoints, and loads in the official code, too. zorps.json beside it says
what it is; keep the two together. After `text`, the rows of the library are those of the new encoder, too; after
any other stage the library must be indexed with it.""",
)
@click.argument("run", metavar="RUN", type=PathWord())
@click.option("--to", "target", required=True, type=PathWord(), metavar="FILE.npz", help="File of the encoder.")
@click.option("--which", type=click.Choice(WHICH), default="best", help="Best by validation, or last; by default best.")
@click.option("--replace", is_flag=True, help="Replace a file that is there.")
@json_option()
@with_settings
def train_export(settings: Settings, run: str, target: str, which: str, replace: bool, as_json: bool) -> None:
    """Write the encoder that RUN has trained."""
    from encoder.checkpoints.network_facts import NetworkFacts, facts_file

    path = Path(target)
    if path.suffix != ".npz":
        raise click.BadParameter("the name of an encoder ends with .npz", param_hint="--to")
    for each in (path, facts_file(path)):
        require_result_file("--to", each)
        if each.exists() and not replace:
            raise CommandError(f"{printable(str(each))} exists; --replace replaces it", MISSING)
    with train_errors():
        from training.export import export_network, stored_config
        from training.run_state import load_trained

        folder = existing_run(run)
        opened = run_stage(settings, folder)
        step = load_trained(folder, opened.stage.task, which)
        network = opened.stage.exported()
        clips = len(opened.data.places("train"))
        facts = NetworkFacts(
            config=stored_config(network),
            stage=opened.config.stage,
            steps=step,
            parent=opened.parent.digest,
            licence=opened.parent.licence,
            trained_on=count_text(clips, "clip"),
            version=program_version(),
        )
        exported = export_network(network, path, facts)
        copied = _copy_vocabulary(exported, opened.parent, path)
    record = {"encoder": str(path), "stage": facts.stage, "step": step, "has_text": exported.config.has_text}
    if as_json:
        print_json(record | {"vocabulary": copied, "parent": facts.parent, "licence": facts.licence})
        return
    size = path.stat().st_size / 1e6
    click.echo(
        f"{printable(str(path))}: {facts.stage} after step {step:,}, {size:.1f} MB; keep {path.stem}.json beside it"
    )
    if copied:
        click.echo(f"its vocabulary was copied beside it: {printable(copied)}")
    if not exported.config.has_text:
        print_note("it has no text tower; train it further with --stage lit before you search with it")
    elif facts.stage == "stage2":
        again = f"prismsearch train run RUN --stage lit --captions FILE --encoder {printable(str(path))}"
        print_note(
            f"its words do not fit what it now sees in videos; train it further before you search with it: {again}"
        )
    elif facts.stage != "text":
        print_note(f"the library must be indexed with it: prismsearch index FOLDER --encoder {printable(str(path))}")


def _copy_vocabulary(network: Network, parent: Parent, path: Path) -> str | None:
    """Put the vocabulary of a network that finds it nowhere else beside it. Return its name if one was copied."""
    from encoder.model_files import VOCABULARY_NAMES
    from training.export import has_known_vocabulary

    if parent.vocabulary is None or not network.config.has_text or has_known_vocabulary(network):
        return None
    target = path.parent / VOCABULARY_NAMES[0]
    if target.exists() and os.path.samefile(target, parent.vocabulary):
        return None
    if target.exists():
        print_note(f"{printable(str(target))} is there; it must be the vocabulary of this encoder")
        return None
    replace_file(target, parent.vocabulary.read_bytes())
    return target.name
