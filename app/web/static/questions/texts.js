// Texts of the Questions page.

import { clock, durationText } from '../core/timecode.js';

/** @typedef {import('../core/types.js').QuestionLine} QuestionLine */
/** @typedef {import('../core/types.js').QuestionList} QuestionList */

/**
 * Return how many questions there are.
 *
 * @param {Pick<QuestionList, 'questions' | 'none'>} list
 * @returns {string}
 */
export function countText({ questions, none }) {
  if (!questions && !none) return 'No questions yet';
  const some = `${questions.toLocaleString('en')} ${questions === 1 ? 'question' : 'questions'}`;
  return none ? `${some}, and ${none.toLocaleString('en')} about what is not there` : some;
}

/**
 * Return where the answer of a line is.
 *
 * @param {QuestionLine} line
 * @returns {string}
 */
export function placeText({ file, start, end, trouble }) {
  if (!file) return 'Not in this library';
  if (trouble) return trouble;
  return start === null || end === null ? file : `${file} · ${clock(start)} · ${durationText(end - start)}`;
}

/**
 * Return a range, and how long it is.
 *
 * @param {number} start Seconds.
 * @param {number} end Seconds.
 * @returns {string}
 */
export function spanText(start, end) {
  return `${clock(start)} to ${clock(end)} · ${durationText(end - start)}`;
}

/**
 * Return which shot of how many was drawn.
 *
 * @param {{number: number, count: number}} drawn
 * @returns {string}
 */
export function drawnText({ number, count }) {
  return `Shot ${number.toLocaleString('en')} of ${count.toLocaleString('en')}, in random order`;
}
