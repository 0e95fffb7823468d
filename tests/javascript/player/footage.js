// A segment of a video at 25 frames a second, as the server describes it, to test decks with.

/** Frames 250 to 274 of a video of 1000 frames. @type {import('../../../app/web/static/core/types.js').SegmentInfo} */
export const SHOT = {
  id: 7,
  video: 3,
  name: 'a.mp4',
  path: '/videos/a.mp4',
  folder: '/videos',
  missing: false,
  shot: 1,
  part: 1,
  part_count: 1,
  start: 10,
  end: 11,
  start_pts: 10000,
  end_pts: 11000,
  video_start_pts: 0,
  video_end_pts: 40000,
  time_base: [1, 1000],
  rate: [25, 1],
  timecode: '',
  duration: 40,
  width: 320,
  height: 180,
  playable: true,
};

/** Address of the frames within ten seconds of the shot. */
export const FRAMES = 'GET /api/frames/7?from=0&to=21';

/**
 * Return the frames from an index on, as the server lists them.
 *
 * @param {number} first
 * @param {number} end
 */
export function framesFrom(first, end) {
  const indices = Array.from({ length: end - first }, (_, at) => first + at);
  return { pts: indices.map((at) => 40 * at), seconds: indices.map((at) => at / 25) };
}

/** Answers for a video that any browser plays. */
export function playableShot() {
  return { 'GET /api/segment/7': SHOT, [FRAMES]: framesFrom(0, 525) };
}
