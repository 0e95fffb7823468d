"""Export of ranges of videos: surveyed, cut by ffmpeg, named, and listed, to a folder or a zip."""
