// Number and length of subclips, as text.

import { clock } from '../core/timecode.js';
import { totalLength } from './times.js';

/** @typedef {import('../core/types.js').Subclip} Subclip */

/**
 * Describe the content of a collection: number, length, and how many files are missing.
 *
 * @param {Subclip[]} clips
 * @returns {string}
 */
export function contentText(clips) {
  if (!clips.length) return 'empty';
  const { code, frames, seconds } = totalLength(clips);
  const missing = clips.filter((clip) => clip.missing).length;
  const parts = [
    `${clips.length} ${clips.length === 1 ? 'subclip' : 'subclips'}`,
    code
      ? `${code} (${frames.toLocaleString('en')} ${frames === 1 ? 'frame' : 'frames'})`
      : `${clock(seconds)}, mixed frame rates`,
  ];
  if (missing) parts.push(`${missing} offline`);
  return parts.join(' · ');
}

/**
 * Describe a selection: number and length.
 *
 * @param {Subclip[]} clips
 * @returns {string}
 */
export function selectionText(clips) {
  const { code, seconds } = totalLength(clips);
  return `${clips.length} selected · ${code ?? clock(seconds)}`;
}

/**
 * Format a number of frames: 1 frame, 24 frames.
 *
 * @param {number} frames
 * @returns {string}
 */
export function framesText(frames) {
  return `${frames} ${frames === 1 ? 'frame' : 'frames'}`;
}
