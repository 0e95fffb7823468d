// Card of a chain: its parts side by side, in the order of time, with the time between them.

import { element, setText } from '../core/dom.js';
import { partText } from '../core/shot_text.js';
import { clock, durationText } from '../core/timecode.js';
import { opinionTexts } from './opinions.js';
import { strengthTexts } from './strength.js';

/**
 * A chain of the search, as the page passes it.
 *
 * @typedef {object} GridChain
 * @property {number} rank From 1.
 * @property {number} score By which chains are ranked.
 * @property {import('./strength.js').Strength | null} strength null where the library is not calibrated.
 * @property {string} name File name.
 * @property {string} folder
 * @property {boolean} missing Whether the file cannot be found now.
 * @property {number} start Seconds, of the span from the first part to the last.
 * @property {number} end Seconds.
 * @property {number} start_pts
 * @property {number} end_pts
 * @property {number} first Segment that the span is counted with.
 * @property {number} alike Number of chains like it that are left out: the same shots in copies.
 * @property {(import('./grid.js').GridHit & {step: number})[]} parts In the order of time; `step` is the number of the step
 *   that it matches, from 1.
 */

/**
 * Return the texts of a chain's card.
 *
 * @param {GridChain} chain
 * @returns {{level: string, meaning: string, span: string, gaps: string[], label: string}} `gaps` are the times between
 *   the parts, blank where one follows at once; `label` is for screen readers.
 */
export function chainTexts({ score, strength, name, missing, start, end, parts }) {
  const known = strength ? strengthTexts(strength, null) : null;
  const span = `${clock(start)}, ${durationText(end - start)}`;
  const gaps = parts.slice(1).map((part, at) => gapText(part.start - parts[at].end));
  const said = [name, `at ${clock(start)}`, durationText(end - start), `${parts.length} shots`];
  if (known) said.push(`${known.word.toLowerCase()} match`);
  if (missing) said.push('offline');
  return {
    level: known ? known.word : score.toFixed(2),
    meaning: known ? known.sentence : `Score ${score.toFixed(2)}`,
    span,
    gaps,
    label: said.join(', '),
  };
}

/** @param {number} seconds */
function gapText(seconds) {
  return seconds < 0.05 ? '' : durationText(seconds);
}

/**
 * Create the card of a chain. Its parts name their segment in `data-segment`, the card its rank in `data-rank`.
 *
 * @param {GridChain} chain
 * @returns {HTMLElement}
 */
export function chainCard(chain) {
  const texts = chainTexts(chain);
  const level = element('span', { class: 'ps-number', text: texts.level, title: texts.meaning });
  const name = element('span', { class: 'ps-chain-name', title: `${chain.folder}/${chain.name}` });
  setText(name, chain.name);
  return element(
    'div',
    {
      class: 'ps-chain',
      role: 'row',
      tabindex: '-1',
      'aria-label': texts.label,
      'data-rank': String(chain.rank),
      'data-level': chain.strength?.level,
    },
    element(
      'div',
      { class: 'ps-chain-parts', role: 'gridcell' },
      ...chain.parts.flatMap((part, at) => [
        at > 0 && element('span', { class: 'ps-chain-gap', text: texts.gaps[at - 1] }),
        partOf(part),
      ]),
    ),
    element(
      'div',
      { class: 'ps-chain-about', role: 'gridcell' },
      level,
      element('span', { class: 'ps-when', text: texts.span }),
      name,
      chain.alike > 0 &&
        element('span', {
          class: 'ps-chain-alike',
          text: `${chain.alike + 1} alike`,
          title: 'The same shots, in copies of this video. To see each, set Near-duplicates to Shown in Filters',
        }),
      chain.missing && element('span', { class: 'ps-chain-gone', text: 'Offline' }),
    ),
    element(
      'div',
      { class: 'ps-chain-actions', role: 'gridcell' },
      button('Add shots', 'S', 'parts'),
      button('Add span', 'Shift S', 'span'),
    ),
  );
}

/** @param {GridChain['parts'][number]} part */
function partOf(part) {
  const where = [clock(part.start), partText(part)].filter(Boolean).join(', ');
  const thought = opinionTexts(part.opinions ?? []);
  return element(
    'button',
    {
      class: 'ps-chain-part',
      type: 'button',
      tabindex: '-1',
      title: [where, ...thought].join('\n'),
      'data-segment': String(part.id),
    },
    element(
      'span',
      { class: 'ps-frame' },
      element('img', { alt: '', decoding: 'async', 'data-src': `/api/poster/${part.id}` }),
      element('span', { class: 'ps-spoken', text: `Play shot at ${[where, ...thought].join(', ')}: ` }),
      element('span', { class: 'ps-chain-step', text: String(part.step) }),
      element('span', { class: 'ps-length', text: durationText(part.end - part.start) }),
    ),
  );
}

/**
 * @param {string} label
 * @param {string} key
 * @param {string} action
 */
function button(label, key, action) {
  return element('button', {
    class: 'ps-chain-action',
    type: 'button',
    tabindex: '-1',
    title: `${label} to tray (${key})`,
    'data-action': action,
    text: label,
  });
}
