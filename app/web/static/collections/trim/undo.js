// Undo of trimming: the ranges that a subclip had before.

const MOST = 200;

/** @typedef {import('../../core/types.js').PtsRange} PtsRange */

/** The ranges before each change, the latest last. */
export class RangeHistory {
  /** @type {PtsRange[]} */
  past = [];

  /**
   * Note the range before a change. One that turns out to change nothing costs no step of undo.
   *
   * @param {PtsRange} range
   */
  remember(range) {
    const last = this.past.at(-1);
    if (!last || !sameRange(last, range)) this.past.push({ start_pts: range.start_pts, end_pts: range.end_pts });
    if (this.past.length > MOST) this.past.shift();
  }

  /**
   * Take the range before the last change.
   *
   * @param {PtsRange} range The one now.
   * @returns {PtsRange | null} null where nothing has changed.
   */
  undo(range) {
    const before = this.past.pop();
    return before && sameRange(before, range) ? (this.past.pop() ?? null) : (before ?? null);
  }
}

/**
 * Return whether two ranges are the same.
 *
 * @param {PtsRange} one
 * @param {PtsRange} other
 * @returns {boolean}
 */
export function sameRange(one, other) {
  return one.start_pts === other.start_pts && one.end_pts === other.end_pts;
}
