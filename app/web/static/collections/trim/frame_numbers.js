// Numbers of the frames at in and out, as edit lists count, and times that are typed for them.

import { durationTimecode, frameFromText, frameNumber } from '../../core/timecode.js';

/** @typedef {import('./trimming.js').Point} Point */

const AROUND_SECONDS = 1;

/**
 * Return the numbers of in and out as edit lists count: out is the first frame after, and at least one after in.
 *
 * @param {{from: number, to: number}} range Seconds from the video's first frame shown.
 * @param {number} rate Frames a second.
 * @returns {Record<Point, number>}
 */
export function frameNumbers({ from, to }, rate) {
  const first = frameNumber(from, rate);
  return { in: first, out: Math.max(first + 1, frameNumber(to, rate)) };
}

/**
 * Format the length of a range.
 *
 * @param {Record<Point, number>} numbers
 * @param {number} rate Frames a second.
 * @param {string} timecode The video's start code, or ''.
 * @returns {string}
 */
export function lengthText(numbers, rate, timecode) {
  const frames = numbers.out - numbers.in;
  return `length ${durationTimecode(frames, rate, timecode)} · ${frames} ${frames === 1 ? 'frame' : 'frames'}`;
}

/**
 * Read the time that a person typed, for in, for out, or to go to ('now').
 *
 * @param {string} text
 * @param {Point | 'now'} which
 * @param {object} context
 * @param {number} context.now Number of the frame that the field shows.
 * @param {number} context.rate Frames a second.
 * @param {string} context.timecode The video's start code, or ''.
 * @param {number} context.duration Seconds of the video.
 * @returns {{seconds: number, problem: null} | {seconds: null, problem: string}} `problem` is a sentence.
 */
export function typedTime(text, which, { now, rate, timecode, duration }) {
  const frame = frameFromText(text, { now, rate, timecode });
  if (frame === null)
    return { seconds: null, problem: `“${text}” is not a timecode; try 01:02:03:04, 12:05, +10 or #120` };
  const seconds = frame / rate;
  // Out may be the end of the video; the others are frames of it.
  const within = which === 'out' ? seconds <= duration + 1e-3 : seconds <= duration - 1e-3;
  return seconds >= 0 && within ? { seconds, problem: null } : { seconds: null, problem: 'That is outside the video' };
}

/**
 * Return the bounds of playing around a point.
 *
 * @param {number} seconds
 * @param {{first: number, last: number}} stretch
 * @returns {{from: number, to: number}}
 */
export function around(seconds, { first, last }) {
  return { from: Math.max(first, seconds - AROUND_SECONDS), to: Math.min(last, seconds + AROUND_SECONDS) };
}
