"""The demo world: what the demo encoder is trained on and the demo library is made of."""
