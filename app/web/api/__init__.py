"""JSON and media over HTTP, by subject: one module for the routes below `/api/SUBJECT`."""
