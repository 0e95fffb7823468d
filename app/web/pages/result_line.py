"""The line above the results: what was found, the most important note, and offers. Counts are in its tooltip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import streamlit as st

from app.encoder_choice import other_text
from app.search_link import EXCLUDED_WEIGHT, FILTERS, LinkTerm, SearchLink
from app.shell.coverage import coverage
from app.shell.notice import OTHER_TEXT
from app.shell.terminal import count_text
from app.shell.word_notes import word_notes
from app.web.http.errors import as_sentence
from app.web.pages import search_state, session
from app.web.pages.empty_states import encoder_link, page_link
from app.web.pages.escape import escape_markdown
from search.negation import Negation, find_negation

if TYPE_CHECKING:
    from search.engines import Engine
    from search.query import Answer
    from search.strength import Strength

MOST_CHARACTERS = 120  # of a note beside the counts; longer ones have a line of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """What is said of the results.

    Attributes:
        text: The counts.
        details: Sentences for the tooltip.
        folded: Whether none of the results is a good match for the words.
        empty: Whether there are none.
    """

    text: str
    details: tuple[str, ...] = ()
    folded: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence on what limits the results, and what draws a link to the place where that can be changed."""

    text: str
    draw_remedy: Callable[[], None] = lambda: None


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
    shot_count = count_text(shots, "shot")
    details = [f"Searched {shot_count} in {milliseconds:.0f} ms."]
    if shots < found.allowed:
        details.append(f"Long shots are searched in parts: {found.allowed:,} parts in total.")
    if found.matching != found.allowed:
        details.append(f"{found.matching:,} {'parts' if shots < found.allowed else 'shots'} reach the minimum score.")
    if found.hidden:
        details.append(f"Left out as near-duplicates, takes or further results from the same video: {found.hidden:,}.")
    if found.stacked:
        details.append(f"Near-duplicates stacked behind these: {found.stacked:,}.")
    if link.takes == "stack" and found.stacked_takes:
        details.append(f"Other takes stacked behind these: {found.stacked_takes:,}.")
    good = good_matches(hit.strength for hit in found.hits)
    shown = shown_text(found, shots)
    if good is None:
        return ResultLine(text=shown + together(link), details=tuple(details))
    if good == 0:
        if not link.words.strip():  # the nearest to an example are what was asked for
            text = f"No good match among {shot_count}. These are the nearest ones."
            return ResultLine(text=text, details=tuple(details))
        return ResultLine(text=no_match_text(link, shot_count), details=tuple(details), folded=True)
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
    return " · matching both the words and the example" if has_both(link) else ""


def has_both(link: SearchLink) -> bool:
    """Return whether hits should resemble both words and an example."""
    return bool(link.box.picture.strip()) and any(term.kind != "text" and term.weight > 0 for term in link.terms)


def no_match_text(link: SearchLink, among: str) -> str:
    """Return the line for results that are no better than those of unrelated searches."""
    advice = "try other words" if link.words.strip() else "try another example"
    return f"No good match among {among}. Look at the nearest ones, or {advice}."


def no_hits_text(link: SearchLink, allowed: int) -> str:
    """Return a likely reason for the lack of hits; `wider_searches` has the remedies."""
    if not allowed:
        return "No shots match these filters." if link.filter_count else "There are no shots to search."
    if link.least_level is not None:
        return f"No match is {'strong' if link.least_level == 'strong' else 'strong or likely'}."
    if link.threshold is not None:
        return f"No shot scores {link.threshold:g} or more."
    return "No shots found."


def notes_on(link: SearchLink, engine: Engine) -> list[Note]:
    """Return what limits the results: unread words, shots that were not looked at, the encoder's own notice.

    Raises:
        ValueError: The encoder can read nothing of a text, so that any result would be an accident.
    """
    notes = [Note(as_sentence(note)) for note in word_notes(engine.encoder, link.texts)]
    found = coverage(engine.library, engine.voice_ids)
    if found.gap:
        notes.append(Note(as_sentence(found.gap), partial(page_link, "indexing", "Index the others")))
        if found.failures:
            failed = f"{found.failures:,} file{' was' if found.failures == 1 else 's were'} not indexed."
            notes.append(Note(failed, partial(page_link, "library", "See why")))
    notes += [Note(as_sentence(note)) for note in found.notes()]
    if link.texts and other_text(engine.library, engine.encoder) is not None:
        notes.append(Note(as_sentence(OTHER_TEXT)))
    if not link.is_text_alone and (notice := session.notice(engine)):
        notes.append(Note(as_sentence(notice), encoder_link))
    return notes


