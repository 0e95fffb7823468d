"""`prismsearch doctor`: check the installation, and advise on problems."""

from __future__ import annotations

import dataclasses

import click

from app.compose import Settings
from app.shell.exit_codes import FAILED
from app.shell.options import json_option, with_settings
from app.shell.terminal import count_text, print_json, print_note, printable

MARKS = {"ok": "ok  ", "note": "note", "bad": "BAD "}


@click.command(
    epilog="""\b
Examples:
  prismsearch doctor
  prismsearch doctor --model            check the base weights against published outputs
  prismsearch doctor --model large
  prismsearch doctor --json

\b
Exit code 0: nothing is wrong (notes do not count); 1: something needs fixing.""",
)
@click.option(
    "--model",
    is_flag=False,
    flag_value="base",
    metavar="[NAME]",
    help="Load these weights and compare their outputs with published ones; takes a minute.",
)
@click.option(
    "--clip",
    type=click.Path(),
    metavar="FILE",
    help="With --model: water_bottle_drumming.mp4 of the VideoPrism repository, to check the video side as well.",
)
@json_option("Print the findings as JSON on standard output.")
@with_settings
def doctor(settings: Settings, model: str | None, clip: str | None, as_json: bool) -> None:
    """Check Python, torch, FAISS, decoders, ffmpeg, models, library and disk; change nothing."""
    from app.diagnostics.checks import run_checks
    from app.diagnostics.model import check_model

    if clip is not None and model is None:
        raise click.UsageError("--clip can only be used with --model")
    findings = []
    for finding in check_model(settings, model, clip) if model is not None else run_checks(settings):
        findings.append(finding)
        if not as_json:
            click.echo(f"{MARKS[finding.state]}  {finding.name:<15} {printable(finding.text)}")
            if finding.state != "ok" and finding.advice:
                click.echo(f"{'':21} -> {printable(finding.advice)}")
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
    bad = sum(finding.state == "bad" for finding in findings)
    if bad:
        print_note(f"{count_text(bad, 'thing')} to fix")
        raise click.exceptions.Exit(FAILED)
