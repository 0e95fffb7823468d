// What each of several encoders thinks of a hit, and whether a shot was seen in a few frames only.

import { element } from '../core/dom.js';
import { strengthTexts } from './strength.js';

/**
 * What an encoder thinks of a hit.
 *
 * @typedef {object} Opinion
 * @property {string} encoder Its short name.
 * @property {import('./strength.js').Strength | null} strength null where it is not calibrated.
 * @property {boolean} quick Whether it has seen the shot in a few frames only.
 */

const QUICK = 'Seen in a few frames, until indexing has encoded the whole shot. Motion may be missed.';

/**
 * Return what is shown of opinions on a card: with one encoder, only that the shot is a quick one.
 *
 * @param {Opinion[]} opinions
 * @returns {Node[]}
 */
export function opinionNodes(opinions) {
  const quick = element('span', { class: 'ps-channel', text: 'Quick', title: QUICK });
  if (opinions.length < 2) return opinions.some((each) => each.quick) ? [quick] : [];
  return opinions.map(({ encoder, strength, quick: isQuick }) => {
    const known = strength ? strengthTexts(strength, null) : null;
    return element(
      'span',
      {
        class: 'ps-opinion',
        'data-level': strength?.level,
        title: `${encoder}: ${known?.sentence ?? 'not calibrated'}`,
      },
      element('span', { class: 'ps-opinion-encoder', text: encoder }),
      ' ',
      element('span', { class: 'ps-opinion-level', text: known?.word ?? '–' }),
      isQuick && element('span', { class: 'ps-channel', text: 'Quick', title: QUICK }),
    );
  });
}

/**
 * Return the same for screen readers.
 *
 * @param {Opinion[]} opinions
 * @returns {string[]}
 */
export function opinionTexts(opinions) {
  const several = opinions.length > 1;
  return opinions.flatMap(({ encoder, strength, quick }) => {
    const said = [
      strength ? strengthTexts(strength, null).word.toLowerCase() : 'not calibrated',
      ...(quick ? ['quick'] : []),
    ];
    return several ? [`${encoder}: ${said.join(', ')}`] : quick ? ['quick'] : [];
  });
}
