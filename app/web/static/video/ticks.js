// Ticks of a time axis.

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const LEAST_PIXELS = 76; // between two ticks, so that their labels do not touch

/**
 * Return the seconds between two ticks.
 *
 * @param {number} span Seconds that the axis shows.
 * @param {number} width Pixels of the axis.
 * @returns {number}
 */
export function tickStep(span, width) {
  return STEPS.find((step) => (step / span) * width >= LEAST_PIXELS) ?? STEPS[STEPS.length - 1];
}

/**
 * Return the times of the ticks: the multiples of the step, ends included.
 *
 * @param {number} from Seconds.
 * @param {number} to Seconds.
 * @param {number} step Seconds.
 * @returns {number[]}
 */
export function ticks(from, to, step) {
  const first = Math.ceil(from / step - 1e-6);
  const last = Math.floor(to / step + 1e-6);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => (first + at) * step);
}
