// The name of the first clip of an export, as the server finds it with the export's own functions while the form is filled in.

import { ApiError, api, isAbort } from '../../core/api.js';

const PAUSE_MILLISECONDS = 300;

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
 */

/** Asks for the name after a pause, and again when anything that it depends on has changed. */
export class ClipName {
  /** @param {() => void} changed Called after each answer. */
  constructor(changed) {
    this.changed = changed;
    this.name = ''; // blank: not known (yet)
    this.why = ''; // a sentence: why the clip has no name
    this.problem = ''; // a sentence: what is wrong with the pattern
    this.asked = '';
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {AbortController | undefined} */
    this.request = undefined;
  }

  /**
   * Find the name unless it is known.
   *
   * @param {NameQuestion | null} question null: there is nothing to name.
   * @param {unknown} state What else it depends on: the clip and the files that are there.
   */
  ask(question, state) {
    const key = question ? JSON.stringify([question, state]) : '';
    if (key === this.asked) return;
    this.asked = key;
    this.stop();
    if (!question) [this.name, this.why, this.problem] = ['', '', ''];
    else this.timer = setTimeout(() => void this.find(question), PAUSE_MILLISECONDS);
  }

  /** Ask no more. */
  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  /** @param {NameQuestion} question */
  async find({ folder, ...question }) {
    const values = Object.entries({ ...question, ...(folder && { folder }) });
    const query = new URLSearchParams(values.map(([name, value]) => [name, String(value)]));
    this.request = new AbortController();
    const { signal } = this.request;
    try {
      /** @type {{name: string, why: string}} */
      const { name, why } = await api(`/api/exports/name?${query}`, { signal });
      [this.name, this.why, this.problem] = [name, why, ''];
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      const refused = error instanceof ApiError && error.status === 400;
      [this.name, this.why, this.problem] = ['', '', refused ? error.message : ''];
    }
    this.changed();
  }
}
