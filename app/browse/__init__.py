"""The browser part of app: the server, its routes, the pages that Streamlit runs, and their JavaScript (`assets`)."""
