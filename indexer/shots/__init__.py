"""Division of a video into shots and segments: detectors, the buffer of the current shot, and splitting."""
