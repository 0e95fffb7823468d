// Marks: the frames that a person has marked as in and out, and the range between them.

/** @typedef {import('./frame_times.js').FrameTimes} FrameTimes */
/** @typedef {'in' | 'out'} Point */

/**
 * Marked frames, the out frame included. Seconds and pts run from the start of the first to the end of the last.
 *
 * @typedef {object} MarkedRange
 * @property {number} first Index of its first frame.
 * @property {number} last Index of its last frame.
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {number | null} start_pts null where the frames of the video are not known.
 * @property {number | null} end_pts
 */

/** In and out as indices of frames; null where not marked. */
export class Marks {
  constructor() {
    /** @type {number | null} */
    this.in = null;
    /** @type {number | null} */
    this.out = null;
  }

  /**
   * Mark a frame. The other mark goes where it would lie on the wrong side.
   *
   * @param {Point} which
   * @param {number} index
   */
  set(which, index) {
    this[which] = index;
    if (this.in !== null && this.out !== null && this.out < this.in) this[which === 'in' ? 'out' : 'in'] = null;
  }

  clear() {
    this.in = null;
    this.out = null;
  }

  /**
   * Return the marked range. Where one end is not marked it is that of the shot or, beyond the shot, the other mark.
   *
   * @param {FrameTimes} times
   * @param {{start: number, end: number}} shot Seconds.
   * @param {number} [earliest] Seconds before which no frames are known.
   * @returns {MarkedRange | null} null where nothing is marked.
   */
  range(times, shot, earliest = 0) {
    const first = this.in ?? (this.out === null ? null : this.firstBefore(this.out, times, shot, earliest));
    if (first === null) return null;
    const last = this.out ?? Math.max(first, times.indexBefore(shot.end));
    return {
      first,
      last,
      start: times.timeOf(first),
      end: times.endOf(last),
      start_pts: times.ptsOf(first),
      end_pts: times.endPtsOf(last),
    };
  }

  /**
   * @param {number} out
   * @param {FrameTimes} times
   * @param {{start: number}} shot
   * @param {number} earliest
   */
  firstBefore(out, times, shot, earliest) {
    return Math.min(out, times.indexFrom(Math.max(earliest, shot.start)));
  }
}

/**
 * Return what is added to the tray: the marked range, or the whole segment.
 *
 * @param {number} segment
 * @param {MarkedRange | null} range
 * @param {number} [score]
 * @returns {import('../core/types.js').NewSubclip}
 */
export function newSubclip(segment, range, score) {
  /** @type {import('../core/types.js').NewSubclip} */
  const subclip = { segment };
  if (score !== undefined) subclip.score = score;
  if (range) Object.assign(subclip, ptsOf(range));
  return subclip;
}

/**
 * Return the pts of a marked range.
 *
 * @param {MarkedRange} range
 * @returns {import('../core/types.js').PtsRange | null} null where the frames of the video are not known.
 */
export function ptsOf({ start_pts, end_pts }) {
  return start_pts === null || end_pts === null ? null : { start_pts, end_pts };
}
