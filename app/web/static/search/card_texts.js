// Texts of a hit's card.

import { partText } from '../core/shot_text.js';
import { clock, durationText } from '../core/timecode.js';
import { strengthTexts } from './strength.js';

/**
 * Return the texts of a card.
 *
 * @param {import('./grid.js').GridHit} hit
 * @returns {{length: string, when: string, score: string, meaning: string, level: string, bar: string | null,
 *   alike: string, title: string, label: string}} `score` is the level, or a plain score where there is no strength, and
 *   `meaning` explains it; `bar` is the width of the bar, null where there is none; `label` is for screen readers.
 */
export function cardTexts(hit) {
  const { name, folder, score, share, strength, alike, start, end, missing } = hit;
  const part = partText(hit);
  const length = durationText(end - start);
  const known = strength ? strengthTexts(strength, score) : null;
  const number = score === null ? '' : score.toFixed(2);
  const width = known ? known.share : share;
  const parts = [name, `at ${clock(start)}`, length];
  if (part) parts.push(part);
  if (known) parts.push(`${known.word.toLowerCase()} match`);
  else if (score !== null) parts.push(`score ${number}`);
  const stacked = alike.length ? `${alike.length + 1} alike` : '';
  if (stacked) parts.push(stacked);
  if (missing) parts.push('offline');
  return {
    length,
    when: part ? `${clock(start)} · ${part}` : clock(start),
    score: known ? known.word : number,
    meaning: known ? known.sentence : score === null ? '' : `Score ${number} (cosine)`,
    level: strength?.level ?? '',
    bar: width === null ? null : `${Math.round(100 * width)}%`,
    alike: stacked,
    title: `${folder}/${name}`,
    label: parts.join(', '),
  };
}
