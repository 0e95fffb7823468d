// Videos in the form that the server lists them, made of plain values.

/** @typedef {import('../../../app/web/static/library/rows.js').ListedVideo} ListedVideo */
/** @typedef {import('../../../app/web/static/library/rows.js').Listing} Listing */

/**
 * Return a video, in good order except where another value is given.
 *
 * @param {Partial<ListedVideo> & {id: number}} values
 * @returns {ListedVideo}
 */
export function listed(values) {
  return {
    folder: 0,
    name: `${values.id}.mp4`,
    seconds: 60,
    shots: 5,
    poster: null,
    width: 1920,
    height: 1080,
    codec: 'h264',
    rate: 25,
    bytes: 5e6,
    modified: Date.UTC(2024, 4, 17, 12),
    damaged: 0,
    file: 'ok',
    encoders: [0],
    ...values,
  };
}

/**
 * Return a library of videos.
 *
 * @param {ListedVideo[]} videos
 * @returns {Listing}
 */
export function listing(videos) {
  const totals = { videos: videos.length, seconds: 0, shots: 0, segments: 0, source_bytes: 0 };
  return { encoders: ['e', 'f'], folders: ['/videos/alps', '/videos/sea'], videos, failures: [], totals };
}
