// The stretch of a video whose frames are known while a range is trimmed: how it grows at either end, and is cut where it
// gets too long. Times are seconds from the video's first frame shown.

/** @typedef {import('../../core/types.js').FrameList} FrameList */
/** @typedef {'earlier' | 'later'} Side */
/** @typedef {import('../../player/stretch.js').Stretch} Stretch */

const SAME_SECONDS = 1e-3; // times of one moment differ by less
const NEAR_SECONDS = 0.75;
const MORE_SECONDS = 30;
const MOST_SECONDS = 115; // the server lists the frames of two minutes at once
const MOST_STRETCH = 1800; // frames held at once; a longer range is trimmed at its ends, one at a time

/**
 * Return whether there is more of the video at a side.
 *
 * @param {Side} side
 * @param {Stretch} stretch
 * @param {number} duration Seconds of the video.
 * @returns {boolean}
 */
export function hasMore(side, { first, last }, duration) {
  return side === 'earlier' ? first > SAME_SECONDS : last < duration - SAME_SECONDS;
}

/**
 * Return whether a time lies in a stretch.
 *
 * @param {number} seconds
 * @param {Stretch} stretch
 * @returns {boolean}
 */
export function contains(seconds, { first, last }) {
  return seconds >= first - SAME_SECONDS && seconds <= last + SAME_SECONDS;
}

/**
 * Return the times to ask for next at a side. They overlap the stretch a little, so that no frame between is missing.
 *
 * @param {Side} side
 * @param {Stretch} stretch
 * @param {number} duration Seconds of the video.
 * @param {number} [by] Seconds.
 * @returns {{from: number, to: number}}
 */
export function beside(side, { first, last }, duration, by = MORE_SECONDS) {
  return side === 'earlier'
    ? { from: Math.max(0, first - by), to: first + SAME_SECONDS }
    : { from: Math.max(0, last - SAME_SECONDS), to: Math.min(duration, last + by) };
}

/**
 * Return where a stretch has to grow so that frames are known around a time.
 *
 * @param {number} seconds
 * @param {Stretch} stretch
 * @returns {{side: Side, by: number} | null} null where it reaches far enough. `by` may not be enough for far-off times.
 */
export function towards(seconds, { first, last }) {
  const within = (/** @type {number} */ far) => Math.min(MOST_SECONDS, Math.max(MORE_SECONDS, far + 5));
  if (seconds < first + NEAR_SECONDS) return { side: 'earlier', by: within(first - seconds) };
  if (seconds > last - NEAR_SECONDS) return { side: 'later', by: within(seconds - last) };
  return null;
}

/**
 * Return the stretch that has grown at a side to a time. Where it gets too long, it is cut at the other.
 *
 * @param {Stretch} stretch
 * @param {Side} side
 * @param {number} to
 * @returns {Stretch}
 */
export function grown({ first, last }, side, to) {
  return side === 'earlier'
    ? { first: to, last: Math.min(last, to + MOST_STRETCH) }
    : { first: Math.max(first, to - MOST_STRETCH), last: to };
}

/**
 * Return the frames of two lists that lie in a stretch, each once and in order.
 *
 * @param {FrameList} one
 * @param {FrameList} other
 * @param {Stretch} stretch
 * @returns {FrameList}
 */
export function mergedFrames(one, other, stretch) {
  /** @type {Map<number, number>} */
  const times = new Map();
  for (const { pts, seconds } of [one, other]) {
    pts.forEach((each, at) => {
      if (contains(seconds[at], stretch)) times.set(each, seconds[at]);
    });
  }
  const frames = [...times].sort(([before], [after]) => before - after);
  return { pts: frames.map(([pts]) => pts), seconds: frames.map(([, seconds]) => seconds) };
}

/**
 * Return the segment that goes on where a stretch ends; undefined where none does.
 *
 * @template {{start: number, end: number}} Segment
 * @param {Segment[]} segments In order.
 * @param {Side} side
 * @param {Stretch} stretch
 * @returns {Segment | undefined}
 */
export function segmentBeside(segments, side, { first, last }) {
  return side === 'earlier'
    ? segments.findLast(({ start }) => start < first - NEAR_SECONDS)
    : segments.find(({ end }) => end > last + NEAR_SECONDS);
}
