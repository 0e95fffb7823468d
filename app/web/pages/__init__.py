"""Pages that Streamlit runs: they read widgets and draw components."""
