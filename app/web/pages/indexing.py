"""Indexing page: check a folder, start to index it, and follow current and past jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.compose import encoder_name, settings_from, with_library_encoder
from app.cut_settings import cut_settings_of
from app.jobs.command_line import paths_of, title_of
from app.jobs.orders import DownloadOrder, IndexOrder, Order
from app.shell.index_options import ShapingOptions
from app.shell.notice import DEMO_LIBRARY
from app.shell.terminal import printable, size_text
from app.web.pages import session
from app.web.pages.components import component
from app.web.pages.escape import escape_markdown
from app.web.pages.run_cards import show_runs
from app.web.services.folder_check import FolderCheck, check_folder
from app.web.services.folder_suggestions import recent_folders, usual_folders
from app.web.services.model_need import alias_of, model_to_fetch

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library

_WIDTH = 920  # pixels; lines longer than that are hard to read
_PATH, _CHOSEN, _CHECKED, _ERROR = "index_path", "index_chosen", "index_checked", "index_trouble"
_DETECTORS = {
    "blend": "blend: cuts, dissolves, wipes and fades",
    "adaptive": "adaptive: cuts, steady against fast motion",
    "content": "content: cuts, by change of colour",
    "hash": "hash: cuts, by change of structure",
    "histogram": "histogram: cuts, by brightness",
    "threshold": "threshold: fades to and from black",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """Options of an index job as chosen on the page."""

    encoder: str
    detector: str | None  # None: the library's own
    redo: bool
    retry_failed: bool
    exclude: tuple[str, ...]

    def order(self, path: str) -> IndexOrder:
        """Return the order that indexes a path like this."""
        return IndexOrder(
            encoder=self.encoder,
            shaping=ShapingOptions(detector=self.detector),
            exclude=self.exclude,
            redo=self.redo,
            retry_failed=self.retry_failed,
            paths=(path,),
        )


def show() -> None:
    """Draw the page."""
    library = session.open_library()
    component("shell")(key="shell", data={"dock": True, "search": False})
    states = session.jobs().all()
    first = not (library.encoders() or library.failures() or any(state.kind == "index" for state in states))
    with st.container(width=_WIDTH):
        _draw_heading(first=first)
        path = _draw_folder_box(states)
        check = _check(path, library) if path else None
        above = st.container()  # drawn later, because it depends on the options below
        choices = _draw_options(library)
        with above:
            _draw_start(check, choices, states)
        show_runs()
        if first:
            _draw_demo_offer()


def _draw_start(check: FolderCheck | None, choices: Choices, states: list[JobState]) -> None:
    """Draw the result of the check, what prevents indexing, and the button."""
    if check is not None:
        _draw_check(check)
    ready = _draw_model_need(choices, states)
    busy = check is not None and any(state.running and check.path in paths_of(state) for state in states)
    if busy:
        st.info("This folder is being indexed already; see below.")
    own = check is not None and check.usable and not _in_demo(check.path)
    if own and choices.encoder == _demo_name():
        st.warning(
            "The demo encoder knows only the drawn world of the demo library: on videos of your own its hits mean "
            "nothing. Choose another encoder under Options for them."
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start indexing", type="primary", icon=":material/play_arrow:", key="index_start", on_click=_start,
            args=(check, choices), disabled=check is None or not check.usable or not ready or busy,
        )  # fmt: skip
        st.caption(escape_markdown(f"with the encoder {_encoder_label(choices.encoder)}"))
    if error := st.session_state.pop(_ERROR, None):
        st.error(escape_markdown(error))


def _draw_heading(*, first: bool) -> None:
    if first:
        st.title("Add your first folder", anchor=False)
        st.write(
            "Say where your videos are. prismsearch cuts them into shots and looks at each one; files are only ever "
            "read, and nothing leaves this machine. Indexing goes on when this page is closed."
        )
    else:
        st.subheader("Add videos", anchor=False)


def _draw_folder_box(states: list[JobState]) -> str:
    """Draw the text box and return the path as the system spells it; empty while nothing is typed."""
    st.text_input(
        "Folder",
        key=_PATH,
        placeholder=r"C:\Users\me\Videos" if os.name == "nt" else "/home/me/Videos",
    )
    recent = [path for path in recent_folders(states) if not _in_demo(path)] or usual_folders()
    if recent:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Recent" if states else "Perhaps", width="content")
            for number, path in enumerate(recent):
                _path_button(path, f"recent_{number}", title_of([path]))
    typed = st.session_state.get(_PATH) or ""
    chosen = st.session_state.get(_CHOSEN)
    return chosen if chosen is not None and typed == printable(chosen) else typed


def _path_button(path: str, key: str, label: str) -> None:
    st.button(
        escape_markdown(printable(label)),
        key=key,
        help=escape_markdown(printable(path)),
        on_click=_choose,
        args=(path,),
    )


def _choose(path: str) -> None:
    """Put a path into the box. The path itself is kept beside it, because it may not be printable."""
    st.session_state[_PATH], st.session_state[_CHOSEN] = printable(path), path
    _check_again()


def _check_again() -> None:
    st.session_state.pop(_CHECKED, None)


def _check(path: str, library: Library) -> FolderCheck:
    """Return the check of this path, made once until another path is typed or the check is repeated."""
    known = st.session_state.get(_CHECKED)
    if known is None or known[0] != path:
        with st.spinner("Looking into the folder", show_time=False):
            known = path, check_folder(path, library.directory)
        st.session_state[_CHECKED] = known
    check: FolderCheck = known[1]
    return check


def _draw_check(check: FolderCheck) -> None:
    if check.level == "good":
        st.success(escape_markdown(check.sentence), icon=":material/check:")
        return
    st.warning(escape_markdown(check.sentence), icon=":material/info:" if check.usable else ":material/folder_off:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if check.suggestions:
            st.caption("Did you mean", width="content")
        for number, path in enumerate(check.suggestions):
            _path_button(path, f"meant_{number}", path)
        st.button("Look again", key="look_again", icon=":material/refresh:", type="tertiary", on_click=_check_again)


def _draw_options(library: Library) -> Choices:
    from app.encoder_choice import canonical
    from encoder.config import ALIASES

    current = canonical(encoder_name(with_library_encoder(settings_from(), library)))
    own_detector = cut_settings_of(library).detector
    names = list(dict.fromkeys([current, *ALIASES.values()]))
    with st.expander("Options", icon=":material/tune:", key="index_options"):
        encoder = st.selectbox("Encoder", names, key="index_encoder", format_func=_encoder_label, help=_ENCODER_HELP)
        detector = st.selectbox(
            "How cuts are found",
            list(_DETECTORS),
            index=list(_DETECTORS).index(own_detector),
            key="index_detector",
            format_func=_DETECTORS.__getitem__,
        )
        exclude = st.text_area(
            "Leave out", key="index_exclude", placeholder="*.tmp.mp4\n*/raw/*", height=90,
            help="Patterns of names or paths, one a line.",
        )  # fmt: skip
        redo = st.checkbox("Index again what is unchanged", key="index_redo")
        retry = st.checkbox("Try files again that failed before", key="index_retry_failed")
    encoder = encoder or current
    held = [row.id.partition("@")[0] for row in library.encoders() if row.segments]
    if held and encoder not in held:
        others = ", ".join(alias_of(name) for name in dict.fromkeys(held))
        st.caption(escape_markdown(f"The library was indexed with {others}; a search looks at one encoder at a time."))
    lines = tuple(line.strip() for line in (exclude or "").splitlines() if line.strip())
    return Choices(encoder, None if detector == own_detector else detector, redo, retry, lines)


_ENCODER_HELP = (
    "What looks at the shots. base is the one to take; large sees more and is slower; demo knows only the drawn world "
    "of the demo library."
)


def _encoder_label(name: str) -> str:
    alias = alias_of(name)
    return "demo (only for the demo library)" if alias == "demo" else printable(alias)


def _draw_model_need(choices: Choices, states: list[JobState]) -> bool:
    """Return whether the encoder's files are here; if not, draw what has to be downloaded, and the button for it."""
    need = model_to_fetch(choices.encoder)
    if need is None:
        return True
    if any(state.running and state.kind == "download" for state in states):
        st.info("The model is being downloaded; see below. Indexing can begin when it is here.")
        return False
    size = size_text(need.size_bytes)
    st.warning(
        escape_markdown(
            f"The encoder {need.alias} is not on this machine yet. It is downloaded once, about {size}, from the "
            "Hugging Face Hub (prismsearch fetch-model does the same). Nothing of yours is sent, and nothing is "
            "downloaded before you say so."
        ),
        icon=":material/download:",
    )
    st.button(
        f"Download {need.alias} (about {size})", key="fetch_model", icon=":material/download:", on_click=_fetch,
        args=(need.alias,),
    )  # fmt: skip
    return False


