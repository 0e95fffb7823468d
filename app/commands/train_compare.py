"""`prismsearch train compare`: two runs or encoders on the same clips, and whether they differ by more than chance."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.train_session import train_errors
from app.commands.train_subject import measure, measure_options, open_subject
from app.compose import Settings
from app.shell.exit_codes import FAILED
from app.shell.options import PathWord, with_settings
from app.shell.terminal import count_text, print_json, print_note, printable, table


@click.command(
    "compare",
    epilog="""\b
Examples:
  prismsearch train compare base zorps --on test.csv       before and after
  prismsearch train compare zorps zorps-2 --on test.csv

\b
Both are asked the same questions about the same clips. The interval is of the difference, over videos drawn for both
at once: if it holds 0, nothing is shown. Where both read clips alike, it also says how far sentences of everyday
life have moved: a cosine of 1 is nowhere.""",
)
@click.argument("first", metavar="RUN|FILE|NAME", type=PathWord())
@click.argument("second", metavar="RUN|FILE|NAME", type=PathWord())
@measure_options
@with_settings
def train_compare(
    settings: Settings,
    first: str,
    second: str,
    captions: str,
    folder: str | None,
    seed: int,
    yes: bool,
    as_json: bool,
    work: Path,
) -> None:
    """Measure two runs or encoders on the same captioned clips."""
    from app.tuning.caption_scores import AT, difference

    with train_errors():
        subjects = [open_subject(settings, name, yes=yes) for name in (first, second)]
        found = measure(settings, subjects, captions, folder, work, seed=seed)
        drift = None
        if subjects[0].encoder.id == subjects[1].encoder.id:
            from training.text_evaluation import compare_texts

            drift = compare_texts(subjects[0].encoder.encode_texts, subjects[1].encoder.encode_texts)
    one, other = found.scores
    gains = {
        name: {k: difference(getattr(one, at), getattr(other, at), k, seed=seed) for k in AT}
        for name, at in (("words to clips", "by_words"), ("clips to words", "by_clips"))
    }
    everyday = None if drift is None else {"mean_cosine": drift.cosine, "least_cosine": drift.least_cosine}
    if as_json:
        print_json(
            {
                "first": {"subject": first, "encoder": subjects[0].encoder.id} | one.record(),
                "second": {"subject": second, "encoder": subjects[1].encoder.id} | other.record(),
                "gain": {
                    name.replace(" ", "_"): {
                        f"R@{k}": {"value": gain, "interval": of} for k, (gain, of) in each.items()
                    }
                    for name, each in gains.items()
                },
                "everyday": everyday,
                "clips": found.clips,
                "unread": found.unread,
            }
        )
    else:
        click.echo(f"{printable(first)} -> {printable(second)} on {count_text(found.clips, 'clip')}")
        cells = []
        for name, at in (("words to clips", "by_words"), ("clips to words", "by_clips")):
            for k in AT:
                gain, interval = gains[name][k]
                before, after = getattr(one, at).recall(k), getattr(other, at).recall(k)
                cells.append((name, f"R@{k}", f"{before:.3f} -> {after:.3f}", _gain_text(gain, interval)))
        for line in table(cells, "<<><"):
            click.echo(f"  {line}")
        if everyday is not None:
            mean, least = everyday["mean_cosine"], everyday["least_cosine"]
            click.echo(f"sentences of everyday life: mean cosine {mean:.4f} with before, least {least:.4f}")
    for line in found.unread:
        print_note(line)
    if not all(each.known for each in subjects):
        print_note("what an encoder that is no run was trained on is not known")
    if found.unread:
        raise click.exceptions.Exit(FAILED)


def _gain_text(gain: float, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return f"{gain:+.3f}"
    shown = "" if interval[0] > 0 or interval[1] < 0 else ": may be chance"
    return f"{gain:+.3f} ({interval[0]:+.3f} to {interval[1]:+.3f}){shown}"
