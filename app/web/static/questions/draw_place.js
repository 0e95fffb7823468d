// Place in the random order of shots, which this browser remembers for each library: nobody is shown a shot twice.

import { api } from '../core/api.js';
import { loadStored, saveStored } from '../core/storage.js';

const STORED = 'prismsearch.questions';
const SEEDS = 2 ** 31;

/** @typedef {import('../core/types.js').DrawnShot} DrawnShot */

/** Draws one shot after the other. */
export class DrawPlace {
  /**
   * @param {string} library Its id.
   * @param {() => number} [random] From 0 to 1, for the seed of a new order.
   */
  constructor(library, random = Math.random) {
    this.key = `${STORED}.${library}`;
    const { seed = -1, after = null } = /** @type {{seed?: unknown, after?: unknown}} */ (loadStored(this.key, {}));
    this.seed = Number.isInteger(seed) && Number(seed) >= 0 ? Number(seed) : Math.floor(random() * SEEDS);
    /** @type {number | null} */
    this.after = Number.isInteger(after) ? Number(after) : null; // the shot that was dealt with last
    /** @type {number | null} */
    this.current = null;
  }

  /**
   * Draw the shot to show now: the same one again, until `done` is called.
   *
   * @returns {Promise<DrawnShot>}
   * @throws {import('../core/api.js').ApiError}
   */
  async draw() {
    const after = this.after === null ? '' : `&after=${this.after}`;
    /** @type {DrawnShot} */
    const drawn = await api(`/api/questions/draw?seed=${this.seed}${after}`);
    if (drawn.shot) {
      if (drawn.seed !== this.seed) this.after = null;
      this.seed = drawn.seed;
      this.current = drawn.shot.segment;
      this.save();
    }
    return drawn;
  }

  /** Go on from the shot that was drawn last. */
  done() {
    this.after = this.current;
    this.save();
  }

  /**
   * Go back to a place.
   *
   * @param {number | null} after
   */
  back(after) {
    this.after = after;
    this.save();
  }

  save() {
    saveStored(this.key, { seed: this.seed, after: this.after });
  }
}
