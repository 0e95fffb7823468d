// The tray: the collection in hand. One instance a page, shared by every view that shows or changes it.

import { api } from './api.js';
import { attempt, toast } from './toast.js';

/** @typedef {import('./types.js').CollectionRow} CollectionRow */
/** @typedef {import('./types.js').Collection} Collection */
/** @typedef {import('./types.js').Subclip} Subclip */
/** @typedef {import('./types.js').NewSubclip} NewSubclip */

const KEPT_ID = 'prismsearch.tray';
const POLL_MILLISECONDS = 2000;

class Tray extends EventTarget {
  constructor() {
    super();
    this.collections = [];
    this.current = null; // {id, name, revision, subclips}
    this.watchers = 0;
    this.timer = null;
  }

  /** Load once, then look for changes of other tabs while a view that shows the tray is there. Gives how to stop. */
  watch() {
    this.watchers += 1;
    if (this.watchers === 1) {
      this.refresh();
      this.timer = setInterval(() => document.visibilityState === 'visible' && this.refresh(), POLL_MILLISECONDS);
      this.onVisible = () => document.visibilityState === 'visible' && this.refresh();
      document.addEventListener('visibilitychange', this.onVisible);
    }
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      this.watchers -= 1;
      if (this.watchers === 0) {
        clearInterval(this.timer);
        document.removeEventListener('visibilitychange', this.onVisible);
      }
    };
  }

  has(segment) {
    return this.current?.subclips.some((clip) => clip.segment === segment) ?? false;
  }

  async refresh() {
    try {
      const listed = await api('/api/collections');
      const kept = Number(localStorage.getItem(KEPT_ID));
      const id = listed.collections.some((each) => each.id === kept) ? kept : listed.tray;
      const revision = listed.collections.find((each) => each.id === id)?.revision;
      const same = this.current?.id === id && this.current.revision === revision;
      const listing = JSON.stringify(listed.collections);
      const current = same ? this.current : await api(`/api/collections/${id}`);
      if (same && listing === this.listing && !this.failed) return;
      this.failed = null;
      this.listing = listing;
      this.collections = listed.collections;
      this.current = current;
      this.dispatchEvent(new Event('change'));
    } catch (error) {
      if (this.failed !== error.message) {
        this.failed = error.message;
        this.dispatchEvent(new CustomEvent('trouble', { detail: error.message }));
      }
    }
  }

  async choose(id) {
    localStorage.setItem(KEPT_ID, String(id));
    this.current = null;
    await this.refresh();
  }

  async create(name) {
    const made = await api('/api/collections', { method: 'POST', body: { name } });
    await this.choose(made.id);
    return made;
  }

  /** items: [{segment, start_pts?, end_pts?, score?}]; says what happened, with a way back. */
  async add(items) {
    if (!this.current) await this.refresh();
    const collection = this.current;
    if (!collection || !items.length) return [];
    const answer = await attempt(() =>
      api(`/api/collections/${collection.id}/subclips`, { method: 'POST', body: { items } }));
    if (!answer) return [];
    const before = new Set(collection.subclips.map((clip) => clip.id));
    const fresh = answer.subclips.filter((clip) => !before.has(clip.id)).map((clip) => clip.id);
    await this.refresh();
    if (fresh.length === 0) {
      toast(items.length === 1 ? `It is in “${collection.name}” already` : `They are in “${collection.name}” already`);
    } else {
      toast(`${fresh.length === 1 ? 'Added' : `${fresh.length} added`} to “${collection.name}”`, {
        action: { label: 'Undo', run: () => this.takeOut(fresh, { quiet: true }) },
      });
    }
    return answer.subclips;
  }

  async takeOut(ids, { quiet = false } = {}) {
    const collection = this.current;
    if (!collection) return;
    await attempt(() => api(`/api/collections/${collection.id}/subclips`, { method: 'DELETE', body: { ids } }));
    await this.refresh();
    if (!quiet) {
      toast(`${ids.length === 1 ? 'Taken' : `${ids.length} taken`} out of “${collection.name}”`, {
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

export const tray = new Tray();
