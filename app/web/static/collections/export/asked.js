// A question to the server about a form, asked after a pause, and again when anything that the answer depends on has changed.

import { isAbort } from '../../core/api.js';

const PAUSE_MILLISECONDS = 300;

/**
 * @template Question
 * @template Answer
 */
export class Asked {
  /**
   * @param {(question: Question, signal: AbortSignal) => Promise<Answer>} request
   * @param {() => void} changed Called after each answer.
   */
  constructor(request, changed) {
    this.request = request;
    this.changed = changed;
    /** @type {Answer | null} */
    this.answer = null; // null: not known (yet)
    /** @type {unknown} */
    this.error = null; // why there is no answer
    this.asked = '';
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {AbortController | undefined} */
    this.pending = undefined;
  }

  /**
   * Find the answer unless it is known. Until it comes, the one before stays.
   *
   * @param {Question | null} question null: nothing is asked.
   * @param {unknown} state What else the answer depends on.
   */
  ask(question, state) {
    const key = question ? JSON.stringify([question, state]) : '';
    if (key === this.asked) return;
    this.asked = key;
    this.stop();
    if (!question) [this.answer, this.error] = [null, null];
    else this.timer = setTimeout(() => void this.find(question), PAUSE_MILLISECONDS);
  }

  /** Ask no more. */
  stop() {
    clearTimeout(this.timer);
    this.pending?.abort();
  }

  /** @param {Question} question */
  async find(question) {
    this.pending = new AbortController();
    const { signal } = this.pending;
    try {
      [this.answer, this.error] = [await this.request(question, signal), null];
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      [this.answer, this.error] = [null, error];
    }
    this.changed();
  }
}
