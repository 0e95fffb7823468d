// What a person has typed or trimmed and the server has not got yet. Kept in this browser until it has: a reload, a
// killed page or a server that is away loses nothing, and another tab's words are never written over unseen.

import { api } from '../core/api.js';

const PREFIX = 'prismsearch.unsent.';
const ADOPTING = 'prismsearch.adopt';
const FIRST_WAIT = 2000;
const LONGEST_WAIT = 15000;
export const FIELDS = ['name', 'note', 'range'];

/** The value of a field in a subclip as the server gives it; `range` is {start_pts, end_pts}. */
export function valueOf(clip, field) {
  return field === 'range' ? { start_pts: clip.start_pts, end_pts: clip.end_pts } : clip[field] ?? '';
}

export function same(a, b) {
  return typeof a === 'object' ? a.start_pts === b.start_pts && a.end_pts === b.end_pts : a === b;
}

/**
 * Events: 'change' (an entry came, went or changed its state), 'saved' (detail: the subclip as the server has it now).
 *
 * An entry is {clip, collection, field, value, base, label, state, message, theirs}: `base` is what the field held when
 * the edit began; state is typed, sending, waiting (the server is away), conflict (`theirs` is what another tab wrote),
 * refused (the server says why) or gone (the subclip was taken out).
 */
export class Edits extends EventTarget {
  constructor() {
    super();
    this.tab = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
    this.entries = new Map(); // 'clip.field' -> entry
    this.known = new Map(); // id -> the subclip as the server last gave it
    this.queues = new Map(); // id -> the request under way: one at a time for each subclip
    this.wait = FIRST_WAIT;
    this.kept = true; // whether the browser could keep what was typed
    // A lock that is held as long as this page lives: others see by it whose entries have been left behind.
    navigator.locks?.request(PREFIX + this.tab, () => new Promise((release) => { this.release = release; })).catch(() => {});
  }

  close() {
    clearTimeout(this.timer);
    this.closed = true;
    this.release?.();
  }

  of(clip, field) {
    return this.entries.get(`${clip}.${field}`) ?? null;
  }

  get all() {
    return [...this.entries.values()];
  }

  /** Somebody typed. Kept at once, sent by `send`. Back to what it was: the entry goes. */
  put(clip, field, value) {
    const entry = this.of(clip.id, field);
    const base = entry?.base ?? valueOf(this.known.get(clip.id) ?? clip, field);
    if (same(base, value) && entry?.state !== 'conflict' && entry?.state !== 'sending') {
      if (entry) this.settle(entry);
      return;
    }
    const made = entry ?? { clip: clip.id, collection: clip.collection, field, base, label: clip.label ?? '', state: 'typed', message: '', theirs: null };
    made.value = value;
    if (made.state === 'refused' || made.state === 'waiting') made.state = 'typed';
    this.entries.set(`${clip.id}.${field}`, made);
    this.keep(made);
    this.changed();
  }

  drop(clip, field) {
    const entry = this.of(clip, field);
    if (entry) this.settle(entry);
  }

  /** Send what is typed for a subclip. Never throws; what cannot be sent stays, and says why. */
  send(clip) {
    const before = this.queues.get(clip) ?? Promise.resolve();
    const work = before.then(() => this.deliver(clip)).catch(() => {});
    this.queues.set(clip, work);
    return work;
  }

  sendAll() {
    return Promise.all([...new Set(this.all.map((entry) => entry.clip))].map((clip) => this.send(clip)));
  }

  /** The subclips of a collection as they are now: those that another tab took out are noticed here. */
  learnAll(collection, subclips) {
    const there = new Set();
    for (const clip of subclips) {
      there.add(clip.id);
      this.learn(clip);
    }
    let changed = false;
    for (const entry of this.all) {
      if (entry.collection !== collection || there.has(entry.clip) === (entry.state !== 'gone')) continue;
      entry.state = entry.state === 'gone' ? 'typed' : 'gone';
      changed = true;
      if (entry.state === 'typed') this.send(entry.clip);
    }
    if (changed) this.changed();
  }

  learn(clip) {
    const before = this.known.get(clip.id);
    if (!before || before.revision <= clip.revision) this.known.set(clip.id, clip);
  }

  /** Settle a conflict: write over what the other tab wrote, or give up one's own. */
  keepMine(clip, field) {
    const entry = this.of(clip, field);
    if (!entry) return;
    entry.base = valueOf(this.known.get(clip), field);
    entry.state = 'typed';
    entry.theirs = null;
    this.keep(entry);
    this.changed();
    this.send(clip);
  }

