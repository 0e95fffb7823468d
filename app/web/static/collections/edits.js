// Edits that the server has not saved yet. This browser keeps them until it has: a reload, a killed page or a server that is
// away loses nothing, and what another tab wrote is never overwritten unseen.

import { api } from '../core/api.js';

const PREFIX = 'prismsearch.unsent.';
const ADOPTING = 'prismsearch.adopt';
const FIRST_WAIT = 2000;
const LONGEST_WAIT = 15000;
const FIELDS = ['name', 'note', 'range'];

/** @typedef {import('../core/types.js').Subclip} Subclip */
/** @typedef {'name' | 'note' | 'range'} Field */
/** @typedef {string | import('../core/types.js').PtsRange} Value A string for name and note. */

/**
 * An edit of one field of one subclip.
 *
 * @typedef {object} Edit
 * @property {number} clip
 * @property {number} collection
 * @property {Field} field
 * @property {any} value A Value.
 * @property {any} base The field's value when the edit began.
 * @property {string} label Name of the subclip, for messages.
 * @property {'typed' | 'sending' | 'waiting' | 'conflict' | 'refused' | 'gone'} state 'waiting': the server is away;
 *   'conflict': another tab wrote `theirs`; 'refused': `message` says why; 'gone': the subclip was taken out.
 * @property {string} message
 * @property {any} theirs
 */

/** Return the value of a field as the server has it. */
function valueOf(clip, field) {
  return field === 'range' ? { start_pts: clip.start_pts, end_pts: clip.end_pts } : (clip[field] ?? '');
}

function same(a, b) {
  return typeof a === 'object' ? a.start_pts === b.start_pts && a.end_pts === b.end_pts : a === b;
}

/** Events: 'change' (an edit began, ended or changed its state), 'saved' (detail: the subclip as the server has it now). */
export class Edits extends EventTarget {
  constructor() {
    super();
    this.tab = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
    /** @type {Map<string, Edit>} */
    this.entries = new Map(); // by 'clip.field'
    /** @type {Map<number, Subclip>} */
    this.known = new Map(); // subclips by id, as the server last sent them
    /** @type {Map<number, Promise<void>>} */
    this.queues = new Map(); // by subclip: one request at a time for each
    this.wait = FIRST_WAIT;
    this.stored = true; // whether the browser could store what was typed
    // A lock that is held while this page lives: by it, other pages see which edits have been left behind.
    navigator.locks
      ?.request(
        PREFIX + this.tab,
        () =>
          new Promise((release) => {
            this.release = release;
          }),
      )
      .catch(() => {});
  }

  close() {
    clearTimeout(this.timer);
    this.closed = true;
    this.release?.();
  }

  /**
   * Return the edit of a field, or null.
   *
   * @param {number} clip
   * @param {string} field
   * @returns {Edit | null}
   */
  of(clip, field) {
    return this.entries.get(`${clip}.${field}`) ?? null;
  }

  get all() {
    return [...this.entries.values()];
  }

  /**
   * Note what was typed, and store it at once; `send` sends it. Typing back the value from before ends the edit.
   *
   * @param {Subclip & {label?: string}} clip
   * @param {Field} field
   * @param {Value} value
   */
  put(clip, field, value) {
    const entry = this.of(clip.id, field);
    const base = entry?.base ?? valueOf(this.known.get(clip.id) ?? clip, field);
    if (same(base, value) && entry?.state !== 'conflict' && entry?.state !== 'sending') {
      if (entry) this.end(entry);
      return;
    }
    /** @type {Edit} */
    const edit = entry ?? {
      clip: clip.id,
      collection: clip.collection,
      field,
      base,
      label: clip.label ?? '',
      state: 'typed',
      message: '',
      theirs: null,
      value,
    };
    edit.value = value;
    if (edit.state === 'refused' || edit.state === 'waiting') edit.state = 'typed';
    this.entries.set(`${clip.id}.${field}`, edit);
    this.store(edit);
    this.changed();
  }

  /** Give up an edit. */
  drop(clip, field) {
    const entry = this.of(clip, field);
    if (entry) this.end(entry);
  }

  /** Send the edits of a subclip. Never throws: an edit that cannot be sent stays, with the reason. */
  send(clip) {
    const before = this.queues.get(clip) ?? Promise.resolve();
    const work = before.then(() => this.deliver(clip)).catch(() => {});
    this.queues.set(clip, work);
    return work;
  }

  sendAll() {
    return Promise.all([...new Set(this.all.map((entry) => entry.clip))].map((clip) => this.send(clip)));
  }

  /**
   * Take over the subclips of a collection as the server has them. Edits of those that were taken out become 'gone'.
   *
   * @param {number} collection
   * @param {Subclip[]} subclips
   */
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

  /** Take over a subclip as the server has it, unless a later revision is known. */
  learn(clip) {
    const before = this.known.get(clip.id);
    if (!before || before.revision <= clip.revision) this.known.set(clip.id, clip);
  }

  /** Resolve a conflict: overwrite what the other tab wrote. (`drop` takes the other tab's.) */
  keepMine(clip, field) {
    const entry = this.of(clip, field);
    if (!entry) return;
    entry.base = valueOf(this.known.get(clip), field);
    entry.state = 'typed';
    entry.theirs = null;
    this.store(entry);
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
          this.end(entry);
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
        const saved = await api(`/api/subclips/${clip}`, {
          method: 'PATCH',
          body: { revision: known.revision, ...body },
        });
        this.wait = FIRST_WAIT;
        this.saved(saved, sent);
        return;
      } catch (error) {
        if (error.status === 409 && error.body?.current) {
          this.learn(error.body.current);
          for (const [entry] of sent) entry.state = 'typed';
          continue; // fields are compared one by one: only one that both changed is a conflict
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
        this.end(entry);
      } else {
        // more was typed meanwhile
        entry.base = value;
        entry.state = 'typed';
        this.store(entry);
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

  /** Take over the edits in this browser's storage whose page no longer lives, and send them. */
  async adopt() {
    if (!navigator.locks) return;
    await navigator.locks.request(ADOPTING, async () => {
      const alive = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
      for (const key of Object.keys(localStorage)) {
        if (!key.startsWith(PREFIX)) continue;
        const tab = key.slice(PREFIX.length).split('.')[0];
        if (tab === this.tab || alive.has(PREFIX + tab)) continue;
        const entry = read(key);
        if (entry && this.of(entry.clip, entry.field)) continue; // the page's own edit comes first; the other waits
        localStorage.removeItem(key);
        if (!entry) continue;
        entry.state = 'typed';
        this.entries.set(`${entry.clip}.${entry.field}`, entry);
        this.store(entry);
      }
    });
    for (const collection of new Set(
      this.all.filter((entry) => !this.known.has(entry.clip)).map((entry) => entry.collection),
    )) {
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

  store(entry) {
    const { clip, collection, field, value, base, label } = entry;
    try {
      localStorage.setItem(
        `${PREFIX}${this.tab}.${clip}.${field}`,
        JSON.stringify({ clip, collection, field, value, base, label }),
      );
      this.stored = true;
    } catch {
      this.stored = false; // storage is full or switched off: the page says so
    }
  }

  /** End an edit and remove it from storage. */
  end(entry) {
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
    const good =
      entry &&
      Number.isInteger(entry.clip) &&
      Number.isInteger(entry.collection) &&
      FIELDS.includes(entry.field) &&
      typeof entry.value === (entry.field === 'range' ? 'object' : 'string') &&
      entry.value !== null;
    return good ? { message: '', theirs: null, ...entry } : null;
  } catch {
    return null;
  }
}
