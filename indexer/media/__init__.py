"""Reading of video files: probe, decode, scale, sample clips, make previews. Also imported by `app`."""
