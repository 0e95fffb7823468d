// Trimming: where in and out of a range go when they are moved by frames. They always lie on frames, and the range is never
// empty. Indices count the frames of the stretch that is known.

/** @typedef {import('../../core/types.js').PtsRange} PtsRange */
/** @typedef {import('../../player/frame_times.js').FrameTimes} FrameTimes */
/** @typedef {import('../../player/marks.js').Point} Point */

/**
 * The pts of a video: where it begins and ends, and how long a step is.
 *
 * @typedef {object} PtsClock
 * @property {number} video_start_pts
 * @property {number} video_end_pts
 * @property {[number, number]} time_base Seconds of one step, as a fraction.
 */

/**
 * Return the time of a pts, in seconds from the video's first frame shown.
 *
 * @param {number} pts
 * @param {PtsClock} clock
 * @returns {number}
 */
export function secondsOf(pts, { video_start_pts, time_base }) {
  return ((pts - video_start_pts) * time_base[0]) / time_base[1];
}

/** Movements of a range over frames. Each returns another range. */
export class Trimming {
  /**
   * @param {FrameTimes} times
   * @param {PtsClock} clock
   * @param {PtsRange} range
   * @param {boolean} complete Whether the frames reach to the end of the video.
   */
  constructor(times, clock, range, complete) {
    this.times = times;
    this.clock = clock;
    this.range = range;
    this.complete = complete;
  }

  /** Index of the first frame of the range. A part of a long shot may begin between two frames: it is that after. */
  get first() {
    return Math.min(this.times.indexFrom(this.seconds(this.range.start_pts)), this.last);
  }

  /** Index of the last frame of the range. */
  get last() {
    return this.times.indexBefore(this.seconds(this.range.end_pts));
  }

  /** Whether the last frame that is known is that of the video, and so ends with it. */
  get reachesEnd() {
    const { list, rate } = this.times;
    const left = this.seconds(this.clock.video_end_pts) - (list?.seconds.at(-1) ?? 0);
    return this.complete || left < 1.5 / rate;
  }

  /**
   * Index of the last frame whose end is known: it is where the next one begins, or the video ends. Beyond it lies at most
   * one frame, which out cannot follow: its length could only be guessed.
   */
  get most() {
    const last = this.times.within(Number.POSITIVE_INFINITY);
    return this.reachesEnd ? last : Math.max(0, last - 1);
  }

  /**
   * Set in to a frame. Beyond the out point, the range slides along with its length.
   *
   * @param {number} index
   * @returns {PtsRange}
   */
  withIn(index) {
    const { start_pts, end_pts } = this.range;
    if (this.startOf(index) < end_pts) return { start_pts: this.startOf(index), end_pts };
    const first = Math.min(index, this.most);
    const start = this.startOf(first);
    const last = this.times.indexBefore(this.seconds(start + end_pts - start_pts));
    return { start_pts: start, end_pts: this.endOf(Math.max(first, last)) };
  }

  /**
   * Set out after a frame, which becomes the last one; at most after `most`. Before the in point, the range slides along
   * with its length.
   *
   * @param {number} index
   * @returns {PtsRange}
   */
  withOut(index) {
    const { start_pts, end_pts } = this.range;
    const end = this.endOf(index);
    if (end > start_pts) return { start_pts, end_pts: end };
    const first = this.times.indexAt(this.seconds(end - (end_pts - start_pts)));
    return { start_pts: this.startOf(Math.min(index, first)), end_pts: end };
  }

  /**
   * Move a point by a number of frames, but not past the other one.
   *
   * @param {Point} point
   * @param {number} frames
   * @returns {PtsRange}
   */
  nudged(point, frames) {
    return point === 'in'
      ? this.withIn(Math.min(this.last, this.first + frames))
      : this.withOut(Math.max(this.first, this.last + frames));
  }

  /**
   * Return the range from one frame to another, both moved by a number of frames as far as frames are known: their own
   * number stays.
   *
   * @param {{first: number, last: number}} from
   * @param {number} frames
   * @returns {PtsRange}
   */
  slipped({ first, last }, frames) {
    const by = Math.max(-first, Math.min(frames, this.most - last));
    return { start_pts: this.startOf(first + by), end_pts: this.endOf(last + by) };
  }

  /** @param {number} pts */
  seconds(pts) {
    return secondsOf(pts, this.clock);
  }

  /** @param {number} index */
  startOf(index) {
    return known(this.times.ptsOf(index));
  }

  /** @param {number} index */
  endOf(index) {
    const at = Math.min(index, this.most);
    const isLast = this.reachesEnd && at === this.most;
    return isLast ? this.clock.video_end_pts : known(this.times.endPtsOf(at));
  }
}

/** @param {number | null} pts */
function known(pts) {
  if (pts === null) throw new Error('A range cannot be trimmed where the frames are not known');
  return pts;
}
