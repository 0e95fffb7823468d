// What each of several encoders thinks of a hit.

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

/**
 * Return what is shown of opinions on a card; nothing with one encoder, as its opinion is the hit's strength.
 *
 * @param {Opinion[]} opinions
 * @returns {Node[]}
 */
export function opinionNodes(opinions) {
  if (opinions.length < 2) return [];
  return opinions.map(({ encoder, strength, quick }) => {
    const known = strength ? strengthTexts(strength, null) : null;
    const title = `${encoder}${quick ? ', by a few frames' : ''}: ${known?.sentence ?? 'not calibrated'}`;
    return element(
      'span',
      { class: 'ps-opinion', 'data-level': strength?.level, title },
      element('span', { class: 'ps-opinion-encoder', text: encoder }),
      ' ',
      element('span', { class: 'ps-opinion-level', text: known?.word ?? '–' }),
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
  if (opinions.length < 2) return [];
  return opinions.map(({ encoder, strength, quick }) => {
    const word = strength ? strengthTexts(strength, null).word.toLowerCase() : 'not calibrated';
    return `${encoder}: ${word}${quick ? ', by a few frames' : ''}`;
  });
}
