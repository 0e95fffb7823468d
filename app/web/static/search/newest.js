// Keeps the newest videos up to date, before anything is searched for: the page's script runs again when more has been indexed, and when
// indexing begins or ends.

import { api } from '../core/api.js';
import { mountOnce, trigger } from '../core/component.js';
import { runs } from '../core/runs.js';

const LEAST_MILLISECONDS = 3000; // between two looks, because each change draws all posters

/** @typedef {import('../core/types.js').Component<{indexing: boolean}>} NewestComponent */

/** Triggers: changed {}. */
export const mount = mountOnce((/** @type {NewestComponent} */ component) => new Newest(component));

class Newest {
  /** @param {NewestComponent} component */
  constructor(component) {
    this.component = component;
    /** @type {string | null} */
    this.state = null; // of the library, when it was looked at last
    this.notBefore = 0;
    /** @type {boolean | null} */
    this.told = null; // what was last said of indexing
    this.unwatch = runs.watch(() => void this.look());
  }

  /** @param {NewestComponent} component */
  update(component) {
    this.component = component;
  }

  /** Run the script if it should draw something else. Never fails. */
  async look() {
    const indexing = runs.all.some((run) => !run.outcome && run.kind === 'index');
    if (indexing === this.component.data.indexing) this.told = null;
    else if (indexing !== this.told) {
      this.told = indexing;
      trigger(this.component, 'changed', {});
      return;
    }
    if (!indexing || performance.now() < this.notBefore || isUsed()) return;
    this.notBefore = performance.now() + LEAST_MILLISECONDS;
    /** @type {{state: string} | null} */
    const answer = await api('/api/library/state').catch(() => null);
    if (!answer) return;
    const before = this.state;
    this.state = answer.state;
    if (before !== null && before !== this.state) trigger(this.component, 'changed', {});
  }

  remove() {
    this.unwatch();
  }
}

/** @returns {boolean} Whether a person points at a card, or is on one by the keys: it must not move away below them. */
function isUsed() {
  return Boolean(document.querySelector('.ps-grid:hover') ?? document.activeElement?.closest('.ps-grid'));
}
