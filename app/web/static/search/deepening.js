// Quick hits on the first screen are encoded in full while a person looks at them. A line says how far that is; the rows
// count at the next search.

import { api } from '../core/api.js';
import { element } from '../core/dom.js';

const POLL_MILLISECONDS = 1500;
/** Hits that a first look sees, about; each takes seconds without a GPU. */
export const LOOKED_AT = 24;

/** @typedef {{waiting: number[], deepened: number[]}} DeepeningState Ids of segments, as `/api/deepening` sends them. */

export class Deepening {
  /** @param {() => void} again Called to search again. */
  constructor(again) {
    this.text = element('span', {});
    this.again = element('button', { class: 'ps-button', type: 'button', text: 'Search again', onclick: again });
    this.root = element('div', { class: 'ps-deepening', role: 'status', hidden: true }, this.text, this.again);
    /** @type {Set<number>} */
    this.looked = new Set(); // quick hits of the present results
    this.turn = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Look at other results.
   *
   * @param {{id: number, quick?: boolean}[]} hits Those that a person sees.
   */
  look(hits) {
    const quick = hits
      .slice(0, LOOKED_AT)
      .filter((hit) => hit.quick)
      .map(({ id }) => id);
    const none = !quick.length && !this.looked.size;
    this.looked = new Set(quick);
    this.root.hidden = true;
    if (none) return;
    void this.take(() => api('/api/deepening', { method: 'POST', body: { segments: quick } }));
  }

  /** @param {() => Promise<DeepeningState>} ask */
  async take(ask) {
    this.turn += 1;
    const { turn } = this;
    clearTimeout(this.timer);
    const state = await ask().catch(() => null);
    if (turn !== this.turn) return; // other results are shown
    if (!state) {
      this.root.hidden = true;
      return;
    }
    this.show(state);
    if (this.left(state)) this.timer = setTimeout(() => void this.take(() => api('/api/deepening')), POLL_MILLISECONDS);
  }

  /** @param {DeepeningState} state */
  left(state) {
    return state.waiting.filter((id) => this.looked.has(id)).length;
  }

  /** @param {DeepeningState} state */
  show(state) {
    const left = this.left(state);
    const done = state.deepened.filter((id) => this.looked.has(id)).length;
    this.root.hidden = !left && !done;
    this.again.hidden = !done;
    const hits = `${this.looked.size === 1 ? '1 quick hit' : `${this.looked.size} quick hits`}`;
    this.text.textContent = left
      ? `Looking closer at ${hits}: ${done} done, ${left} left.`
      : `${done === 1 ? '1 quick hit was' : `${done} quick hits were`} looked at closer; the next search counts that.`;
  }

  remove() {
    this.turn += 1;
    clearTimeout(this.timer);
    this.root.remove();
  }
}
