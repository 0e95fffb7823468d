// Progress of making the map: requests it where it is missing or out of date, polls the server, and shows its progress.

import { api } from '../core/api.js';
import { element } from '../core/dom.js';
import { lookAgain } from '../core/look_again.js';
import { attempt } from '../core/toast.js';

const POLL_MILLISECONDS = 500;

/**
 * The progress of the map, as `/api/map` sends it.
 *
 * @typedef {object} MapState
 * @property {string | null} version null before the first map is made.
 * @property {boolean} current Whether the map has all that is indexed.
 * @property {boolean} making
 * @property {number} share 0 to 1.
 * @property {string} text
 * @property {string | null} error
 */

/**
 * Return the texts of the panel.
 *
 * @param {MapState} state
 * @param {boolean} again Whether there is a map already.
 * @returns {{title: string, about: string}}
 */
export function progressTexts({ error, text, share }, again) {
  if (error) return { title: 'The map cannot be made now', about: error };
  const title = again ? 'Updating the map' : 'Making the map of your library';
  return { title, about: `${text} … ${Math.round(100 * share)}%` };
}

/** A panel over the map while it is being made. */
export class MapProgress {
  /** @param {(version: string) => Promise<void>} load Called, and waited for, when there is a new version of the map. */
  constructor(load) {
    this.load = load;
    this.ticket = 0;
    /** @type {string | null} */
    this.version = null; // of the map that was loaded last
    this.title = element('strong', {});
    this.about = element('span', { class: 'ps-muted' });
    this.bar = element('progress', { max: 1, 'aria-label': 'Making the map' });
    this.root = element(
      'div',
      { class: 'ps-map-making', role: 'status', hidden: true },
      this.title,
      this.about,
      this.bar,
    );
  }

  /**
   * Load an encoder's map; have it made, or brought up to date, where necessary.
   *
   * @param {string} encoder
   */
  async follow(encoder) {
    this.ticket += 1;
    const { ticket } = this;
    const address = `/api/map?encoder=${encodeURIComponent(encoder)}`;
    let asked = false;
    /** @param {string} [method] */
    const request = (method) => attempt(() => /** @type {Promise<MapState>} */ (api(address, { method })));
    let state = await request();
    while (state && ticket === this.ticket) {
      if (state.version && state.version !== this.version) {
        this.version = state.version;
        await this.load(state.version);
        if (ticket !== this.ticket) return;
      }
      this.show(state);
      if (state.error || (!state.making && (state.current || asked))) return;
      if (state.making) {
        await new Promise((done) => {
          setTimeout(done, POLL_MILLISECONDS);
        });
        await untilShown();
        state = await request();
      } else {
        state = await request('POST');
      }
      asked = true;
    }
  }

  /** @param {MapState} state */
  show(state) {
    const { title, about } = progressTexts(state, this.version !== null);
    this.root.hidden = !state.making && !state.error;
    this.root.classList.toggle('ps-small', this.version !== null);
    this.title.textContent = title;
    this.about.textContent = about;
    this.bar.hidden = Boolean(state.error);
    this.bar.value = state.share;
  }

  /** Stop polling. */
  stop() {
    this.ticket += 1;
  }
}

/** @returns {Promise<void>} Settled at once in a page that is seen, and in a hidden tab when it is shown. */
function untilShown() {
  return new Promise((done) => {
    if (document.visibilityState !== 'hidden') {
      done();
      return;
    }
    const stop = lookAgain(() => {
      stop();
      done();
    });
  });
}
