"""Jobs that recognise words in indexed videos: what each takes, said beforehand, and a button that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.jobs.command_line import title_of
from app.jobs.orders import ReadTextOrder, TranscribeOrder
from app.shell.terminal import size_text
from app.web.pages import session
from app.web.pages.escape import escape_markdown
from app.web.services.model_need import speech_model_to_fetch
from app.web.services.word_work import WordWork, reading_work, top_folders, transcribing_work

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library

_MODEL = "speech_model"  # in the session's state
_ERROR = "words_trouble"  # likewise


def draw_word_jobs(library: Library, states: list[JobState]) -> None:
    """Draw what can be recognised in the videos of a library that has some.

    Args:
        library: The library.
        states: Its jobs, the newest first.
    """
    with st.container(border=True, key="word_jobs"):
        st.markdown(
            "**Words in the videos**  \nWhat is written and said becomes searchable. No video is encoded again."
        )
        _draw_reading(library, states)
        _draw_transcribing(library, states)
        if error := st.session_state.pop(_ERROR, None):
            st.error(escape_markdown(error))


def _draw_reading(library: Library, states: list[JobState]) -> None:
    work = reading_work(library, states)
    with st.container(horizontal=True, vertical_alignment="center"):
        _say("Text in the pictures", work)
        st.button(
            "Read text in the pictures",
            icon=":material/text_fields:",
            key="read_text",
            disabled=not work.can_begin,
            on_click=_read,
        )


def _draw_transcribing(library: Library, states: list[JobState]) -> None:
    from recognition.speech.models import DEFAULT_MODEL, SPEECH_MODELS

    chosen = str(st.session_state.get(_MODEL, DEFAULT_MODEL))
    work = transcribing_work(library, states, chosen)
    need = speech_model_to_fetch(chosen) if work.ready else None
    with st.container(horizontal=True, vertical_alignment="center"):
        _say("Speech", work, need.about if need else "")
        if work.ready:
            st.selectbox(
                "Speech model",
                list(SPEECH_MODELS),
                index=list(SPEECH_MODELS).index(DEFAULT_MODEL),
                key=_MODEL,
                label_visibility="collapsed",
                help="small knows 99 languages; base takes a third of the time and is for clear speech.",
                width=110,
            )
        st.button(
            f"Download {need.alias} ({size_text(need.size_bytes)}) and transcribe" if need else "Transcribe speech",
            icon=":material/record_voice_over:",
            key="transcribe",
            disabled=not work.can_begin,
            on_click=_transcribe,
            args=(chosen, need is not None),
        )


def _say(title: str, work: WordWork, more: str = "") -> None:
    line = work.barred or f"{work.about} {more}".strip()
    st.markdown(f"{title}  \n:gray[{escape_markdown(line)}]", width="stretch")


def _read() -> None:
    library = session.open_library()
    work = reading_work(library, session.jobs().all())
    paths = tuple(top_folders(library.folders()))
    if work.can_begin:  # another tab may have begun one meanwhile
        _begin(ReadTextOrder(paths=paths), title_of(paths))


def _transcribe(model: str, fetch: bool) -> None:
    work = transcribing_work(session.open_library(), session.jobs().all(), model)
    if work.can_begin:
        _begin(TranscribeOrder(model=model, fetch=fetch), "the library")


def _begin(order: ReadTextOrder | TranscribeOrder, title: str) -> None:
    st.session_state[_ERROR] = session.start_job(order, title)
