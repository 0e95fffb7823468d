"""FFmpeg's formats (demuxers) that media files are opened with, by name. Standard library only.

All of them read nothing but the file itself, apart from MLV: see `indexer.media.opening`. FFmpeg has others that open
what a file names, which may be a pipe or on the network (concat, dash, hls, imf, sdp, vobsub), files of similar names
(image2), programs (avisynth, vapoursynth) and devices, or that draw text (tty).
"""

from __future__ import annotations

# fmt: off
VIDEO_FORMATS = frozenset((
    "3gp", "4xm", "anm", "apng", "apv", "argo_brp", "asf", "asf_o", "av1", "avi", "avs", "avs2", "avs3",
    "bethsoftvid", "bfi", "bink", "bmv", "c93", "cavsvideo", "cdg", "cdxl", "cine", "dfa", "dhav", "dirac", "dnxhd",
    "dsicin", "dv", "dxa", "ea", "evc", "film_cpk", "filmstrip", "flic", "flv", "gdv", "gif", "gxf", "h261", "h263",
    "h264", "hevc", "hnm", "hxvs", "idcin", "iff", "ifv", "ingenient", "ipmovie", "ipu", "iv8", "ivf", "ivr", "jv",
    "kux", "live_flv", "lmlm4", "luodat", "lvf", "lxf", "m4v", "matroska", "mgsts", "mjpeg", "mjpeg_2000", "mlv", "mm",
    "moflex", "mov", "mp4", "mpeg", "mpegts", "mpegvideo", "mpjpeg", "msnwctcp", "mtv", "mv", "mvi", "mxf", "mxg",
    "nc", "nsv", "nut", "nuv", "obu", "ogg", "paf", "pdv", "pmp", "psxstr", "pva", "r3d", "rl2", "rm", "roq", "rpl",
    "sdr2", "ser", "sga", "siff", "simbiosis_imx", "smjpeg", "smk", "smush", "swf", "thp", "tiertexseq", "tmv", "ty",
    "usm", "vc1", "vc1test", "vividas", "vivo", "vmd", "vvc", "wc3movie", "webm", "webp_anim", "wsvqa", "wtv", "xmv",
    "yop", "yuv4mpegpipe",
))
PICTURE_FORMATS = frozenset((
    "alias_pix", "bmp_pipe", "brender_pix", "cri_pipe", "dds_pipe", "dpx_pipe", "exr_pipe", "fits", "frm", "gem_pipe",
    "gif_pipe", "hdr_pipe", "ico", "j2k_pipe", "jpeg_pipe", "jpegls_pipe", "jpegxl_anim", "jpegxl_pipe",
    "jpegxs_pipe", "pam_pipe", "pbm_pipe", "pcx_pipe", "pfm_pipe", "pgm_pipe", "pgmyuv_pipe", "pgx_pipe", "phm_pipe",
    "photocd_pipe", "pictor_pipe", "png_pipe", "ppm_pipe", "psd_pipe", "qdraw_pipe", "qoi_pipe", "sgi_pipe",
    "sunrast_pipe", "tiff_pipe", "txd", "vbn_pipe", "webp_pipe", "xbm_pipe", "xpm_pipe", "xwd_pipe",
))
SOUND_FORMATS = frozenset((
    "aac", "ac3", "ac4", "aiff", "amr", "amrnb", "amrwb", "ape", "au", "caf", "dsf", "dts", "dtshd", "eac3", "flac",
    "iff", "loas", "mlp", "mp3", "mpc", "mpc8", "oma", "tak", "truehd", "tta", "voc", "w64", "wav", "wv", "xwma",
))
"""Media files without video, as opposed to files that are not media at all."""
# fmt: on
MEDIA_FORMATS = ",".join(sorted(VIDEO_FORMATS | PICTURE_FORMATS | SOUND_FORMATS))
"""The value of FFmpeg's option `format_whitelist`."""
PROTOCOLS = "file"
"""The value of FFmpeg's option `protocol_whitelist`."""
