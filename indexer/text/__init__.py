"""Words that files hold already: subtitles, transcripts, captions, chapters and tags, with their times.

    found = read_text_sources(video)      # indexer.text.sources: everything, from the video and the files beside it
    found = read_sidecars(video)          # only the files beside it: a changed one is read again without the video

    sources        the doors
    sidecars       finds files beside videos; languages and name_parts read what their names say
    sidecar_file   reads one, by encodings (bytes to text) and cue_formats (text to cues)
    cue_blocks, substation, framed_lines, stamped_lines, whisper_json, ttml      one family of formats each
    embedded       text tracks and closed captions (a53, cea608) of the video
    container      chapters and tags of the video; xmp, finder_tags: those kept beside it or by the system
    lines          cues to lines: markup has gone, times are within the video, what repeats is merged, damage is counted

Nothing here raises for what a file holds: damage becomes a TextProblem. Files beside a video are as foreign as the
video is: sizes, counts and nesting are limited, and no link leads out of the folder.
"""
