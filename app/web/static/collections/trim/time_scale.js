// Time scale: places along a strip, and the times of a stretch that they stand for.

import { secondsAt, shareOf } from '../../player/stretch.js';

/** @typedef {import('../../player/frame_times.js').FrameTimes} FrameTimes */
/** @typedef {import('./trimming.js').Point} Point */

/** A strip that shows the times from `first` to `last`, in seconds. */
export class TimeScale {
  /** @param {import('../../player/stretch.js').Stretch} stretch */
  constructor({ first, last }) {
    this.stretch = { first, last };
  }

  /**
   * Return the place of a time; that of the nearest end outside the stretch.
   *
   * @param {number} seconds
   * @returns {number} 0 to 1, from the left.
   */
  share(seconds) {
    return Math.min(1, Math.max(0, shareOf(seconds, this.stretch)));
  }

  /**
   * Return the place of a range as CSS has it.
   *
   * @param {number} from
   * @param {number} to
   * @returns {{left: string, width: string}}
   */
  place(from, to) {
    return { left: percent(this.share(from)), width: percent(this.share(to) - this.share(from)) };
  }

  /**
   * Return the time at a point of the screen; that of the nearest end outside the strip.
   *
   * @param {number} x
   * @param {{left: number, width: number}} box Of the strip, on the screen; 0 wide where it is not shown.
   * @returns {number}
   */
  secondsAt(x, { left, width }) {
    return secondsAt((x - left) / Math.max(width, 1), this.stretch);
  }

  /**
   * Return the times that lie on the strip, but not at its ends.
   *
   * @param {number[]} times
   * @returns {number[]}
   */
  inside(times) {
    return times.filter((each) => each > this.stretch.first && each < this.stretch.last);
  }
}

/**
 * Return the frame that a point goes to when its handle is dragged to a time: the edge between two frames that is nearest.
 * In lies at the start of its frame, out at the end of its frame; neither goes past the other.
 *
 * @param {Point} point
 * @param {number} seconds
 * @param {FrameTimes} times
 * @param {{first: number, last: number}} range Indices of its frames.
 * @returns {number}
 */
export function draggedTo(point, seconds, times, { first, last }) {
  const index = times.indexAt(seconds);
  const edge = seconds > times.middleOf(index) ? index + 1 : index;
  return point === 'in' ? Math.min(edge, last) : Math.max(edge - 1, first);
}

/**
 * Format a part of the whole for CSS.
 *
 * @param {number} share
 * @returns {string}
 */
export function percent(share) {
  return `${100 * share}%`;
}
