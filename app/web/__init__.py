"""The browser part of app: the server, its HTTP API, the pages that Streamlit runs, and their JavaScript (`static`)."""
