// Texts of a hit's card.

import { clock, durationText } from '../core/timecode.js';

/**
 * Return the texts of a card.
 *
 * @param {import('./grid.js').GridHit} hit
 * @returns {{length: string, when: string, score: string, bar: string | null, title: string, label: string}} `bar` is the
 *   width of the score bar, null where there is none; `label` is for screen readers.
 */
export function cardTexts({ name, folder, score, share, start, end, missing }) {
  const length = durationText(end - start);
  const number = score === null ? '' : score.toFixed(2);
  const parts = [name, `at ${clock(start)}`, length];
  if (score !== null) parts.push(`score ${number}`);
  if (missing) parts.push('file not there now');
  return {
    length,
    when: clock(start).slice(0, 8),
    score: number,
    bar: share === null ? null : `${Math.round(100 * share)}%`,
    title: `${folder}/${name}`,
    label: parts.join(', '),
  };
}
