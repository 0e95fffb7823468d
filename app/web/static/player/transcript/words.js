// Words of a transcript: found as a person types them, whatever their case and accents, and copied as text.

import { clock } from '../../core/timecode.js';

// Characters that show what follows in another order than it has. Each line has a direction of its own without them.
const REORDERING = /[\u202a-\u202e\u2066-\u2069]/g;
const MARKS = /\p{M}/gu;

/** @typedef {import('../../core/types.js').TextLine} TextLine */

/**
 * A part of a text: one that is searched for, or what lies between two.
 *
 * @typedef {{text: string, found: boolean}} Part
 */

/**
 * Return a line's text as it is shown: in the order that it has.
 *
 * @param {string} text
 * @returns {string}
 */
export function shownText(text) {
  return text.replace(REORDERING, '');
}

/**
 * Return a text without what a search does not look at: case and accents.
 *
 * @param {string} text
 * @returns {string}
 */
export function folded(text) {
  return text.normalize('NFD').replace(MARKS, '').toLowerCase().replaceAll('ς', 'σ'); // whatever follows it
}

/**
 * Return the terms of a search: words, and phrases between quotation marks, folded.
 *
 * @param {string} typed
 * @returns {string[]}
 */
export function termsOf(typed) {
  const found = typed.matchAll(/["“”]([^"“”]*)["“”]?|[^\s"“”]+/g);
  const terms = [...found].map(([whole, phrase]) =>
    folded(phrase ?? whole)
      .trim()
      .replace(/\s+/g, ' '),
  );
  return [...new Set(terms.filter(Boolean))];
}

/**
 * Return whether a text has all terms.
 *
 * @param {string} foldedText With blanks in place of line feeds.
 * @param {string[]} terms
 * @returns {boolean}
 */
export function hasAll(foldedText, terms) {
  return terms.every((term) => foldedText.includes(term));
}

/**
 * Divide a text into the parts that are terms, and those between them.
 *
 * @param {string} text
 * @param {string[]} terms Folded.
 * @returns {Part[]} Joined, they are the text.
 */
export function partsOf(text, terms) {
  /** @type {number[]} */
  const from = []; // where in `text` the character lies that a folded one comes from
  let plain = '';
  let at = 0;
  for (const character of text) {
    const small = folded(character === '\n' ? ' ' : character);
    for (let each = 0; each < small.length; each += 1) from.push(at);
    plain += small;
    at += character.length;
  }
  from.push(text.length);
  const marked = new Uint8Array(text.length);
  for (const term of terms) {
    for (let found = plain.indexOf(term); found >= 0; found = plain.indexOf(term, found + term.length)) {
      marked.fill(1, from[found], from[found + term.length]);
    }
  }
  /** @type {Part[]} */
  const parts = [];
  for (let first = 0; first < text.length; ) {
    let end = first + 1;
    while (end < text.length && marked[end] === marked[first]) end += 1;
    parts.push({ text: text.slice(first, end), found: marked[first] === 1 });
    first = end;
  }
  return parts;
}

/**
 * Return lines as text to paste elsewhere: one a row, its time before it.
 *
 * @param {TextLine[]} lines
 * @returns {string}
 */
export function textOfLines(lines) {
  return lines.map(({ start, text }) => `${clock(start)}\t${shownText(text).replace(/\s+/g, ' ').trim()}`).join('\n');
}
