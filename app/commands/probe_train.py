"""`prismsearch probe train`: a head for a person's own classes, from labelled videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.commands.evaluation_run import evaluation_errors
from app.commands.probe_session import probe_session, unread_lines, unread_record
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.evaluation_options import work_option
from app.shell.exit_codes import FAILED, MISSING
from app.shell.options import PathWord, json_option, with_settings
from app.shell.result_file import require_result_file
from app.shell.terminal import count_text, print_json, print_note, printable, table
from files.installed_package import program_version

if TYPE_CHECKING:
    from app.evaluation.head_training import TrainedHead
    from encoder import Encoder
    from encoder.model import VideoEncoder

MAP_FROM = 100
"""Equals `app.evaluation.head_training.MAP_FROM`, which --help must not import; a test compares them."""


@click.command(
    "train",
    epilog="""\b
Examples:
  prismsearch probe train clips --labels labels.csv --to behaviours.npz
  prismsearch probe train clips --labels labels.csv --to behaviours.npz --head map

\b
labels.csv has the columns file and label, and may have start, end, split and group:
  file,label,start,end,split,group
  rex.mp4,run|bark,,,train,rex
  long.mp4,jump,0:12,0:15.5,train,bella
File names are relative to FOLDER. Several labels of one clip are separated by |. Where a split is named, the
clips of `train` are used. A group is what belongs together, such as an animal; by default, a file.

