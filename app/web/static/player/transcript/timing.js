// Timing of a transcript: which of its lines are said or shown at a time, and how lines are loaded stretch by stretch.

import { api } from '../../core/api.js';

const BACK = 12; // lines of one kind that may run beside the one that began last
const MOST_LINES = 50_000;
const MOST_REQUESTS = 500;

/** @typedef {import('../../core/types.js').TextLine} TextLine */
/** @typedef {import('../../core/types.js').LinePage} LinePage */

/**
 * Return the number of lines that have begun.
 *
 * @param {TextLine[]} lines By start.
 * @param {number} seconds
 * @returns {number}
 */
export function begunAt(lines, seconds) {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].start <= seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Return the lines that are said or shown at a time.
 *
 * @param {TextLine[]} lines Of one kind, by start.
 * @param {number} seconds
 * @returns {TextLine[]}
 */
export function linesAt(lines, seconds) {
  const begun = begunAt(lines, seconds);
  return lines.slice(Math.max(0, begun - BACK), begun).filter(({ end }) => end > seconds);
}

/**
 * Load the lines of tracks, by start, stretch by stretch.
 *
 * @param {number} video
 * @param {number[]} tracks
 * @param {AbortSignal} signal
 * @param {(lines: TextLine[]) => void} take Called with the lines of each stretch that has any.
 * @returns {Promise<boolean>} False where there are more lines than a page can show; the rest is left out.
 * @throws {import('../../core/api.js').ApiError}
 */
export async function loadLines(video, tracks, signal, take) {
  const had = new Set();
  /** @type {number | null} */
  let from = 0;
  for (let request = 0; request < MOST_REQUESTS && had.size < MOST_LINES; request += 1) {
    /** @type {LinePage} */
    const page = await api(`/api/text/${video}/lines?sources=${tracks.join(',')}&from=${from}`, { signal });
    const lines = page.lines.filter(({ id }) => !had.has(id));
    for (const { id } of lines) had.add(id);
    if (lines.length) take(lines);
    from = page.next;
    if (from === null) return true;
  }
  return false;
}
