"""The settings file to begin with: every name, commented out. Printed by `prismsearch settings --example`."""

from __future__ import annotations

EXAMPLE = """\
# Settings of prismsearch. Remove the # before a line to use it.
# Options on the command line take precedence, then environment variables, then what a library keeps.
# Relative paths are relative to the folder of this file.

# library = "~/Videos/prismsearch"
# encoder = "large"             # of new libraries: base, large, a weights file
# device = "cuda"               # auto, cpu, cuda, cuda:N, mps
# precision = "bfloat16"        # auto, float32, bfloat16, int8
# ffmpeg = "/usr/bin/ffmpeg"    # use this program instead of the packaged one
# vector-index = "pgvector"     # of libraries on a server: faiss (a copy on this machine), pgvector, auto

[roots]                         # named folders of videos, which other machines have elsewhere
# nas = "/mnt/nas"

[index]
# These shape what is stored. They apply to new libraries; a library keeps what it was created with.
# detector = "blend"            # learned, blend, adaptive, content, hash, histogram, threshold
# detector-option = ["blend_score=4.0"]
# min-scene-len = "0.3s"
# segment-seconds = 8
# overlap-seconds = 0.5
# decode = "reference"          # all, reference
# hash-content = "never"        # always, local, never
# frames = 16
# fit = "crop"
# still-frames = 4
# These apply to every run.
# workers = 2
# batch-size = 8
# exclude = ["*.tmp.mp4", "*/raw/*"]
# hardware = "auto"             # none, auto, cuda, videotoolbox, vaapi, d3d11va, qsv, vulkan
# stall-seconds = 60
# decode-memory = 3             # GiB

[search]                        # also for similar
# top-k = 20
# per-video = 3
# duplicates = "hide"           # stack, hide, show
# takes = "stack"               # stack, hide, show
# min-strength = "likely"       # weak, likely, strong

[export]
# mode = "smart"                # exact, smart, copy
# handles = 1.5                 # seconds
# audio = "first"               # all, first, none, or numbers such as "1,3"
# name = "{collection}_{rank}_{name}"
# list = ["edl", "fcpxml"]
# subtitles = "file"            # none, file, track, burn
# language = "en"
# words-from = "best"           # best, subtitle, speech, screen
# top-k = 5
# per-video = 1
# duplicates = "stack"
# takes = "show"
# min-strength = "weak"

[ui]
# port = 8600
# browser = false               # only print the address
"""