\b
Heads: `linear` classifies the same rows that searches use; it suits few examples and takes seconds. `map`
attends to all parts of the picture and needs the tokens of each clip, 6 MB of disk with the base encoder.""",
)
@click.argument("folder", type=PathWord())
@click.option("--labels", required=True, type=PathWord(), metavar="FILE", help="Table of labels (CSV).")
@click.option("--to", "target", required=True, type=PathWord(), metavar="HEAD.npz", help="File of the head.")
@click.option(
    "--head",
    "kind",
    type=click.Choice(["auto", "linear", "map"]),
    default="auto",
    help=f"Kind of head; by default map from {MAP_FROM} clips on, else linear.",
)
@click.option("--multi-label", is_flag=True, help="A clip may have several labels, or none, though here each has one.")
@click.option("--whole", is_flag=True, help="Write the encoder into the file, too, as the official classifier has it.")
@click.option("--replace", is_flag=True, help="Replace the file of a head that is there.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of all chance; by default 0.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model.")
@json_option()
@work_option
@with_settings
def probe_train(
    settings: Settings,
    folder: str,
    labels: str,
    target: str,
    kind: str,
    multi_label: bool,
    whole: bool,
    replace: bool,
    seed: int,
    yes: bool,
    as_json: bool,
    work: Path,
) -> None:
    """Train a head on the labelled videos of FOLDER; the encoder stays as it is."""
    from app.evaluation.head_training import train_head, usual_kind
    from app.evaluation.label_files import read_labels
    from app.evaluation.task import task_of
    from encoder.head_files import sidecar_of

    path = Path(target)
    if path.suffix != ".npz":
        raise click.BadParameter("the name of a head ends with .npz", param_hint="--to")
    for each in (path, sidecar_of(path)):
        require_result_file("--to", each, (labels,))
        if each.exists() and not replace:
            raise CommandError(f"{printable(str(each))} exists; --replace replaces it", MISSING)
    with evaluation_errors():  # before a model is opened, or downloaded
        task = task_of(read_labels(labels, folder), multi_label=multi_label)
    with probe_session(settings, work, yes=yes, paths=[folder]) as session:
        chosen = usual_kind(len(task.of_split("train")), session.encoder) if kind == "auto" else kind
        if whole and chosen != "map":
            raise click.UsageError("--whole is for heads on tokens: add --head map")
        maker = session.maker
        trained = train_head(task, chosen, maker, seed=seed, watch=session.watch)  # type: ignore[arg-type]
        about_labels = f"{Path(labels).name}: {clips_text(trained)}"
        write(path, trained, session.encoder, about_labels, _video_encoder(settings) if whole else None)
        about, machine = session.record(), session.machine.text()
    if as_json:
        print_json(record(path, trained, seed) | {"unread": unread_record(maker.unread)} | about)
    else:
        print_trained(path, trained)
        click.echo(f"encoder {about['encoder']}; {machine}")
    for line in unread_lines(maker.unread):
        print_note(line)
    for name in trained.lost:
        print_note(f"no example of {printable(name)} could be read")
    if maker.unread:
        raise click.exceptions.Exit(FAILED)


def write(path: Path, trained: TrainedHead, encoder: Encoder, about: str, whole: VideoEncoder | None) -> None:
    """Write a head and the file of facts beside it; with `whole`, as a checkpoint of the official classifier."""
    from encoder.head_files import HeadFacts, write_head

    facts = HeadFacts(
        kind=trained.kind,
        classes=trained.task.classes,
        multi_label=trained.task.multi_label,
        encoder_id=encoder.id,
        dim=trained.head.dim,
        trained_on=about,
        version=program_version(),
    )
    write_head(path, trained.head, facts, encoder=whole)


def _video_encoder(settings: Settings) -> VideoEncoder:
    """Return the network of the encoder of these settings, to be written with a head."""
    from encoder.loading import load_video_encoder

    with compose.open_existing_library(settings) as library:
        return load_video_encoder(compose.encoder_name(compose.with_library_encoder(settings, library)))


def counts_of(trained: TrainedHead) -> dict[str, int]:
    """Return how many examples each class had."""
    stretches = trained.task.stretches
    return {name: sum(name in each.labels for each in stretches) for name in trained.task.classes}


def clips_text(trained: TrainedHead) -> str:
    """Return `160 clips of 20 groups`."""
    from app.evaluation.task import groups_of

    stretches = trained.task.stretches
    return f"{count_text(len(stretches), 'clip')} of {count_text(groups_of(stretches), 'group')}"


def record(path: Path, trained: TrainedHead, seed: int) -> dict[str, Any]:
    """Return JSON values about a head that was trained."""
    import dataclasses

    from app.evaluation.task import groups_of

    recipe = None if trained.recipe is None else dataclasses.asdict(trained.recipe) | {"epochs": trained.epochs}
    return {
        "head": str(path),
        "kind": trained.kind,
        "classes": [{"name": name, "examples": count} for name, count in counts_of(trained).items()],
        "multi_label": trained.task.multi_label,
        "examples": len(trained.task.stretches),
        "groups": groups_of(trained.task.stretches),
        "strength": trained.strength,
        "validated": trained.validated,
        "recipe": recipe,
        "seed": seed,
        "seconds": {"features": round(trained.feature_seconds, 3), "training": round(trained.seconds, 3)},
        "classes_without_example": list(trained.lost),
    }


def print_trained(path: Path, trained: TrainedHead) -> None:
    """Print what was trained, for people."""
    classes = count_text(len(trained.task.classes), "class", "classes")
    click.echo(
        f"{'MAP' if trained.kind == 'map' else 'linear'} head of {classes}, trained on {clips_text(trained)} in "
        f"{trained.seconds:.1f} s: {printable(str(path))}"
    )
    for line in table([(printable(name), f"{count:,}") for name, count in counts_of(trained).items()], "<>"):
        click.echo(f"  {line}")
    if trained.recipe is not None:
        click.echo(f"Adam {trained.recipe.learning_rate:g}, batches of {trained.recipe.batch}, {trained.epochs} epochs")
    elif trained.validated is None:
        click.echo(f"regularisation C = {trained.strength:g}, the default: too few groups to choose it")
    else:
        what = "labels" if trained.task.multi_label else "clips"
        click.echo(
            f"regularisation C = {trained.strength:g}, chosen on groups left out; there, {trained.validated:.1%} of "
            f"{what} are right"
        )
