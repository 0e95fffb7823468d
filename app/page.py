"""The script that Streamlit reruns from the top at each interaction: it declares the pages and runs the current one.

It is not in `app/web`, because Streamlit would treat a folder `pages` next to it as its own pages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

if str(Path(__file__).parent) in sys.path:  # Streamlit puts the script's folder first; the packages are one level up
    sys.path.remove(str(Path(__file__).parent))
    sys.path.insert(0, str(Path(__file__).parents[1]))

from app.compose import WrongSetting
from app.web.http.roles import ACTION_OF_PAGE, ACTIONS
from app.web.http.visitor import MAY
from app.web.pages import away, collections, indexing, library, map, questions, search, session
from app.web.pages.components import component
from app.web.pages.escape import escape_markdown
from db.errors import LibraryError, LibraryUnreachable

try:
    visitor = session.visitor()  # ends the script for somebody who was logged out
except LibraryUnreachable:
    away.wait_for_library()
st.set_page_config(page_icon=str(Path(__file__).parent / "web" / "static" / "icon.svg"), layout="wide")
PAGES = {
    "search": st.Page(search.show, title="Search", icon=":material/search:", url_path="search", default=True),
    "library": st.Page(library.show, title="Library", icon=":material/video_library:", url_path="library"),
    "map": st.Page(map.show, title="Map", icon=":material/bubble_chart:", url_path="map"),
    "collections": st.Page(
        collections.show, title="Collections", icon=":material/playlist_play:", url_path="collections"
    ),
    "questions": st.Page(questions.show, title="Questions", icon=":material/help_center:", url_path="questions"),
    "indexing": st.Page(indexing.show, title="Indexing", icon=":material/create_new_folder:", url_path="indexing"),
}
for name, action in ACTION_OF_PAGE.items():
    if not visitor.may(ACTIONS[action]):
        del PAGES[name]
st.session_state["pages"] = PAGES
page = st.navigation(list(PAGES.values()), position="top")
if st.session_state.get("page") not in (None, page.url_path):
    st.session_state["arrived"] = True  # came from another page: continue the last search here
st.session_state["page"] = page.url_path
st.set_page_config(page_title=f"{page.title} · prismsearch")
try:
    page.run()
except LibraryUnreachable:
    away.wait_for_library()
except LibraryError as error:
    st.error(escape_markdown(str(error)), icon=":material/database:")
except WrongSetting as error:  # the settings file was changed while the page runs
    st.error(escape_markdown(str(error)), icon=":material/settings:")
if visitor.person is not None:
    component("person")(
        key="person", data={"name": visitor.name, "role": visitor.person.role, "may": MAY[visitor.person.role]}
    )
