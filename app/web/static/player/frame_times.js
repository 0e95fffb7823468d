// Frame times: which frame of a video is shown at a time, and when it begins and ends.

/** @typedef {import('../core/types.js').FrameList} FrameList */

/**
 * Facts of a video that frames are counted by.
 *
 * @typedef {object} FrameClock
 * @property {[number, number]} rate Nominal frames a second, as a fraction.
 * @property {[number, number]} time_base Seconds of one pts step, as a fraction.
 * @property {number} duration Seconds of the video.
 */

/** @type {FrameClock} */
const NO_VIDEO = { rate: [25, 1], time_base: [1, 1000], duration: 0 };
const SAME_SECONDS = 1e-4; // computed times of one moment differ by less
const ROUNDING_SECONDS = 1e-3; // files and browsers round the times of frames by up to this

/**
 * Frames of a stretch of a video. Times are seconds from the video's first frame shown; indices count the frames of the
 * list or, where there is none, those of the video, as if each lasted as long as its nominal rate says.
 */
export class FrameTimes {
  /**
   * @param {FrameList | null} list null where the server could not read the frames.
   * @param {FrameClock | null} clock null without a video.
   */
  constructor(list, clock) {
    this.list = list;
    this.clock = clock ?? NO_VIDEO;
  }

  /** Nominal frames a second. */
  get rate() {
    return this.clock.rate[0] / this.clock.rate[1];
  }

  /** How far a rounded time may lie from the exact one: less than a frame, also of high-speed video. */
  get rounding() {
    return Math.min(ROUNDING_SECONDS, 0.25 / this.rate);
  }

  /**
   * Return the index of the frame shown at a time; of the nearest one outside the list.
   *
   * @param {number} seconds
   * @returns {number}
   */
  indexAt(seconds) {
    if (!this.list) return Math.max(0, Math.floor(seconds * this.rate + 1e-3));
    const times = this.list.seconds;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= seconds + SAME_SECONDS) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Return the index of the frame that begins at a time which was rounded, such as that which a browser reports.
   *
   * @param {number} seconds
   * @returns {number}
   */
  indexOfStart(seconds) {
    return this.indexAt(seconds + this.rounding);
  }

  /**
   * Return the index of the first frame that begins at a time or after it. A part of a long shot may begin between two.
   *
   * @param {number} seconds
   * @returns {number} One more than the last index where all begin earlier.
   */
  indexFrom(seconds) {
    const index = this.indexAt(seconds);
    return this.timeOf(index) < seconds - SAME_SECONDS ? index + 1 : index;
  }

  /**
   * Return the index of the last frame that begins before a time.
   *
   * @param {number} seconds
   * @returns {number}
   */
  indexBefore(seconds) {
    return this.indexAt(seconds - this.rounding);
  }

  /**
   * Return the time at which a frame begins; that of the nearest one outside the list.
   *
   * @param {number} index
   * @returns {number}
   */
  timeOf(index) {
    if (!this.list) return Math.max(0, index) / this.rate;
    return this.list.seconds[this.within(index)];
  }

  /**
   * Return the time at which a frame ends: that at which the next one begins.
   *
   * @param {number} index
   * @returns {number}
   */
  endOf(index) {
    if (!this.list) return (Math.max(0, index) + 1) / this.rate;
    const times = this.list.seconds;
    const at = this.within(index);
    return at + 1 < times.length ? times[at + 1] : Math.min(times[at] + 1 / this.rate, this.clock.duration);
  }

  /**
   * Return the time to seek to for a frame: its middle, since times of seeks are rounded, too.
   *
   * @param {number} index
   * @returns {number}
   */
  middleOf(index) {
    return (this.timeOf(index) + this.endOf(index)) / 2;
  }

  /**
   * Return the pts of a frame; null where the frames are not known.
   *
   * @param {number} index
   * @returns {number | null}
   */
  ptsOf(index) {
    return this.list ? this.list.pts[this.within(index)] : null;
  }

  /**
   * Return the pts at which a frame ends; null where the frames are not known.
   *
   * @param {number} index
   * @returns {number | null}
   */
  endPtsOf(index) {
    if (!this.list) return null;
    const { pts } = this.list;
    const at = this.within(index);
    if (at + 1 < pts.length) return pts[at + 1];
    const step = this.clock.time_base[0] / this.clock.time_base[1];
    return pts[at] + Math.max(1, Math.round((this.endOf(at) - this.timeOf(at)) / step));
  }

  /**
   * Return the index of the frame that is nearest to an index among those that can be shown: those of the list or, where
   * there is none, those that begin within a stretch.
   *
   * @param {number} index
   * @param {{first: number, last: number}} stretch Seconds.
   * @returns {number}
   */
  clamp(index, { first, last }) {
    if (this.list) return this.within(index);
    const low = this.indexFrom(first);
    return Math.max(low, Math.min(index, this.indexBefore(last)));
  }

  /**
   * @param {number} index
   * @returns {number} The index, or that of the nearest frame of the list.
   */
  within(index) {
    return this.list ? Math.min(Math.max(index, 0), this.list.seconds.length - 1) : Math.max(0, index);
  }
}
