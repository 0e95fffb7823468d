// What words found a hit: its channels as badges, and the line that matches, with the words marked and its time.

import { element } from '../core/dom.js';
import { clock, timeText } from '../core/timecode.js';
import { shownText } from '../player/transcript/words.js';

/**
 * A line of a video's words that matches.
 *
 * @typedef {object} FoundLine
 * @property {number | null} time Seconds at which the word comes; null for a tag, which has no time.
 * @property {number | null} from Seconds to play from; null where the word does not come within the shot.
 * @property {number} source The track that it is from.
 * @property {[string, boolean][]} pieces Its text, in parts that are searched for (true) and others.
 */

/**
 * What found a hit of a search with words in quotes.
 *
 * @typedef {object} Found
 * @property {('picture' | 'said' | 'written' | 'chapter' | 'tag')[]} channels
 * @property {FoundLine | null} line The one that is shown; null where only the picture was found.
 * @property {number} lines Number of those that match.
 */

const CHANNELS = { picture: 'Picture', said: 'Said', written: 'Written', chapter: 'Chapter', tag: 'Tag' };

/**
 * Return what is shown of it on a card.
 *
 * @param {Found} found
 * @returns {(Node | string)[]}
 */
export function foundNodes({ channels, line, lines }) {
  const badges = channels.map((each) =>
    element('span', { class: `ps-channel ps-channel-${each}`, text: CHANNELS[each] }),
  );
  if (!line) return badges;
  const pieces = line.pieces.map(([text, marked]) => {
    const shown = shownText(text);
    return marked ? element('mark', { text: shown }) : shown;
  });
  return [
    ...badges,
    ...(line.time === null
      ? []
      : [element('span', { class: 'ps-found-time', text: timeText(line.time), title: clock(line.time) })]),
    element('span', { class: 'ps-found-text', dir: 'auto' }, ...pieces),
    ...(lines > 1 ? [element('span', { class: 'ps-found-more', text: `${lines} lines` })] : []),
  ];
}

/**
 * Return the same for screen readers.
 *
 * @param {Found} found
 * @returns {string[]}
 */
export function foundTexts({ channels, line }) {
  const words = line ? line.pieces.map(([text]) => shownText(text)).join('') : '';
  const names = channels.map((each) => CHANNELS[each].toLowerCase()).join(' and ');
  if (!line) return [`found by: ${names}`];
  const when = line.time === null ? '' : ` at ${clock(line.time)}`;
  return [`found by: ${names}${when}: ${words.replace(/\s+/g, ' ').trim()}`];
}
