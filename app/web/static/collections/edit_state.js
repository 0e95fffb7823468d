// State of an edit that is not saved, as shown beside its field: the reason, and what a person can do.

import { element } from '../core/dom.js';

const WORDS = { name: 'name', note: 'note', range: 'in and out' };

/**
 * Create the line that explains an edit's state.
 *
 * @param {import('./edits.js').Edit} entry
 * @param {import('./edits.js').Edits} edits
 * @returns {HTMLElement | null} null for an edit that needs no explanation.
 */
export function editState(entry, edits) {
  const line = (text, ...buttons) =>
    element('div', { class: `ps-state ps-state-${entry.state}` }, element('span', { text }), ...buttons);
  const button = (text, run) => element('button', { class: 'ps-link', type: 'button', text, onclick: run });
  const what = WORDS[entry.field];
  if (entry.state === 'waiting')
    return line(
      `This ${what} is kept here and will be saved when prismsearch answers again.`,
      button('Try now', () => edits.send(entry.clip)),
    );
  if (entry.state === 'refused')
    return line(
      `This ${what} is not saved: ${entry.message}`,
      button('Drop it', () => edits.drop(entry.clip, entry.field)),
    );
  if (entry.state !== 'conflict') return null;
  const theirs = entry.field === 'range' ? 'another range' : entry.theirs ? `“${entry.theirs}”` : `no ${what}`;
  return line(
    `Meanwhile another tab wrote ${theirs}.`,
    button('Keep mine', () => edits.keepMine(entry.clip, entry.field)),
    button('Take that', () => edits.drop(entry.clip, entry.field)),
  );
}
