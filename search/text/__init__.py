"""Search in timed text: a person's words or a regular expression -> lines, best first."""
