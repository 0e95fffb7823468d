// Notices above the list: a server that is away, and edits that are not saved and have no row to say so.

import { goneText, stateText } from './edit_state.js';

/** @typedef {import('./edits.js').Edit} Edit */

/**
 * A notice. It is about an edit where it has one.
 *
 * @typedef {object} Notice
 * @property {string} text
 * @property {Edit} [edit]
 * @property {string} [token] What else it shows: a notice with the same text and token looks the same.
 */

/**
 * Return the notices to show, most general first.
 *
 * @param {object} state
 * @param {string | null} state.failed The sentence of the latest request, where it failed.
 * @param {boolean} state.stored Whether the browser could store what was typed.
 * @param {Edit[]} state.edits
 * @param {number | null} state.shown Id of the collection that is shown: its rows explain their own edits.
 * @returns {Notice[]}
 */
export function notices({ failed, stored, edits, shown }) {
  /** @type {Notice[]} */
  const found = [];
  if (failed) {
    const kept = edits.length
      ? ' What you typed is kept in this browser and will be saved when it responds again.'
      : '';
    found.push({ text: `${sentence(failed)}${kept}` });
  }
  if (!stored)
    found.push({
      text: 'This browser cannot store anything for this page (its storage is full or turned off). Unsaved text is lost if you close the page.',
    });
  for (const edit of edits) {
    if (edit.state === 'gone') found.push({ text: goneText(edit), edit });
    else if (edit.collection !== shown && (edit.state === 'conflict' || edit.state === 'refused'))
      found.push({ text: `In “${edit.label}” in another collection:`, token: stateText(edit) ?? '', edit });
  }
  return found;
}

/**
 * Return a text as a sentence: with a capital, and a full stop unless it has an end of its own.
 *
 * @param {string} text
 * @returns {string}
 */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? '' : '.');
}
