"""Checks of Python libraries, each probed in its own process.

A library that crashes or hangs on import becomes a failed check, and nothing heavy is imported here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from typing import Any

from app.cut_settings import default_detector
from app.diagnostics.check_result import CheckResult
from app.shell.terminal import count_text
from indexer.settings import LEARNED

PROBE_SECONDS = 120.0
WANTED_DECODERS = ("h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg4", "mpeg2video", "mjpeg", "prores")

Answer = dict[str, Any] | str
"""The facts that a probe printed, or one line with the reason for its failure."""

_PROBES = {
    "torch": """
import json, torch
cuda = torch.cuda.is_available()
mps = getattr(torch.backends, "mps", None)
print(json.dumps({
    "version": torch.__version__, "threads": torch.get_num_threads(),
    "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else [],
    "built_for_cuda": torch.version.cuda, "mps": bool(mps and mps.is_available())}))
""",
    "faiss": """
import json, faiss
print(json.dumps({
    "version": faiss.__version__, "gpus": faiss.get_num_gpus(), "gpu_build": hasattr(faiss, "StandardGpuResources")}))
""",
    "av": """
import json, sys, av, av.codec
def there(name):
    try:
        return bool(av.codec.Codec(name, "r"))
    except Exception:
        return False
print(json.dumps({
    "version": av.__version__, "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
    "missing": [name for name in sys.argv[1:] if not there(name)], "x264": "libx264" in av.codec.codecs_available}))
""",
    "scenedetect": """
import json, scenedetect
print(json.dumps({"version": scenedetect.__version__}))
""",
}


def probe_libraries() -> dict[str, Answer]:
    """Probe all libraries at the same time. Takes a few seconds."""
    probes = {name: _start(code) for name, code in _PROBES.items()}
    return {name: _answer(process) for name, process in probes.items()}


def _start(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *WANTED_DECODERS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(process: subprocess.Popen[str]) -> Answer:
    """Return the facts that a probe printed, or one line with the reason for its failure."""
    try:
        out, err = process.communicate(timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"did not answer within {PROBE_SECONDS:.0f} s"
    lines = out.strip().splitlines()
    if process.returncode == 0 and lines:
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer
    errors = [line for line in err.strip().splitlines() if line.strip()]
    return errors[-1] if errors else f"ended with code {process.returncode}"


def check_torch(answer: Answer) -> CheckResult:
    """Check torch, and report the device that it would use."""
    if isinstance(answer, str):
        return CheckResult(
            "torch", "bad", answer, "install the project again: pip install -e '.[cpu]' (or python3 dev.py demo)"
        )
    if answer["cuda"]:
        where = f"on {', '.join(answer['cuda'])}"
    elif answer["mps"]:
        where = "on the Apple GPU (mps)"
    else:
        where = f"on the CPU, {count_text(answer['threads'], 'thread')}"
    text = f"{answer['version']} {where}"
    if answer["built_for_cuda"] and not answer["cuda"]:
        return CheckResult(
            "torch", "note", text, "this torch is built for CUDA, but no usable NVIDIA GPU or driver was found"
        )
    return CheckResult("torch", "ok", text)


def faiss_distributions() -> list[str]:
    """List installed distributions that provide the package `faiss`. Two of them overwrite each other."""
    names = {(each.metadata["Name"] or "").lower().replace("_", "-") for each in metadata.distributions()}
    return sorted(name for name in names if name == "faiss" or name.startswith(("faiss-cpu", "faiss-gpu")))


def check_faiss(answer: Answer, installed: list[str]) -> CheckResult:
    """Check FAISS: its build (CPU or GPU), and that no two distributions overwrote each other."""
    if len(installed) > 1:
        return CheckResult(
            "faiss",
            "bad",
            f"{' and '.join(installed)} are both installed and overwrite each other",
            f"pip uninstall -y {' '.join(installed)}, then pip install one of them",
        )
    if isinstance(answer, str):
        advice = "pip install faiss-cpu (or faiss-gpu on Linux with an NVIDIA GPU)"
        if installed:
            advice = f"pip install --force-reinstall --no-deps {installed[0]}"
        return CheckResult("faiss", "bad", answer, advice)
    kind = "GPU build" if answer["gpu_build"] else "CPU build"
    used = f", {count_text(answer['gpus'], 'GPU')}" if answer["gpus"] else ""
    return CheckResult(
        "faiss", "ok", f"{answer['version']}, {kind}{used} ({', '.join(installed) or 'no distribution found'})"
    )


def check_decoder(answer: Answer) -> CheckResult:
    """Check PyAV and the codecs that it decodes."""
    if isinstance(answer, str):
        return CheckResult("decoder", "bad", answer, "pip install --force-reinstall --no-deps av")
    text = f"PyAV {answer['version']} (libavcodec {answer['libavcodec']})"
    if answer["missing"]:
        return CheckResult(
            "decoder", "note", f"{text}, without {', '.join(answer['missing'])}", "such videos cannot be indexed"
        )
    if not answer["x264"]:
        return CheckResult("decoder", "note", f"{text}, without libx264", "previews are encoded with another codec")
    return CheckResult("decoder", "ok", f"{text}, reads {', '.join(WANTED_DECODERS)}")


def check_shot_detection(answer: Answer) -> CheckResult:
    """Check PySceneDetect, and report the detector that a new library would use."""
    if isinstance(answer, str):
        return CheckResult(
            "shot detection", "bad", answer, "pip install --force-reinstall --no-deps scenedetect-headless"
        )
    detector = default_detector()
    text = f"PySceneDetect {answer['version']}, new libraries use the {detector} detector"
    if detector in LEARNED:
        return CheckResult("shot detection", "ok", text)
    advice = "for the learned detector, which is more accurate: pip install -e '.[shots]' (or python3 dev.py demo)"
    return CheckResult("shot detection", "note", text, advice)
