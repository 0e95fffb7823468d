"""The pages that Streamlit runs: widgets in, views out."""
