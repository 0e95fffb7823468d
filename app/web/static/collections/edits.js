// Edits that the server has not saved yet. This browser keeps them until it has: neither a reload nor a server
// that does not answer loses anything, and what another tab wrote is never overwritten unseen.

import { ApiError, api, messageOf } from '../core/api.js';
import { changeOf, compare, FIELDS, fieldValue, readEdit, sameValue, writeEdit } from './edit.js';

const PREFIX = 'prismsearch.unsent.';
const ADOPTING = 'prismsearch.adopt';
const FIRST_WAIT_MILLISECONDS = 2000;
const LONGEST_WAIT_MILLISECONDS = 15000;
const MOST_ROUNDS = 6;

/** @typedef {import('../core/types.js').Subclip} Subclip */
/** @typedef {import('./edit.js').Values} Values */
/** @typedef {import('./edit.js').Field} Field */
/**
 * @template {Field} [F=Field]
 * @typedef {import('./edit.js').Edit<F>} Edit
 */
/**
 * An edit, and the value that a request holds.
 *
 * @typedef {object} Sent
 * @property {Edit} edit
 * @property {Values[Field]} value
 * @property {boolean} again Whether an earlier request with this value was never answered.
 */

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
    this.wait = FIRST_WAIT_MILLISECONDS;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.closed = false;
    this.stored = true; // whether the browser could store what was typed
    // A lock that is held while this page lives: by it, other pages see which edits have been left behind.
    this.release = () => {};
    const life = new Promise((release) => {
      this.release = () => release(undefined);
    });
    navigator.locks?.request(PREFIX + this.tab, () => life).catch(() => {});
  }

  close() {
    clearTimeout(this.timer);
    this.closed = true;
    this.release();
  }

  /**
   * Return the edit of a field, or null.
   *
   * @template {Field} F
   * @param {number} clip
   * @param {F} field
   * @returns {Edit<F> | null}
   */
  of(clip, field) {
    const edit = this.entries.get(`${clip}.${field}`) ?? null;
    return /** @type {Edit<F> | null} */ (edit); // entries are kept under their own field
  }

  get all() {
    return [...this.entries.values()];
  }

  /**
   * Note what was typed, and store it at once; `send` sends it. Typing back the value from before ends the edit.
   *
   * @template {Field} F
   * @param {Subclip & {label?: string}} clip
   * @param {F} field
   * @param {Values[F]} value
   */
  put(clip, field, value) {
    const entry = this.of(clip.id, field);
    const current = fieldValue(this.known.get(clip.id) ?? clip, field);
    const base = entry?.base ?? current;
    // What another tab wrote ends a conflict; what the server may have got by now is only replaced by sending this.
    const before = entry?.state === 'conflict' ? current : base;
    if (sameValue(before, value) && !entry?.unanswered.length) {
      if (entry) this.end(entry);
      return;
    }
    /** @type {Edit<F>} */
    const edit = entry ?? {
      clip: clip.id,
      collection: clip.collection,
      field,
      value,
      base,
      unanswered: [],
      label: clip.label ?? '',
      state: 'typed',
      message: '',
      theirs: null,
    };
    edit.value = value;
    if (edit.state === 'refused' || edit.state === 'waiting') edit.state = 'typed';
    this.entries.set(`${clip.id}.${field}`, edit);
    this.store(edit);
    this.changed();
  }

  /**
   * Give up an edit.
   *
   * @param {number} clip
   * @param {Field} field
   */
  drop(clip, field) {
    const entry = this.of(clip, field);
    if (entry) this.end(entry);
  }

  /**
   * Send the edits of a subclip. Never throws: an edit that cannot be sent stays, with the reason.
   *
   * @param {number} clip
   * @returns {Promise<void>}
   */
  send(clip) {
    const before = this.queues.get(clip) ?? Promise.resolve();
    const work = before.then(() => this.deliver(clip, FIELDS)).catch(() => {});
    this.queues.set(clip, work);
    return work;
  }

  /** Send all edits. Never throws, as `send`. */
  async sendAll() {
    await Promise.all([...new Set(this.all.map((entry) => entry.clip))].map((clip) => this.send(clip)));
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
      if (entry.state === 'typed') void this.send(entry.clip);
    }
    if (changed) this.changed();
  }

  /**
   * Take over a subclip as the server has it, unless a later revision is known.
   *
   * @param {Subclip} clip
   */
  learn(clip) {
    const before = this.known.get(clip.id);
    if (!before || before.revision <= clip.revision) this.known.set(clip.id, clip);
  }

  /**
   * Resolve a conflict: overwrite what the other tab wrote. (`drop` takes the other tab's.)
   *
   * @param {number} clip
   * @param {Field} field
   */
  keepMine(clip, field) {
    const entry = this.of(clip, field);
    const known = this.known.get(clip);
    if (!entry || !known) return;
    entry.base = fieldValue(known, field);
    entry.state = 'typed';
    entry.theirs = null;
    this.store(entry);
    this.changed();
    void this.send(clip);
  }

  /**
   * Send the edits of some fields of a subclip, in one request.
   *
   * @param {number} clip
   * @param {readonly Field[]} fields
   * @returns {Promise<void>}
   */
  async deliver(clip, fields) {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const known = this.known.get(clip);
      const sent = known ? this.ready(known, fields) : [];
      this.changed();
      if (!known || !sent.length) return;
      const body = Object.assign({ revision: known.revision }, ...sent.map(({ edit }) => changeOf(edit)));
      try {
        /** @type {Subclip} */
        const saved = await api(`/api/subclips/${clip}`, { method: 'PATCH', body });
        this.wait = FIRST_WAIT_MILLISECONDS;
        this.saved(saved, sent);
        return;
      } catch (error) {
        const current = error instanceof ApiError && error.status === 409 ? error.body?.current : null;
        if (!current) {
          await this.failed(error, sent);
          return;
        }
        this.learn(current);
        for (const each of sent) this.answered(each, 'typed');
        // Again: fields are compared one by one, and only one that both changed is a conflict.
      }
    }
  }

  /**
   * Compare the edits of a subclip with what the server has, and return those that can be sent.
   *
   * @param {Subclip} known
   * @param {readonly Field[]} fields
   * @returns {Sent[]}
   */
  ready(known, fields) {
    /** @type {Sent[]} */
    const sent = [];
    for (const field of fields) {
      const edit = this.of(known.id, field);
      if (!edit || ['conflict', 'refused', 'gone'].includes(edit.state)) continue;
      const meeting = compare(edit, known);
      if (meeting === 'saved') {
        this.end(edit);
      } else if (meeting === 'conflict') {
        edit.state = 'conflict';
        edit.theirs = fieldValue(known, field);
      } else {
        const { value } = edit;
        const again = edit.unanswered.some((each) => sameValue(each, value));
        edit.state = 'sending';
        if (!again) edit.unanswered.push(value);
        this.store(edit);
        sent.push({ edit, value, again });
      }
    }
    return sent;
  }

  /**
   * Note that the server has refused a value, so that it has not got it by this request.
   *
   * @param {Sent} sent
   * @param {Edit['state']} state
   */
  answered({ edit, value, again }, state) {
    edit.state = state;
    if (!again) edit.unanswered = edit.unanswered.filter((each) => !sameValue(each, value));
    if (this.isOpen(edit)) this.store(edit);
  }

  /**
   * Take over a subclip that the server has saved.
   *
   * @param {Subclip} clip
   * @param {Sent[]} sent
   */
  saved(clip, sent) {
    this.learn(clip);
    for (const { edit, value } of sent) {
      if (!this.isOpen(edit)) continue; // given up meanwhile
      if (sameValue(edit.value, value)) {
        this.end(edit);
      } else {
        // more was typed meanwhile
        edit.base = value;
        edit.unanswered = [];
        edit.state = 'typed';
        this.store(edit);
      }
    }
    this.dispatchEvent(new CustomEvent('saved', { detail: clip }));
    this.changed();
  }

  /**
   * Keep edits that could not be sent, with the reason. A server that is away is asked again.
   *
   * @param {unknown} error
   * @param {Sent[]} sent
   */
  async failed(error, sent) {
    const status = error instanceof ApiError ? error.status : null;
    const message = messageOf(error);
    const away = status !== null && (status === 0 || status >= 500);
    if (!away && status !== 404 && sent.length > 1) {
      // One of the fields is at fault; the others can be saved.
      for (const each of sent) this.answered(each, 'typed');
      for (const { edit } of sent) await this.deliver(edit.clip, [edit.field]);
      return;
    }
    for (const each of sent) {
      each.edit.message = message;
      if (away) each.edit.state = 'waiting';
      else this.answered(each, status === 404 ? 'gone' : 'refused');
    }
    if (away && !this.closed) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.sendAll(), this.wait);
      this.wait = Math.min(LONGEST_WAIT_MILLISECONDS, this.wait * 1.6);
    }
    this.changed();
  }

  /** Take over the edits in this browser's storage whose page no longer lives, and send them. Never throws. */
  async adopt() {
    await navigator.locks?.request(ADOPTING, () => this.takeLeftBehind()).catch(() => {}); // storage may be switched off
    const unknown = this.all.filter((entry) => !this.known.has(entry.clip)).map((entry) => entry.collection);
    for (const collection of new Set(unknown)) {
      try {
        /** @type {import('../core/types.js').Collection} */
        const { subclips } = await api(`/api/collections/${collection}`);
        this.learnAll(collection, subclips);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) continue;
        for (const entry of this.all) if (entry.collection === collection) entry.state = 'gone';
      }
    }
    if (this.all.length) {
      this.changed();
      await this.sendAll();
    }
  }

  async takeLeftBehind() {
    const { held = [] } = await navigator.locks.query();
    const alive = new Set(held.map((lock) => lock.name));
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const tab = key.slice(PREFIX.length).split('.')[0];
      if (tab === this.tab || alive.has(PREFIX + tab)) continue;
      const entry = readEdit(localStorage.getItem(key) ?? '');
      if (entry && this.of(entry.clip, entry.field)) continue; // the page's own edit comes first; the other waits
      localStorage.removeItem(key);
      if (!entry) continue;
      this.entries.set(`${entry.clip}.${entry.field}`, entry);
      this.store(entry);
    }
  }

  /** @param {Edit} entry */
  isOpen(entry) {
    return this.of(entry.clip, entry.field) === entry;
  }

  /** @param {Edit} entry */
  store(entry) {
    try {
      localStorage.setItem(this.storageKey(entry), writeEdit(entry));
      this.stored = true;
    } catch {
      this.stored = false; // storage is full or switched off: the page says so
    }
  }

  /**
   * End an edit and remove it from storage.
   *
   * @param {Edit} entry
   */
  end(entry) {
    this.entries.delete(`${entry.clip}.${entry.field}`);
    try {
      localStorage.removeItem(this.storageKey(entry));
    } catch {
      // Storage is switched off: nothing was stored.
    }
    this.changed();
  }

  /** @param {Edit} entry */
  storageKey(entry) {
    return `${PREFIX}${this.tab}.${entry.clip}.${entry.field}`;
  }

  changed() {
    if (!this.closed) this.dispatchEvent(new Event('change'));
  }
}
