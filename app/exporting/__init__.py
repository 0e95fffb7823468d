"""Ranges of videos as files of their own: surveyed, cut by ffmpeg, named, listed, in a folder or one zip."""
