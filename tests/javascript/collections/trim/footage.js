// Frames of videos to trim: at fractional rates and odd time bases, and some of a changing length.

import { FrameTimes } from '../../../../app/web/static/player/frame_times.js';

/** @typedef {import('../../../../app/web/static/core/types.js').SegmentInfo} SegmentInfo */
/** @typedef {import('../../../../app/web/static/core/types.js').FrameList} FrameList */

/**
 * Return a video whose frames lie at these pts, all of it one shot.
 *
 * @param {number[]} pts
 * @param {number} end Pts at which the last frame ends.
 * @param {[number, number]} timeBase
 * @param {[number, number]} rate
 */
export function footage(pts, end, timeBase, rate) {
  const seconds = (/** @type {number} */ each) => Number((((each - pts[0]) * timeBase[0]) / timeBase[1]).toFixed(9));
  /** @type {FrameList} */
  const list = { pts, seconds: pts.map(seconds) };
  /** @type {SegmentInfo} */
  const info = {
    id: 7,
    video: 3,
    name: 'a.mp4',
    path: '/videos/a.mp4',
    folder: '/videos',
    missing: false,
    shot: 0,
    part: 1,
    part_count: 1,
    start: 0,
    end: seconds(end),
    start_pts: pts[0],
    end_pts: end,
    video_start_pts: pts[0],
    video_end_pts: end,
    time_base: timeBase,
    rate,
    timecode: '',
    duration: seconds(end),
    width: 320,
    height: 180,
    playable: true,
  };
  return { list, info, times: new FrameTimes(list, info), pts: [...pts, end] };
}

/**
 * Return a video of frames of one length.
 *
 * @param {number} count
 * @param {[number, number]} timeBase
 * @param {[number, number]} rate
 * @param {number} [start] Pts of the first frame.
 */
export function steady(count, timeBase, rate, start = 0) {
  const at = (/** @type {number} */ index) =>
    start + Math.round((index * rate[1] * timeBase[1]) / (rate[0] * timeBase[0]));
  return footage(
    Array.from({ length: count }, (_, index) => at(index)),
    at(count),
    timeBase,
    rate,
  );
}

/** Videos by what is odd about them. */
export const VIDEOS = {
  '25 frames a second in 1/90000': steady(100, [1, 90000], [25, 1]),
  '23.976 in 1/24000': steady(100, [1, 24000], [24000, 1001]),
  '29.97 in milliseconds, as Matroska rounds it': steady(100, [1, 1000], [30000, 1001]),
  '59.94 in 1/90000, after an hour': steady(100, [1, 90000], [60000, 1001], 324_000_000),
  '25 in 1001/90000, before zero': steady(100, [1001, 900900], [25, 1], -5000),
  '240 in 1/15360': steady(100, [1, 15360], [240, 1]),
  '1000 in microseconds': steady(100, [1, 1_000_000], [1000, 1]),
  'frames of a changing length': footage([0, 40, 90, 91, 300, 340, 1300, 1340], 1400, [1, 1000], [25, 1]),
  'a single frame': steady(1, [1, 1000], [25, 1]),
};
