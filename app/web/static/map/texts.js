// Texts of the map page.

import { clock, durationText } from '../core/timecode.js';

/**
 * Return the line below the map.
 *
 * @param {number} count Number of shots.
 * @param {number} leftOut Number of those that filters leave out.
 * @param {number | null} best The best score; null where there is no search.
 * @returns {string}
 */
export function statusText(count, leftOut, best) {
  const parts = [`${count.toLocaleString()} ${count === 1 ? 'shot' : 'shots'}`];
  if (leftOut) parts.push(`${leftOut.toLocaleString()} left out by filters`);
  if (best !== null) parts.push(`best score ${best.toFixed(2)}`);
  parts.push('nearby shots look alike · drag with Shift to select');
  return parts.join(' · ');
}

/**
 * Return what is known of a shot, line by line.
 *
 * @param {string} name Of its file.
 * @param {{start: number, end: number, missing: boolean} | undefined} facts Undefined while they are being loaded.
 * @param {number | null} score
 * @returns {string[]}
 */
export function shotLines(name, facts, score) {
  const lines = [name, '…'];
  if (facts) {
    const missing = facts.missing ? ' · offline' : '';
    lines[1] = `${clock(facts.start)} · ${durationText(facts.end - facts.start)}${missing}`;
  }
  if (score !== null) lines.push(`score ${score.toFixed(2)}`);
  return lines;
}