def _start(check: FolderCheck | None, choices: Choices) -> None:
    if check is None:
        return
    now = check_folder(check.path, session.open_library().directory)
    if not now.usable:
        st.session_state[_CHECKED] = check.path, now
        return
    if _begin(choices.order(check.path), title_of([check.path])):
        st.session_state[_PATH] = ""
        st.session_state.pop(_CHOSEN, None)
        _check_again()


def _fetch(alias: str) -> None:
    _begin(DownloadOrder(model=alias), f"model {alias}")


def _begin(order: Order, title: str) -> bool:
    try:
        session.jobs().start(order, settings_from(), title=title)
    except (OSError, ValueError) as error:
        st.session_state[_ERROR] = f"It could not be started: {error}. Is there room on the disk?"
        return False
    return True


def _draw_demo_offer() -> None:
    with st.container(border=True):
        st.markdown("**No videos at hand?**")
        st.write(
            "prismsearch comes with a demo library of short drawn clips, and with a small encoder that was trained on "
            "just such drawings. It shows how everything works, in a minute and without a download. It says nothing "
            "about how well the real encoder finds things in real videos."
        )
        st.button("Index the demo library", key="index_demo", icon=":material/movie:", on_click=_start_demo)


def _start_demo() -> None:
    _begin(IndexOrder(encoder=_demo_name(), paths=(str(DEMO_LIBRARY),)), "the demo library")


def _demo_name() -> str:
    from encoder.config import DEMO

    return DEMO.name


def _in_demo(path: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(DEMO_LIBRARY) if path else False
