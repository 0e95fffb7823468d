"""The page's script: Streamlit runs it from the top at each interaction. It only says which pages there are."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

if str(Path(__file__).parent) in sys.path:  # Streamlit puts the script's folder first; our rooms are two above
    sys.path.remove(str(Path(__file__).parent))
    sys.path.insert(0, str(Path(__file__).parents[2]))

from app.browse import search_page

st.set_page_config(page_title="prismsearch", page_icon=":material/movie:", layout="wide")
st.navigation(
    [
        st.Page(search_page.show, title="Search", url_path="search", default=True),
    ],
    position="top",
).run()