def offers_for(link: SearchLink) -> list[Offer]:
    """Return changes of the search that a person may want, each one click away."""
    offers = []
    if has_both(link):
        offers.append(Offer("Use only the example", "Search without the words", without_words))
    negation = find_negation(link.box.picture)
    if negation is not None:
        named = " and ".join(f"“{what}”" for what in negation.excluded)
        why = "The encoder mostly ignores “no”, “not” and “without”. This excludes what they name instead."
        offers.append(Offer(f"Exclude {named}", why, excluding(negation)))
    return offers


def wider_searches(link: SearchLink) -> list[Offer]:
    """Return changes of a search that finds nothing, each of which lets more shots through."""
    offers = []
    if link.least_level is not None:
        offers.append(Offer("Show weaker matches", "Remove the minimum strength", filters_removed("least_level")))
    if link.threshold is not None:
        offers.append(Offer("Show lower scores", "Remove the minimum score", filters_removed("threshold")))
    if link.without("least_level", "threshold").filter_count:
        offers.append(Offer("Clear filters", "Search the whole library", filters_removed(*FILTERS)))
    return offers


def filters_removed(*names: str) -> Callable[[SearchLink], SearchLink]:
    """Return the change of a search that removes some of its filters."""
    return lambda link: link.without(*names)


def excluding(negation: Negation) -> Callable[[SearchLink], SearchLink]:
    """Return the change of a search that takes what its words negate as exclusions."""

    def change(link: SearchLink) -> SearchLink:
        changed = link.with_picture_words(negation.kept)
        for what in negation.excluded:
            changed = changed.with_term(LinkTerm("text", what, EXCLUDED_WEIGHT))
        return changed

    return change


def without_words(link: SearchLink) -> SearchLink:
    """Return the search by its examples alone; what is in quotes stays."""
    terms = tuple(term for term in link.terms if term.kind != "text")
    return replace(link.with_picture_words(""), words_weight=1.0, terms=terms)


def draw_line(line: ResultLine, notes: Sequence[Note], offers: Sequence[Offer]) -> None:
    """Draw the line with the first note and the offers beside it, and a line for each further note."""
    beside = notes[:1] if notes and len(notes[0].text) <= MOST_CHARACTERS and not line.empty else []
    if line.empty:
        st.info(escape_markdown(line.text))
    text = " · ".join(escape_markdown(part) for part in (line.text, *(note.text for note in beside)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="result_line"):
        if line.folded:
            bold = text.replace("No good match", "**No good match**", 1)
            st.markdown(bold, help=tooltip(line.details), width="content")
        elif not line.empty:
            st.caption(text, help=tooltip(line.details), width="content")
        for note in beside:
            note.draw_remedy()
        draw_offers(offers, prominent=line.empty)
    for note in notes[len(beside) :]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(escape_markdown(note.text), width="content")
            note.draw_remedy()


def draw_offers(offers: Sequence[Offer], *, prominent: bool) -> None:
    """Draw a button for each offer, with a border where it is the way on."""
    for offer in offers:
        look: Literal["secondary", "tertiary"] = "secondary" if prominent else "tertiary"
        st.button(escape_markdown(offer.label), help=offer.help, type=look, on_click=accept, args=(offer.apply,))


def tooltip(sentences: Sequence[str]) -> str | None:
    """Return sentences as Markdown, one to a paragraph."""
    return "\n\n".join(escape_markdown(sentence) for sentence in sentences) or None


def accept(change: Callable[[SearchLink], SearchLink]) -> None:
    """Change the search as an offer says."""
    search_state.set_search(change(search_state.with_typed_words(search_state.current_search())))
