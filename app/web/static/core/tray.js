// The tray: the collection that the page adds to. One instance a page, shared by every view that shows or changes it.

import { api, messageOf } from './api.js';
import { lookAgain } from './look_again.js';
import { loadStored, saveStored } from './storage.js';
import { attempt, toast } from './toast.js';

/** @typedef {import('./types.js').CollectionRow} CollectionRow */
/** @typedef {import('./types.js').Collection} Collection */
/** @typedef {import('./types.js').Subclip} Subclip */
/** @typedef {import('./types.js').NewSubclip} NewSubclip */

const KEPT_ID = 'prismsearch.tray';

/** Events: 'change' (another collection, or other subclips) and 'trouble' (a request failed; see `failed`). */
export class Tray extends EventTarget {
  constructor() {
    super();
    /** @type {CollectionRow[]} */
    this.collections = [];
    /** @type {Collection | null} */
    this.current = null;
    /** @type {string | null} */
    this.failed = null; // the sentence of the last request, where it failed
    this.watchers = 0;
    this.wanted = 0; // the collection that was chosen in this browser
    this.asked = 0; // refreshes begun
    this.oldest = 0; // the earliest refresh whose answer still counts
    /** @type {string | null} */
    this.listing = null;
    /** @type {(() => void) | undefined} */
    this.stopLooking = undefined;
  }

  /**
   * Load the tray, and look again for changes of others while any view watches it.
   *
   * @returns {() => void} Stops watching.
   */
  watch() {
    this.watchers += 1;
    if (this.watchers === 1) {
      void this.refresh();
      this.stopLooking = lookAgain(() => void this.refresh());
    }
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      this.watchers -= 1;
      if (this.watchers === 0) this.stopLooking?.();
    };
  }

  /**
   * Return whether the tray has a subclip of a segment.
   *
   * @param {number} segment
   * @returns {boolean}
   */
  has(segment) {
    return this.current?.subclips.some((clip) => clip.segment === segment) ?? false;
  }

  /** Bring the tray up to date with the server. Never throws; see `failed`. */
  async refresh() {
    this.asked += 1;
    const turn = this.asked;
    try {
      /** @type {{collections: CollectionRow[], tray: number}} */
      const listed = await api('/api/collections');
      const kept = loadStored(KEPT_ID, this.wanted);
      const id = listed.collections.some((each) => each.id === kept) ? kept : listed.tray;
      const revision = listed.collections.find((each) => each.id === id)?.revision;
      const same = this.current?.id === id && this.current.revision === revision;
      const listing = JSON.stringify(listed.collections);
      /** @type {Collection | null} */
      const current = same ? this.current : await api(`/api/collections/${id}`);
      if (turn < this.oldest) return; // another collection was chosen meanwhile, or a later answer came first
      this.oldest = turn;
      if (same && listing === this.listing && !this.failed) return;
      this.failed = null;
      this.listing = listing;
      this.collections = listed.collections;
      this.current = current;
      this.dispatchEvent(new Event('change'));
    } catch (error) {
      const sentence = messageOf(error);
      if (turn < this.oldest || this.failed === sentence) return;
      this.failed = sentence;
      this.dispatchEvent(new Event('trouble'));
    }
  }

  /**
   * Make another collection the tray, in this browser.
   *
   * @param {number} id
   */
  async choose(id) {
    this.wanted = id;
    saveStored(KEPT_ID, id);
    this.oldest = this.asked + 1;
    this.current = null;
    await this.refresh();
  }

  /**
   * Create a collection and make it the tray.
   *
   * @param {string} name
   * @returns {Promise<CollectionRow>}
   * @throws {import('./api.js').ApiError} The server refused the name.
   */
  async create(name) {
    /** @type {CollectionRow} */
    const created = await api('/api/collections', { method: 'POST', body: { name } });
    await this.choose(created.id);
    return created;
  }

  /**
   * Add subclips to the tray, and show a message with an undo. Never throws.
   *
   * @param {NewSubclip[]} items
   * @returns {Promise<Subclip[]>} The subclips of these items, new or there already; empty where the request failed.
   */
  async add(items) {
    if (!this.current) await this.refresh();
    const collection = this.current;
    if (!collection || !items.length) return [];
    /** @type {{subclips: Subclip[]} | undefined} */
    const answer = await attempt(() =>
      api(`/api/collections/${collection.id}/subclips`, { method: 'POST', body: { items } }),
    );
    if (!answer) return [];
    const before = new Set(collection.subclips.map((clip) => clip.id));
    const fresh = answer.subclips.filter((clip) => !before.has(clip.id)).map((clip) => clip.id);
    await this.refresh();
    if (fresh.length === 0) {
      toast(`Already in “${collection.name}”`);
    } else {
      toast(`${fresh.length === 1 ? 'Added' : `${fresh.length} added`} to “${collection.name}”`, {
        action: { label: 'Undo', run: () => this.takeOut(fresh, { quiet: true }) },
      });
    }
    return answer.subclips;
  }

  /**
   * Take subclips out of the tray, and show a message with an undo. Never throws.
   *
   * @param {number[]} ids
   * @param {object} [options]
   * @param {boolean} [options.quiet] Show no message.
   */
  async takeOut(ids, { quiet = false } = {}) {
    const collection = this.current;
    if (!collection) return;
    const answer = await attempt(() =>
      api(`/api/collections/${collection.id}/subclips`, { method: 'DELETE', body: { ids } }),
    );
    await this.refresh();
    if (answer && !quiet) {
      toast(`${ids.length === 1 ? 'Removed' : `${ids.length} removed`} from “${collection.name}”`, {
        action: {
          label: 'Undo',
          run: async () => {
            await attempt(() => api(`/api/collections/${collection.id}/put-back`, { method: 'POST', body: { ids } }));
            await this.refresh();
          },
        },
      });
    }
  }
}

/** The tray of this page. */
export const tray = new Tray();
