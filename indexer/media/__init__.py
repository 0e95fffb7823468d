"""Reading of video files: probe, decode, scale, sample clips, make previews. Other rooms may import this package."""
