"""Moments: the stretch of a hit's shot that answers a question, found by windows over its frames, without training."""
