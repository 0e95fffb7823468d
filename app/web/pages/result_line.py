"""The line above the results: what was found, the most important note, and offers. All else is in its tooltip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from app.search_link import EXCLUDED_WEIGHT, LinkTerm, SearchLink
from app.shell.coverage import coverage
from app.shell.word_notes import word_notes
from app.web.http.errors import as_sentence
from app.web.pages import search_state, session
from app.web.pages.escape import escape_markdown
from search.negation import Negation, find_negation

if TYPE_CHECKING:
    from search.engine import SearchEngine
    from search.query import Answer
    from search.strength import Strength

MOST_CHARACTERS = 100  # of a note beside the counts; longer ones are cut at their colon


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """What is said of the results.

    Attributes:
        text: The counts.
        details: Sentences for the tooltip.
        folded: Whether none of the results is a good match.
        empty: Whether there are none.
    """

    text: str
    details: tuple[str, ...] = ()
    folded: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A button beside the line that changes the search."""

    label: str
    help: str
    apply: Callable[[SearchLink], SearchLink]


def line_of(found: Answer, link: SearchLink, milliseconds: float, shots: int) -> ResultLine:
    """Return the line about an answer.

    Args:
        found: The answer.
        link: The search.
        milliseconds: Time that it took.
        shots: Number of shots that pass the filters.
    """
    if not found.hits:
        return ResultLine(text=no_hits_text(link, found.allowed), empty=True)
    details = [f"Searched {shots:,} shots in {milliseconds:.0f} ms."]
    if shots < found.allowed:
        details.append(f"Long shots are searched in parts: {found.allowed:,} parts in all.")
    if found.matching != found.allowed:
        details.append(f"{found.matching:,} {'parts' if shots < found.allowed else 'shots'} reach the minimum cosine.")
    if found.hidden:
        details.append(f"{found.hidden:,} left out as duplicates or further hits of a video.")
    if found.stacked:
        details.append(f"{found.stacked:,} more stacked behind these: they look the same.")
    good = good_matches(hit.strength for hit in found.hits)
    shown = shown_text(found, shots)
    if good is None:
        return ResultLine(text=shown + together(link), details=tuple(details))
    if good == 0:
        return ResultLine(text=no_match_text(link, f"{shots:,} shots"), details=tuple(details), folded=True)
    return ResultLine(text=f"{match_count(good)} · {shown}{together(link)}", details=tuple(details))


def shown_text(found: Answer, shots: int) -> str:
    """Return `24 of 3,120 shots`: each shot counts once, though several of its parts may be hits."""
    if found.matching != found.allowed:
        return f"{len(found.hits):,} of {found.matching:,} {'parts' if shots < found.allowed else 'shots'}"
    of = len({(hit.video.id, hit.segment.shot_number) for hit in found.hits})
    hits = f"{len(found.hits):,} hits in " if of < len(found.hits) else ""
    return f"{hits}{of:,} of {shots:,} shots"


def good_matches(strengths: Iterable[Strength | None]) -> int | None:
    """Return the number of strong and likely matches; None if strengths are unknown."""
    known = [strength for strength in strengths if strength is not None]
    return sum(strength.level != "weak" for strength in known) if known else None


def match_count(good: int) -> str:
    """Return `1 good match`, `12 good matches`."""
    return f"{good:,} good match{'' if good == 1 else 'es'}"


def together(link: SearchLink) -> str:
    """Return what is said of a search by words and examples at once; blank for any other."""
    return " · by the words and the example together" if has_both(link) else ""


def has_both(link: SearchLink) -> bool:
    """Return whether hits should resemble both words and an example."""
    return bool(link.words.strip()) and any(term.kind != "text" and term.weight > 0 for term in link.terms)


def no_match_text(link: SearchLink, among: str) -> str:
    """Return the line for results that are no better than those of unrelated searches."""
    advice = "describe it in other words" if link.words.strip() else "try another example"
    wider = ", or widen the filters" if link.filter_count else ""
    return f"No good match among {among}. Look at the nearest, or {advice}{wider}."


def no_hits_text(link: SearchLink, allowed: int) -> str:
    """Return a likely reason for the lack of hits, and advice."""
    if not allowed:
        return "No shots match these filters. Remove one, or clear them."
    if link.least_level is not None:
        return f"No match is {link.least_level}. Lower the least strength in Filters to see the nearest ones."
    if link.threshold is not None:
        return f"No cosine is {link.threshold:g} or more. Lower the least cosine in Filters to see the nearest ones."
    return "Nothing was found."


def notes_on(link: SearchLink, engine: SearchEngine) -> list[str]:
    """Return what limits the results: unread words, shots that were not looked at, the encoder's own notice.

    Raises:
        ValueError: The encoder can read nothing of a text, so that any result would be an accident.
    """
    notes = word_notes(engine.encoder, link.texts)
    if text := coverage(engine.library, engine.encoder.id).text():
        notes.append(text)
    if notice := session.notice(engine):
        notes.append(notice)
    return [as_sentence(note) for note in notes]


def offers_for(link: SearchLink) -> list[Offer]:
    """Return changes of the search that a person may want, each one click away."""
    offers = []
    if has_both(link):
        offers.append(Offer("Only the example", "Search without the words", without_words))
    negation = find_negation(link.words)
    if negation is not None:
        named = " and ".join(f"“{what}”" for what in negation.excluded)
        why = "Encoders hardly heed “no”, “not” and “without”: search for the rest, and away from what these name"
        offers.append(Offer(f"Exclude {named}", why, excluding(negation)))
    return offers


def excluding(negation: Negation) -> Callable[[SearchLink], SearchLink]:
    """Return the change of a search that takes what its words negate as exclusions."""

    def change(link: SearchLink) -> SearchLink:
        changed = replace(link, words=negation.kept)
        for what in negation.excluded:
            changed = changed.with_term(LinkTerm("text", what, EXCLUDED_WEIGHT))
        return changed

    return change


def without_words(link: SearchLink) -> SearchLink:
    """Return the search by its examples alone."""
    terms = tuple(term for term in link.terms if term.kind != "text")
    return replace(link, words="", words_weight=1.0, terms=terms)


def draw_line(line: ResultLine, notes: Sequence[str], offers: Sequence[Offer]) -> None:
    """Draw the line, with its offers as buttons beside it."""
    if line.empty:
        st.info(escape_markdown(line.text))
        draw_offers(offers)
        return
    parts = [line.text]
    details = list(line.details)
    for at, note in enumerate(notes):
        short = note if len(note) <= MOST_CHARACTERS else f"{note.partition(':')[0]} …"
        if at == 0 and len(short) <= MOST_CHARACTERS:
            parts.append(short)
        if at > 0 or short != note:
            details.append(note)
    text = " · ".join(escape_markdown(part) for part in parts)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if line.folded:
            st.markdown(text.replace("No good match", "**No good match**", 1), help=tooltip(details), width="content")
        else:
            st.caption(text, help=tooltip(details), width="content")
        draw_offers(offers)


def draw_offers(offers: Sequence[Offer]) -> None:
    """Draw a button for each offer."""
    for offer in offers:
        st.button(escape_markdown(offer.label), help=offer.help, type="tertiary", on_click=accept, args=(offer.apply,))


def tooltip(sentences: Sequence[str]) -> str | None:
    """Return sentences as Markdown, one to a paragraph."""
    return "\n\n".join(escape_markdown(sentence) for sentence in sentences) or None


def accept(change: Callable[[SearchLink], SearchLink]) -> None:
    """Change the search as an offer says."""
    search_state.set_search(change(search_state.with_typed_words(search_state.current_search())))
