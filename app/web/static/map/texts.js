// Texts of the map page.

import { partText } from '../core/shot_text.js';
import { clock, durationText } from '../core/timecode.js';

/**
 * Return the line below the map.
 *
 * @param {number} shots Number of shots of the library.
 * @param {number} count Number of points: long shots have several, one for each part.
 * @param {number} leftOut Number of those that filters leave out.
 * @param {number | null} best The best score; null where there is no search.
 * @returns {string}
 */
export function statusText(shots, count, leftOut, best) {
  const shown = Math.min(shots, count); // the library may have grown since the map was made
  const parts = [`${shown.toLocaleString()} ${shown === 1 ? 'shot' : 'shots'}`];
  if (count > shots) parts[0] += ` in ${count.toLocaleString()} parts`;
  if (leftOut) parts.push(`${leftOut.toLocaleString()} left out by filters`);
  if (best !== null) parts.push(`best score ${best.toFixed(2)}`);
  parts.push('nearby shots look alike · Shift-drag to select');
  return parts.join(' · ');
}

/**
 * Return what is known of a shot, line by line.
 *
 * @param {string} name Of its file.
 * @param {{start: number, end: number, missing: boolean, part: number, part_count: number} | undefined} facts Undefined while they are being loaded.
 * @param {number | null} score
 * @returns {string[]}
 */
export function shotLines(name, facts, score) {
  const lines = [name, '…'];
  if (facts) {
    const { start, end, missing } = facts;
    const parts = [clock(start), durationText(end - start), partText(facts), missing ? 'offline' : ''];
    lines[1] = parts.filter(Boolean).join(' · ');
  }
  if (score !== null) lines.push(`score ${score.toFixed(2)}`);
  return lines;
}
