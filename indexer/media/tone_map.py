"""Tone mapping of HDR pictures (PQ and HLG) to what an ordinary display shows: BT.709, gamma 2.4, 8 bits.

Light is counted in units of HDR reference white, 203 cd/m2 (ITU-R BT.2408), which becomes the white of the result.
Up to KNEE of it, light stays what it is, so that a picture mastered for both looks the same. Brighter light, up to
PEAK, is compressed into what is left: "mobius" of ffmpeg's tonemap filter, on the brightest of the three primaries,
which keeps the hue. Light beyond that, and colours that BT.709 does not have, are clipped.

The same picture by ffmpeg:

    zscale=transfer=linear:npl=203:matrix=gbr,format=gbrpf32le,zscale=primaries=bt709,
    tonemap=mobius:param=0.8:peak=4.926:desat=0,zscale=transfer=bt709:matrix=bt709:range=limited

Like zscale, HLG takes its system gamma of 1.2 per channel. Metadata of the mastering display, of the brightest picture,
of HDR10+ and of Dolby Vision are not used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc

from indexer.media.downscale import plane_pixels

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

DEEP_RGB = "gbrp16le"
"""FFmpeg's name of the format whose pixels a ToneMap takes: planar RGB with 16 bits."""
HDR_TRANSFERS = frozenset((ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67))
"""PQ and HLG."""
KNEE = 0.8
PEAK = 1000 / 203
_WHITE = 203.0  # cd/m2
_GAMMA = 2.4
_FULL = 255 << 8  # what libswscale makes of white, not 65535
_BLOCK = 1 << 14  # pixels mapped at once, few enough for the cache of a core
_ROOTS = 4096  # steps of the square root of light, which the final table is over: fine enough near black

_Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
_PRIMARIES: dict[int, _Chromaticities] = {  # x and y of red, green and blue; all with white D65
    ColorPrimaries.BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    ColorPrimaries.BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    ColorPrimaries.SMPTE432: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # Display P3
}
_D65 = (0.3127, 0.3290)


class ToneMap:
    """Converts HDR pixels of one transfer characteristic and one set of primaries. Thread-safe."""

    def __init__(self, transfer: int, primaries: int) -> None:
        """Prepare the tables.

        Args:
            transfer: ColorTrc.SMPTE2084 (PQ) or ColorTrc.ARIB_STD_B67 (HLG).
            primaries: Of ColorPrimaries; BT.2020 is assumed for what has no name here.
        """
        codes = np.minimum(np.arange(1 << 16) / _FULL, 1)
        light = _pq_light(codes) if transfer == ColorTrc.SMPTE2084 else _hlg_light(codes)
        self._light: Floats = (light / _WHITE).astype(np.float32)
        source = _PRIMARIES.get(primaries, _PRIMARIES[ColorPrimaries.BT2020])
        to_709 = np.linalg.inv(_to_xyz(_PRIMARIES[ColorPrimaries.BT709])) @ _to_xyz(source)
        self._matrix: Floats = to_709.astype(np.float32)
        shown = (np.arange(_ROOTS) / (_ROOTS - 1)) ** (2 / _GAMMA)
        self._codes: NDArray[np.uint8] = (shown * 255 + 0.5).astype(np.uint8)

    def __call__(self, picture: VideoFrame) -> NDArray[np.uint8]:
        """Return (h, w, 3) RGB of a picture in the format DEEP_RGB. 288 x 288: 1.3 ms; 128 x 72: 0.2 ms."""
        green, blue, red = (plane_pixels(plane, deep=True) for plane in picture.planes)
        shown = np.empty((picture.height, picture.width, 3), np.uint8)
        rows = max(1, _BLOCK // picture.width)
        for top in range(0, picture.height, rows):
            block = slice(top, top + rows)
            self._map(np.stack((red[block], green[block], blue[block])), shown[block])
        return shown

    def code_of(self, level: float) -> float:
        """Return the HDR code, 0 to 1, of a grey that is mapped to `level`, 0 to 1; below KNEE of white."""
        return int(np.searchsorted(self._light, level**_GAMMA)) / _FULL

    def _map(self, pixels: NDArray[np.uint16], shown: NDArray[np.uint8]) -> None:
        """Map RGB (3, h, w) to `shown`, (h, w, 3)."""
        import cv2

        light = np.einsum("ij,jhw->ihw", self._matrix, np.take(self._light, pixels))
        brightest = np.maximum(np.maximum(light[0], light[1]), light[2])
        light *= _compression(np.maximum(brightest, KNEE))
        np.clip(light, 0, 1, out=light)
        np.sqrt(light, out=light)
        light *= _ROOTS - 1
        light += 0.5
        cv2.merge(np.take(self._codes, light.astype(np.uint16)), shown)  # numpy takes twenty times as long


def tone_map_for(picture: VideoFrame) -> ToneMap | None:
    """Return the tone map of a frame by its transfer characteristic and primaries; None if it needs none."""
    if picture.color_trc not in HDR_TRANSFERS:
        return None
    return _tone_map(int(picture.color_trc), int(picture.color_primaries))


@lru_cache
def _tone_map(transfer: int, primaries: int) -> ToneMap:
    return ToneMap(transfer, primaries)


def _compression(light: Floats) -> Floats:
    """Return the factor for pixels whose brightest primary is `light`, at least KNEE, where it is 1."""
    a = -KNEE * KNEE * (PEAK - 1) / (KNEE * KNEE - 2 * KNEE + PEAK)
    b = (KNEE * KNEE - 2 * KNEE * PEAK + PEAK) / (PEAK - 1)
    scale = (b * b + 2 * b * KNEE + KNEE * KNEE) / (b - a)
    return np.asarray(np.float32(scale) * (light + np.float32(a)) / (light * (light + np.float32(b))))


def _pq_light(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cd/m2 of PQ codes from 0 to 1 (SMPTE ST 2084)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = codes ** (1 / m2)
    return np.asarray(10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1))


def _hlg_light(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cd/m2, on a display of 1000, of HLG codes from 0 to 1 (ARIB STD-B67), with the gamma per channel."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
    return np.asarray(1000 * scene**1.2)


def _to_xyz(primaries: _Chromaticities) -> NDArray[np.float64]:
    """Return the matrix from linear RGB of these primaries, with white D65, to CIE XYZ."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    x, y = _D65
    return np.asarray(columns * np.linalg.solve(columns, [x / y, 1.0, (1 - x - y) / y]))
