// Texts of a hit's card.

import { partText } from '../core/shot_text.js';
import { clock, durationText } from '../core/timecode.js';
import { foundTexts } from './found_line.js';
import { opinionTexts } from './opinions.js';
import { strengthTexts } from './strength.js';

const BY_WORDS = 'Found by its words, not by its picture: that they are there is no matter of chance.';

/**
 * Return the texts of a card.
 *
 * @param {import('./grid.js').GridHit} hit
 * @returns {{length: string, when: string, score: string, meaning: string, level: string, bar: string | null,
 *   stack: string, takes: string, alike: string, take: string, title: string, label: string}} `score` is the level, or a plain score where there is no strength, or
 *   says that only words found it, and `meaning` explains it; `bar` is the width of the bar, null where there is none; `label` is for screen readers.
 */
export function cardTexts(hit) {
  const { name, folder, score, share, strength, alike, start, end, missing, found = null, opinions = [] } = hit;
  const { take = null, takes = [], set_up: setUp = '' } = hit;
  const part = partText(hit);
  const length = durationText(end - start);
  // Of several spaces, the score is not a cosine.
  const known = strength ? strengthTexts(strength, opinions.length ? null : score) : null;
  const number = score === null ? '' : score.toFixed(2);
  const byWords = found !== null && !found.channels.includes('picture');
  const width = known ? known.share : share;
  const parts = [name, `at ${clock(start)}`, length];
  if (part) parts.push(part);
  if (known) parts.push(`${known.word.toLowerCase()} match`);
  else if (score !== null) parts.push(`score ${number}`);
  parts.push(...opinionTexts(opinions));
  if (found) parts.push(...foundTexts(found));
  const behind = alike.length ? `${alike.length + 1} alike` : '';
  const others = takes.length ? takesText(setUp, takes.length + 1) : '';
  const which = take ? `Take ${take.number} of ${take.count}` : '';
  const stacked = [others, behind].filter(Boolean).join(', ');
  if (which && !others) parts.push(...(setUp ? [setUp] : []), which.toLowerCase());
  if (stacked) parts.push(stacked);
  if (hit.quick) parts.push('quick: motion waits for the full pass');
  if (missing) parts.push('offline');
  return {
    length,
    when: part ? `${clock(start)} · ${part}` : clock(start),
    score: known ? known.word : byWords ? 'By words' : number,
    meaning: known
      ? known.sentence
      : byWords
        ? BY_WORDS
        : score === null
          ? ''
          : `Score ${number}${opinions.length ? '' : ' (cosine)'}`,
    level: strength?.level ?? '',
    bar: width === null ? null : `${Math.round(100 * width)}%`,
    stack: stacked,
    takes: others,
    alike: behind,
    take: which,
    title: `${folder}/${name}`,
    label: parts.join(', '),
  };
}

/**
 * Return how many takes there are, with their name if they have one.
 *
 * @param {string} name "" for none.
 * @param {number} count
 */
export function takesText(name, count) {
  return `${name ? `${name}: ` : ''}${count} takes`;
}
