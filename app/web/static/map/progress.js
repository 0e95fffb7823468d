// Progress of making the map: requests it where it is missing or out of date, polls the server, and shows how far it is.

import { api } from '../core/api.js';
import { element } from '../core/dom.js';
import { attempt } from '../core/toast.js';

const POLL_MILLISECONDS = 500;

/** A panel over the map while it is being made. */
export class MapProgress {
  /** @param {(version: string) => Promise<void>} load Called, and waited for, when there is a new version of the map. */
  constructor(load) {
    this.load = load;
    this.ticket = 0;
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
    let state = await attempt(() => api(address));
    while (state && ticket === this.ticket) {
      if (state.version && state.version !== this.version) {
        this.version = state.version;
        await this.load(state.version);
      }
      this.show(state);
      if (state.error || (!state.making && (state.current || asked))) return;
      if (state.making) {
        await new Promise((done) => {
          setTimeout(done, POLL_MILLISECONDS);
        });
        state = await attempt(() => api(address));
      } else {
        state = await attempt(() => api(address, { method: 'POST' }));
      }
      asked = true;
    }
  }

  show(state) {
    this.root.hidden = !state.making && !state.error;
    this.root.classList.toggle('ps-small', Boolean(this.version));
    this.title.textContent = state.error
      ? 'The map cannot be made now'
      : this.version
        ? 'Updating the map'
        : 'Making the map of your library';
    this.about.textContent = state.error ?? `${state.text} … ${Math.round(100 * state.share)} %`;
    this.bar.hidden = Boolean(state.error);
    this.bar.value = state.share;
  }

  /** Stop polling. */
  stop() {
    this.ticket += 1;
  }
}
