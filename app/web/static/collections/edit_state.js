// State of an edit that is not saved, as shown beside its field: the reason, and what a person can do.

import { element } from '../core/dom.js';

/** @typedef {import('./edits.js').Edit} Edit */
/** @typedef {import('./edits.js').Edits} Edits */

const WORDS = { name: 'name', note: 'note', range: 'range' };

/**
 * Create the line that explains an edit's state.
 *
 * @param {Edit} entry
 * @param {Edits} edits
 * @returns {HTMLElement | null} null for an edit that needs no explanation.
 */
export function editState(entry, edits) {
  const text = stateText(entry);
  if (text === null) return null;
  /** @type {(text: string, run: () => unknown) => HTMLElement} */
  const button = (label, run) => element('button', { class: 'ps-link', type: 'button', text: label, onclick: run });
  const drop = () => edits.drop(entry.clip, entry.field);
  const buttons = {
    waiting: () => [button('Retry', () => edits.send(entry.clip))],
    refused: () => [button('Discard', drop)],
    conflict: () => [button('Keep mine', () => edits.keepMine(entry.clip, entry.field)), button('Use theirs', drop)],
    typed: () => [],
    sending: () => [],
    gone: () => [],
  };
  return element(
    'div',
    { class: `ps-state ps-state-${entry.state}` },
    element('span', { text }),
    ...buttons[entry.state](),
  );
}

/**
 * Explain an edit's state.
 *
 * @param {Edit} entry
 * @returns {string | null} null for a state that needs no explanation beside the field.
 */
export function stateText(entry) {
  const what = WORDS[entry.field];
  if (entry.state === 'waiting')
    return `This ${what} is kept in this browser and will be saved when prismsearch responds again.`;
  if (entry.state === 'refused') return `This ${what} is not saved: ${entry.message}`;
  if (entry.state !== 'conflict') return null;
  const { theirs } = entry;
  if (typeof theirs !== 'string') return 'Another tab has set another range.';
  return theirs ? `Another tab has changed this ${what} to “${theirs}”.` : `Another tab has deleted this ${what}.`;
}

/**
 * Explain that the subclip of an edit was removed meanwhile.
 *
 * @param {Edit} entry
 * @returns {string}
 */
export function goneText({ label, field, value }) {
  const what = { name: 'The name', note: 'The note', range: 'The range' }[field];
  const typed = typeof value === 'string' ? `you typed, “${value}”,` : 'you set';
  return `“${label}” has been removed. ${what} ${typed} is not saved.`;
}
