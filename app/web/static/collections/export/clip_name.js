// The name of the first clip of an export, as the server finds it with the export's own functions while the form is filled in.

import { ApiError, api } from '../../core/api.js';
import { Asked } from './asked.js';

/**
 * What the name depends on.
 *
 * @typedef {object} NameQuestion
 * @property {number} collection
 * @property {number} clip
 * @property {number} total Number of clips to export.
 * @property {string} mode 'smart', 'exact' or 'copy'.
 * @property {number} handles Seconds.
 * @property {string} pattern Blank for the usual one.
 * @property {string} audio
 * @property {string} folder Blank for a zip.
 * @property {string} [subtitles] This and the next two: where words go with the clip.
 * @property {string} [words_from]
 * @property {string} [language]
 */

/** The name, and why there is none. */
export class ClipName {
  /** @param {() => void} changed Called after each answer. */
  constructor(changed) {
    /** @type {Asked<NameQuestion, {name: string, why: string}>} */
    this.asked = new Asked(ask, changed);
  }

  /** Blank: not known (yet). */
  get name() {
    return this.asked.answer?.name ?? '';
  }

  /** A sentence: why the clip has no name; or blank. */
  get why() {
    return this.asked.answer?.why ?? '';
  }

  /** A sentence: what is wrong with the pattern; or blank. */
  get problem() {
    const { error } = this.asked;
    return error instanceof ApiError && error.status === 400 ? error.message : '';
  }

  /**
   * Find the name unless it is known.
   *
   * @param {NameQuestion | null} question null: there is nothing to name.
   * @param {unknown} state What else it depends on: the clip and the files that are there.
   */
  ask(question, state) {
    this.asked.ask(question, state);
  }

  /** Ask no more. */
  stop() {
    this.asked.stop();
  }
}

/**
 * @param {NameQuestion} question
 * @param {AbortSignal} signal
 * @returns {Promise<{name: string, why: string}>}
 */
function ask({ folder, ...question }, signal) {
  const values = Object.entries({ ...question, ...(folder && { folder }) });
  const query = new URLSearchParams(values.map(([name, value]) => [name, String(value)]));
  return api(`/api/exports/name?${query}`, { signal });
}
