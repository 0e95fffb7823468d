"""The demo world: a drawn world that the demo encoder is trained on and the demo library is made of."""