  async deliver(clip) {
    for (let round = 0; round < 6; round += 1) {
      const body = {};
      const known = this.known.get(clip);
      const sent = [];
      for (const field of FIELDS) {
        const entry = this.of(clip, field);
        if (!entry || !known || ['conflict', 'refused', 'gone'].includes(entry.state)) continue;
        const current = valueOf(known, field);
        if (same(current, entry.value)) {
          this.settle(entry);
        } else if (!same(current, entry.base)) {
          entry.state = 'conflict';
          entry.theirs = current;
        } else {
          Object.assign(body, field === 'range' ? entry.value : { [field]: entry.value });
          sent.push([entry, entry.value]);
          entry.state = 'sending';
        }
      }
      this.changed();
      if (!sent.length) return;
      try {
        const saved = await api(`/api/subclips/${clip}`, { method: 'PATCH', body: { revision: known.revision, ...body } });
        this.wait = FIRST_WAIT;
        this.saved(saved, sent);
        return;
      } catch (error) {
        if (error.status === 409 && error.body?.current) {
          this.learn(error.body.current);
          for (const [entry] of sent) entry.state = 'typed';
          continue; // compared field by field: only what both changed is a conflict
        }
        this.failed(error, sent);
        return;
      }
    }
  }

  saved(clip, sent) {
    this.learn(clip);
    for (const [entry, value] of sent) {
      if (same(entry.value, value)) {
        this.settle(entry);
      } else { // more was typed meanwhile
        entry.base = value;
        entry.state = 'typed';
        this.keep(entry);
      }
    }
    this.dispatchEvent(new CustomEvent('saved', { detail: clip }));
    this.changed();
  }

  failed(error, sent) {
    const away = error.status === 0 || error.status >= 500;
    for (const [entry] of sent) {
      entry.state = away ? 'waiting' : error.status === 404 ? 'gone' : 'refused';
      entry.message = error.message;
    }
    if (away) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.sendAll(), this.wait);
      this.wait = Math.min(LONGEST_WAIT, this.wait * 1.6);
    }
    this.changed();
  }

  /** Take over what pages that are gone have left: the entries of this browser whose page no longer lives. */
  async adopt() {
    if (!navigator.locks) return;
    await navigator.locks.request(ADOPTING, async () => {
      const alive = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
      for (const key of Object.keys(localStorage)) {
        if (!key.startsWith(PREFIX)) continue;
        const tab = key.slice(PREFIX.length).split('.')[0];
        if (tab === this.tab || alive.has(PREFIX + tab)) continue;
        const entry = read(key);
        if (entry && this.of(entry.clip, entry.field)) continue; // one's own first; the other waits
        localStorage.removeItem(key);
        if (!entry) continue;
        entry.state = 'typed';
        this.entries.set(`${entry.clip}.${entry.field}`, entry);
        this.keep(entry);
      }
    });
    for (const collection of new Set(this.all.filter((entry) => !this.known.has(entry.clip)).map((entry) => entry.collection))) {
      try {
        this.learnAll(collection, (await api(`/api/collections/${collection}`)).subclips);
      } catch (error) {
        if (error.status !== 404) continue;
        for (const entry of this.all) if (entry.collection === collection) entry.state = 'gone';
      }
    }
    if (this.all.length) {
      this.changed();
      await this.sendAll();
    }
  }

  keep(entry) {
    const { clip, collection, field, value, base, label } = entry;
    try {
      localStorage.setItem(`${PREFIX}${this.tab}.${clip}.${field}`, JSON.stringify({ clip, collection, field, value, base, label }));
      this.kept = true;
    } catch {
      this.kept = false; // the browser's store is full or refused: said in the page
    }
  }

  settle(entry) {
    this.entries.delete(`${entry.clip}.${entry.field}`);
    localStorage.removeItem(`${PREFIX}${this.tab}.${entry.clip}.${entry.field}`);
    this.changed();
  }

  changed() {
    if (!this.closed) this.dispatchEvent(new Event('change'));
  }
}

function read(key) {
  try {
    const entry = JSON.parse(localStorage.getItem(key));
    const good = entry && Number.isInteger(entry.clip) && Number.isInteger(entry.collection) && FIELDS.includes(entry.field)
      && typeof entry.value === (entry.field === 'range' ? 'object' : 'string') && entry.value !== null;
    return good ? { message: '', theirs: null, ...entry } : null;
  } catch {
    return null;
  }
}
