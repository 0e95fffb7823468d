"""Division of a video: shot detectors, the frames kept of the shot in hand, and segments."""
