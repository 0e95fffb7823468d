// In, out and length of subclips as editors read them: time codes and frame numbers.

import { durationTimecode, parseTimecode, timecodeAt } from '../core/timecode.js';

/** @typedef {import('../core/types.js').Subclip} Subclip */
/** @typedef {{code: string, frames: number}} Frames A label, and the number of frames that it stands for. */

/**
 * Return a subclip's in, out and length. Out is the first frame after the subclip, as in edit lists.
 *
 * @param {Subclip} clip
 * @returns {{in: Frames, out: Frames, length: Frames}}
 */
export function clipTimes(clip) {
  const rate = rateOf(clip);
  const frames = clip.out_frame - clip.in_frame;
  return {
    in: { code: timecodeAt(clip.in_frame, rate, clip.timecode), frames: clip.in_frame },
    out: { code: timecodeAt(clip.out_frame, rate, clip.timecode), frames: clip.out_frame },
    length: { code: durationTimecode(frames, rate, clip.timecode), frames },
  };
}

/**
 * Return the length of several subclips together.
 *
 * @param {Subclip[]} clips
 * @returns {{seconds: number, frames: number, code: string | null}} `code` is null where their frame rates differ; `frames`
 *   means something only where it is not.
 */
export function totalLength(clips) {
  const seconds = clips.reduce((sum, clip) => sum + (clip.end - clip.start), 0);
  const frames = clips.reduce((sum, clip) => sum + clip.out_frame - clip.in_frame, 0);
  const shared = new Set(clips.map((clip) => clip.rate.join('/'))).size === 1;
  if (!shared) return { seconds, frames, code: null };
  // Drop-frame only where all are: the total must not depend on their order.
  const plain = clips.find((clip) => !parseTimecode(clip.timecode, rateOf(clip))?.drop);
  const { timecode } = plain ?? clips[0];
  return { seconds, frames, code: durationTimecode(frames, rateOf(clips[0]), timecode) };
}

/** @param {Subclip} clip */
function rateOf(clip) {
  return clip.rate[0] / clip.rate[1];
}
