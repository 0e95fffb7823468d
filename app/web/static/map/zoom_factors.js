// Factors of zooming by the wheel and by two fingers.

/** @typedef {import('./viewport.js').Place} Place */

const PIXELS = [1, 30, 300]; // of a step of the wheel, by WheelEvent.deltaMode: pixels, lines, pages
const LEAST_APART = 8; // pixels; fingers that nearly touch would zoom without end

/**
 * Return the factor of a turn of the wheel.
 *
 * @param {{deltaY: number, deltaMode: number, ctrlKey: boolean}} event Touch pads report a pinch as a wheel with Control, in
 *   small steps.
 * @returns {number} Above 1 for a turn upwards.
 */
export function wheelFactor({ deltaY, deltaMode, ctrlKey }) {
  return Math.exp(-deltaY * (PIXELS[deltaMode] ?? 1) * (ctrlKey ? 0.01 : 0.0022));
}

/**
 * Return the factor of a pinch.
 *
 * @param {Place} before Where the moving finger was.
 * @param {Place} now Where it is.
 * @param {Place} other Where the other finger is.
 * @returns {number}
 */
export function pinchFactor(before, now, other) {
  const apart = Math.hypot(before[0] - other[0], before[1] - other[1]);
  return Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(LEAST_APART, apart);
}
