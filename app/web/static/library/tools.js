// Tools of the table of videos: a filter by state, and what can be done with the chosen videos.

import { element } from '../core/dom.js';
import { durationText } from '../core/timecode.js';
import { STATE_ORDER, STATES, sizeText } from './rows.js';

/** @typedef {import('./rows.js').State} State */

/**
 * Create a chip for each state that some video is in, and one for all.
 *
 * @param {Map<State, number>} counts Number of videos in each state.
 * @param {number} total
 * @param {State | null} current The one that is shown; null for all.
 * @param {(state: State | null) => void} choose
 * @returns {HTMLElement[]} None where there is nothing to choose.
 */
export function stateChips(counts, total, current, choose) {
  const known = STATE_ORDER.filter((state) => counts.has(state));
  if (known.length < 2 && !current) return [];
  /**
   * @param {State | null} state
   * @param {string} text
   * @param {number} count
   */
  const chip = (state, text, count) =>
    element(
      'button',
      {
        class: `ps-chip ${state ? `ps-state-${state}` : ''}`,
        type: 'button',
        'aria-pressed': String(current === state),
        onclick: () => choose(state),
      },
      element('span', { text }),
      element('span', { class: 'ps-chip-count', text: count.toLocaleString() }),
    );
  return [chip(null, 'All', total), ...known.map((state) => chip(state, STATES[state].short, counts.get(state) ?? 0))];
}

/**
 * Create the content of the bar that says what is chosen.
 *
 * @param {{seconds: number, bytes: number}[]} videos The chosen ones.
 * @param {{remove: () => void, clear: () => void}} actions
 * @returns {HTMLElement[]}
 */
export function chosenBar(videos, { remove, clear }) {
  const seconds = videos.reduce((sum, video) => sum + video.seconds, 0);
  const bytes = videos.reduce((sum, video) => sum + video.bytes, 0);
  return [
    element('span', {
      class: 'ps-grow',
      text: `${videos.length.toLocaleString()} selected · ${durationText(seconds)} · ${sizeText(bytes)}`,
    }),
    element('button', {
      class: 'ps-button ps-needs-delete',
      type: 'button',
      text: 'Remove from the library …',
      onclick: remove,
    }),
    element('button', { class: 'ps-button', type: 'button', text: 'Clear selection', onclick: clear }),
  ];
}
