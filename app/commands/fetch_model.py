"""`prismsearch fetch-model`: download weights ahead of time. Their size is shown before anything is downloaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import compose
from app.compose import Settings
from app.jobs.jobs import Jobs
from app.jobs.orders import DownloadOrder
from app.shell.completion_values import complete_encoder
from app.shell.errors import NothingDone
from app.shell.live_line import LiveLine, Shown
from app.shell.options import with_settings
from app.shell.questions import confirm, has_terminal
from app.shell.terminal import print_note, printable, size_text, table
from app.times import format_duration

if TYPE_CHECKING:
    from app.jobs.jobs import Job
    from app.jobs.orders import IndexOrder
    from encoder import Encoder
    from encoder.checkpoints.download_policy import Sources
    from encoder.checkpoints.transfer import DownloadProgress
    from encoder.config import HubFile, VideoPrismConfig


@click.command(
    "fetch-model",
    epilog="""\b
Examples:
  prismsearch fetch-model              the base encoder (about 1 GB)
  prismsearch fetch-model large --yes  the large one, without asking
  prismsearch fetch-model --list       names and sizes

\b
Files go into the usual Hugging Face cache; HF_HOME, HF_ENDPOINT and HF_HUB_OFFLINE are honoured.
A stopped download continues where it left off. Every file is checked (sha256).""",
)
@click.argument("name", required=False, shell_complete=complete_encoder)
@click.option("--list", "list_names", is_flag=True, help="List the available models; download nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading.")
@with_settings
def fetch_model(settings: Settings, name: str | None, list_names: bool, yes: bool) -> None:
    """Download the weights of the model NAME (by default base) and its vocabulary, once.

    Shows the size and asks first. Afterwards, indexing and searching need no network.
    """
    if list_names:
        aliases = _aliases()
        for line in table([_about(config, aliases.get(config.name, "")) for config in _models().values()], "<<><"):
            click.echo(line.rstrip())
        return
    download(settings, DownloadOrder(model=name or "base"), yes=yes)


def download(settings: Settings, order: DownloadOrder, *, yes: bool, before: IndexOrder | None = None) -> None:
    """Download the model named by an order unless it is present, and print where its files are.

    Args:
        settings: The library whose journal tells of it.
        order: What to download.
        yes: Skip the confirmation.
        before: What is done after it, and what resuming it starts in its place.

    Raises:
        click.UsageError: There is no such model to download.
    """
    from encoder.config import ALIASES, VOCABULARY

    models, aliases, name = _models(), _aliases(), order.model
    config = models.get(ALIASES.get(name, name))
    if config is None or config.weights is None:
        wanted = f"{name!r} comes with prismsearch" if name == "demo" else f"there is no model {name!r}"
        raise click.UsageError(f"{wanted}; available models: {', '.join(aliases.get(each, each) for each in models)}")

    alias = aliases.get(config.name, config.name)
    with Jobs(settings.library).begin("download", f"model {alias}", before or DownloadOrder(model=alias)) as job:
        try:
            for published in (VOCABULARY, config.weights) if config.has_text else (config.weights,):
                click.echo(f"{published.file}: {printable(str(fetch_with_progress(published, yes=yes, job=job)))}")
        except NothingDone:  # the user declined
            job.finish("stopped", message="nothing was downloaded")
            raise
        job.finish("done", message=f"the model {alias} is on this machine")
    if not config.has_text:
        print_note("Ready. It has no text tower and cannot search; train heads on it: prismsearch probe train --help")
        return
    option = "" if alias == "base" else f" --encoder {alias}"
    print_note(f"Ready. Index your videos: prismsearch index FOLDER{option}")


def _models() -> dict[str, VideoPrismConfig]:
    """Return the downloadable models by name, those with a text tower first."""
    from encoder.config import CONFIGS

    found = [each for each in CONFIGS.values() if each.weights is not None]
    return {each.name: each for each in sorted(found, key=lambda each: not each.has_text)}


def _aliases() -> dict[str, str]:
    """Return the short name of each model that has one, by its full name."""
    from encoder.config import ALIASES

    return {name: alias for alias, name in ALIASES.items()}


def fetch_with_progress(published: HubFile, *, yes: bool, job: Job | None = None) -> Path:
    """Fetch a file with a progress line, asking first if it is large.

    Args:
        published: The file.
        yes: Skip the confirmation.
        job: Receives the progress as well.

    Returns:
        The path of the file.

    Raises:
        KeyboardInterrupt: The job was asked to stop.
    """
    from encoder.checkpoints.hub import fetch

    with LiveLine() as line:
        return fetch(published, confirm=_confirmation(line, yes=yes), on_progress=DownloadLine(line, job).show)


def open_or_download_encoder(settings: Settings, *, yes: bool, needs_text: bool = True) -> Encoder:
    """Return the encoder of the settings; download missing weights if the user agrees.

    An encoder with a cached description is loaded only on its first encode. yes: skip the confirmation; without it,
    and without a terminal to confirm on, nothing is downloaded. needs_text: False accepts a plain video encoder.
    """
    settings = replace(settings, needs_text=needs_text)
    with download_sources(yes=yes) as sources:
        return compose.open_encoder_lazily(settings, lambda: compose.open_encoder(settings, sources))


@contextmanager
def download_sources(*, yes: bool, job: Job | None = None) -> Iterator[Sources]:
    """Yield where files of a model may come from, with a progress line. yes, and a terminal: as for an encoder.

    job: receives the progress as well.
    """
    from encoder.checkpoints.download_policy import Sources

    with LiveLine() as line:
        confirmation = _confirmation(line, yes=yes) if yes or has_terminal() else None
        yield Sources(confirm=confirmation, on_progress=DownloadLine(line, job).show)


def _confirmation(line: LiveLine, *, yes: bool) -> Callable[[str], bool]:
    """Return a function that shows a message about a download and asks for a yes."""

    def confirmed(message: str) -> bool:
        line.log(message)
        confirm("Download it now?", yes=yes, refusal="nothing was downloaded")
        return True

    return confirmed


def _about(config: VideoPrismConfig, alias: str) -> tuple[str, str, str, str]:
    """Return a row of the list of models."""
    assert config.weights is not None
    use = "" if config.has_text else "for heads only: it cannot search"
    return alias, config.name, f"about {size_text(config.weights.size_bytes)}", use


class DownloadLine:
    """The progress of a download as one line with speed and time left. Speed excludes bytes from earlier runs."""

    def __init__(self, line: LiveLine, job: Job | None = None) -> None:
        self._line = line
        self._job = job
        self._began: tuple[str, float, int] | None = None

    def show(self, download: DownloadProgress) -> None:
        """Show and report the progress of the download; called as bytes arrive."""
        now = time.monotonic()
        if self._began is None or self._began[0] != download.file:
            self._began = (download.file, now, download.done_bytes)
        _, since, first_bytes = self._began
        text = f"{download.file}  {size_text(download.done_bytes)} of {size_text(download.total_bytes)}"
        gained, spent = download.done_bytes - first_bytes, now - since
        left: float | None = None
        if spent > 1 and gained > 0:
            left = (download.total_bytes - download.done_bytes) * spent / gained
            text += f"  {size_text(gained / spent)}/s  {format_duration(left)} left"
        share = download.done_bytes / download.total_bytes if download.total_bytes else None
        self._line.show(
            Shown(
                stage="download",
                text=text,
                done=download.done_bytes,
                total=download.total_bytes,
                unit="bytes",
                fraction=share,
                eta_seconds=left,
                current=(download.file,),
            )
        )
        if self._job is not None:
            self._job.report_progress(
                fraction=share, eta_seconds=left, phase="download", text=text, current=[download.file]
            )
            if self._job.stop_requested():
                raise KeyboardInterrupt
