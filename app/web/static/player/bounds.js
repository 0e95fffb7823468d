// Bounds of playing: where it stops, or starts again, so that the next shot never flashes.

/**
 * Playing stays within, and stops on the last frame that begins before `to`. Seconds.
 *
 * @typedef {{from: number, to: number}} Bounds
 */

const BEYOND = 2; // frames after the last one that playing may have got to before it is noticed

/**
 * Return whether playing has come to the end. It is noticed one frame early, while the last one can still be sought.
 *
 * @param {number} index Frame that is shown.
 * @param {number} before Frame that was shown before it.
 * @param {number} last Last frame within the bounds.
 * @returns {boolean} False where a person has sought past the end, and looks on.
 */
export function reachesEnd(index, before, last) {
  // Fast playing shows only some of the frames, and may leap over those at the end.
  return index >= last - 1 && (index <= last + BEYOND || before <= last);
}
