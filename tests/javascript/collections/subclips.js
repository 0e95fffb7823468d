// Subclips to test with.

/** @typedef {import('../../../app/web/static/core/types.js').Subclip} Subclip */

/**
 * Return a subclip of a film of a minute at 25 frames a second.
 *
 * @param {Partial<Subclip>} [given]
 * @returns {Subclip}
 */
export function subclip(given = {}) {
  const { start = 2, end = 4 } = given;
  return {
    id: 1,
    revision: 1,
    collection: 1,
    segment: 10,
    video: 100,
    name: '',
    title: 'film.mp4',
    note: '',
    fileName: 'film.mp4',
    path: '/films/film.mp4',
    missing: false,
    start,
    end,
    start_pts: 90000 * start,
    end_pts: 90000 * end,
    video_start_pts: 0,
    video_end_pts: 90000 * 60,
    time_base: [1, 90000],
    rate: [25, 1],
    timecode: '',
    in_frame: Math.round(25 * start),
    out_frame: Math.round(25 * end),
    score: null,
    poster: null,
    ...given,
  };
}
