// Stretch: the part of a video, around a segment, that the player loads.

const MOST_SECONDS = 120; // the server lists the frames of no more at a time

/**
 * Seconds from the video's first frame shown.
 *
 * @typedef {{first: number, last: number}} Stretch
 */

/**
 * Return the stretch to load for a segment, within its video.
 *
 * @param {{start: number, end: number, duration: number}} segment Seconds; the duration is the video's.
 * @param {object} [options]
 * @param {number | null} [options.from] Seconds; by default `margin` before the segment.
 * @param {number | null} [options.to] Seconds; by default `margin` after the segment.
 * @param {number} [options.margin] Seconds.
 * @returns {Stretch}
 */
export function stretchAround({ start, end, duration }, { from = null, to = null, margin = 10 } = {}) {
  const first = Math.max(0, from ?? start - margin);
  return { first, last: Math.min(duration, to ?? end + margin, first + MOST_SECONDS) };
}

/**
 * Return the part of a stretch that a proxy holds.
 *
 * @param {Stretch} stretch
 * @param {{offset: number, duration: number}} proxy Seconds.
 * @returns {Stretch}
 */
export function withinProxy({ first, last }, { offset, duration }) {
  return { first: Math.max(first, offset), last: Math.min(last, offset + duration) };
}

/**
 * Return the place of a time on a stretch.
 *
 * @param {number} seconds
 * @param {Stretch} stretch
 * @returns {number} 0 at its start, 1 at its end; beyond them outside it.
 */
export function shareOf(seconds, { first, last }) {
  return (seconds - first) / Math.max(last - first, 1e-6);
}

/**
 * Return the time at a place on a stretch.
 *
 * @param {number} share From 0 to 1; what lies outside is taken for the nearer end.
 * @param {Stretch} stretch
 * @returns {number}
 */
export function secondsAt(share, { first, last }) {
  return first + Math.min(1, Math.max(0, share)) * (last - first);
}
