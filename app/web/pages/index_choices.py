"""Options of an index job: the widgets for encoder, detector and exclusions, and the resulting order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.compose import encoder_name, settings_from, with_library_encoder
from app.cut_settings import cut_settings_of
from app.encoder_names import encoder_names
from app.jobs.orders import IndexOrder
from app.shell.file_options import index_options, new_settings
from app.shell.terminal import printable
from app.web.pages.escape import escape_markdown
from app.web.services.model_need import alias_of

if TYPE_CHECKING:
    from db.library import Library

_ENCODER = "index_encoder"  # in the session's state
_ENCODER_HELP = (
    "The model that looks at the shots. base suits most libraries; large finds more but is slower; demo is only for "
    "the drawings of the demo library."
)
_QUICK_HELP = (
    "Reads key frames only, so that videos can be searched after a fraction of the time. Shots are coarse, and motion "
    "is hardly seen. The full pass, which you start afterwards, replaces all of it."
)
_DETECTORS = {
    "learned": "learned: cuts, dissolves, wipes and fades, by a neural network",
    "blend": "blend: cuts, dissolves, wipes and fades, by rules",
    "adaptive": "adaptive: cuts, robust to fast motion",
    "content": "content: cuts, by changes of colour",
    "hash": "hash: cuts, by changes of structure",
    "histogram": "histogram: cuts, by changes of brightness",
    "threshold": "threshold: fades to and from black",
}


@dataclass(frozen=True, slots=True)
class IndexChoices:
    """Options of an index job as chosen on the page."""

    encoder: str
    detector: str | None  # None: the library's own
    quick: bool
    redo: bool
    retry_failed: bool
    exclude: tuple[str, ...]
    from_file: Mapping[str, Any]  # other fields of the order, from the settings file

    def order(self, path: str) -> IndexOrder:
        """Return the order that indexes a path with these options."""
        return replace(
            IndexOrder(paths=(path,), **self.from_file),
            encoder=self.encoder,
            shaping=replace(self.from_file["shaping"], detector=self.detector),
            exclude=self.exclude,
            quick=self.quick,
            redo=self.redo and not self.quick,
            retry_failed=self.retry_failed,
        )


def draw_index_choices(library: Library) -> IndexChoices:
    """Draw the widgets and return the chosen options.

    Raises:
        WrongSetting: The settings file has a wrong value.
    """
    from app.encoder_choice import canonical
    from encoder.config import ALIASES

    current = canonical(encoder_name(with_library_encoder(settings_from(), library)))
    from_file = index_options()
    own_detector = cut_settings_of(library, new=new_settings(from_file["new_library"])).detector
    names = list(dict.fromkeys([current, *ALIASES.values()]))
    opened = "options" in st.query_params  # by a link that says to choose another encoder
    quick = st.checkbox("Quick pass first", key="index_quick", help=_QUICK_HELP)
    with st.expander("Options", icon=":material/tune:", key="index_options", expanded=opened):
        encoder = st.selectbox("Encoder", names, key=_ENCODER, format_func=encoder_label, help=_ENCODER_HELP)
        detector = st.selectbox(
            "Shot detection",
            list(_DETECTORS),
            index=list(_DETECTORS).index(own_detector),
            key="index_detector",
            format_func=_DETECTORS.__getitem__,
        )
        exclude = st.text_area(
            "Exclude", "\n".join(from_file["exclude"]), key="index_exclude", height=90,
            placeholder="*.tmp.mp4\n*/raw/*",
            help="Name or path patterns, one per line.",
        )  # fmt: skip
        redo = st.checkbox("Index unchanged videos again", key="index_redo", disabled=quick)
        retry = st.checkbox("Retry files that failed before", key="index_retry_failed")
    encoder = encoder or current
    held = [row.id.partition("@")[0] for row in library.encoders() if row.segments]
    if held and not set(held).issuperset(encoder_names(encoder)):
        others = ", ".join(alias_of(name) for name in dict.fromkeys(held))
        st.caption(
            escape_markdown(f"This library was indexed with {others}. A search finds what its encoders have indexed.")
        )
    lines = tuple(line.strip() for line in (exclude or "").splitlines() if line.strip())
    return IndexChoices(encoder, None if detector == own_detector else detector, quick, redo, retry, lines, from_file)


def choose_encoder(name: str) -> None:
    """Choose an encoder. Call it in callbacks."""
    st.session_state[_ENCODER] = name


def encoder_label(name: str) -> str:
    """Return the display name of an encoder."""
    alias = alias_of(name)
    return "demo (demo library only)" if alias == "demo" else printable(alias)
