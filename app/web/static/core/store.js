// What all views share: requests, elements, messages, and the tray. One instance a page, as modules are.

const JSON_TYPE = 'application/json';

/** A request that failed: `message` is a sentence for a person, `status` the HTTP status, `body` what came with it. */
export class ApiError extends Error {
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/** A JSON request to our own server. Gives the parsed answer; throws ApiError with a sentence. */
export async function api(path, { method = 'GET', body, signal } = {}) {
  const headers = { 'X-Prismsearch': '1' };
  if (body !== undefined) headers['Content-Type'] = JSON_TYPE;
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('prismsearch does not answer; is it still running in its terminal?', 0, null);
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null;
  }
  if (!response.ok) throw new ApiError(answer?.error ?? (text.slice(0, 300) || response.statusText), response.status, answer);
  return answer;
}

/** An element with properties (`class`, `text`, `data-*`, `aria-*`, `onclick` ...) and children; text is only ever text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') made.className = value;
    else if (name === 'text') made.textContent = value;
    else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name in made && !name.includes('-') && typeof value !== 'string') made[name] = value;
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Our style sheet, once a document. Gives a promise that is kept when it is there (or cannot be had). */
export function useStyles() {
  const href = new URL('../page.css', import.meta.url).href;
  styles ??= new Promise((done) => {
    const link = element('link', { rel: 'stylesheet', href });
    link.addEventListener('load', done, { once: true });
    link.addEventListener('error', done, { once: true });
    document.head.append(link);
  });
  return styles;
}
let styles = null;

// Messages

let shelf = null;

/** The element that overlays are put into: inside a view, so that the colours of the theme reach them. */
let home = document.body;
export function overlayHome() {
  return home.isConnected ? home : document.body;
}
export function setOverlayHome(parent) {
  home = parent;
  parent.style.visibility = 'hidden'; // for the moment in which it would stand there without its styles
  useStyles().then(() => { parent.style.visibility = ''; });
}

/** A short message at the lower edge; kind 'error' stays longer. `action`: {label, run} puts a button beside it. */
export function toast(text, { kind = 'info', action = null, seconds = kind === 'error' ? 12 : 4 } = {}) {
  if (!shelf?.isConnected) {
    shelf = element('div', { class: 'ps-toasts', role: 'status', 'aria-live': 'polite', popover: 'manual' });
    overlayHome().append(shelf);
  }
  if (kind === 'info') for (const other of shelf.querySelectorAll('.ps-toast.ps-info')) other.remove(); // the last one counts
  // A popover is above modal dialogs only if it was opened after them.
  if (shelf.matches(':popover-open')) shelf.hidePopover();
  shelf.showPopover();
  const note = element('div', { class: `ps-toast ps-${kind}` }, element('span', { text }));
  const close = () => {
    note.remove();
    if (!shelf.childElementCount && shelf.matches(':popover-open')) shelf.hidePopover();
  };
  if (action) {
    note.append(element('button', { class: 'ps-link', text: action.label, onclick: () => { close(); action.run(); } }));
  }
  note.append(element('button', { class: 'ps-icon', 'aria-label': 'Close message', text: '×', onclick: close }));
  shelf.append(note);
  setTimeout(close, seconds * 1000);
}

/** Run what may fail; says the sentence of the error. Gives undefined then. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (error.name !== 'AbortError') toast(error.message, { kind: 'error' });
    return undefined;
  }
}

// Times

/** hh:mm:ss.mmm */
export function clock(seconds) {
  const whole = Math.round(Math.max(0, seconds) * 1000);
  const pad = (number, width = 2) => String(number).padStart(width, '0');
  return `${pad(Math.floor(whole / 3600000))}:${pad(Math.floor(whole / 60000) % 60)}:${pad(Math.floor(whole / 1000) % 60)}.${pad(whole % 1000, 3)}`;
}

/** For a glance: 3.2 s, 1:05, 1:02:05 */
export function length(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const rest = String(whole % 60).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}:${rest}`;
  return `${Math.floor(whole / 3600)}:${String(Math.floor(whole / 60) % 60).padStart(2, '0')}:${rest}`;
}

/**
 * SMPTE time code of a frame counted from the first one shown. `start` is the file's own start code or ''; a `;` before
 * its frames means drop-frame, which leaves out numbers 0 and 1 (of 30) each minute but the tenth ones.
 */
export function smpte(frame, rate, start = '') {
  const whole = Math.max(1, Math.round(rate));
  const drop = start.includes(';') && whole % 30 === 0;
  let total = frame + (start ? framesOf(start, whole, drop) : 0);
  if (drop) {
    const skipped = (whole / 30) * 2;
    const tenMinutes = whole * 600 - skipped * 9;
    const minute = whole * 60 - skipped;
    total %= tenMinutes * 144;
    const tens = Math.floor(total / tenMinutes);
    const rest = total % tenMinutes;
    total += skipped * 9 * tens + (rest >= whole * 60 ? skipped * (Math.floor((rest - whole * 60) / minute) + 1) : 0);
  } else {
    total %= whole * 86400;
  }
  const pad = (number) => String(number).padStart(2, '0');
  const seconds = Math.floor(total / whole);
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${drop ? ';' : ':'}${pad(total % whole)}`;
}

function framesOf(code, whole, drop) {
  const [hours, minutes, seconds, frames] = code.split(/[:;.]/).map(Number);
  const all = ((hours * 60 + minutes) * 60 + seconds) * whole + frames;
  if (!drop) return all;
  const gone = hours * 60 + minutes;
  return all - (whole / 30) * 2 * (gone - Math.floor(gone / 10));
}

// The tray: the collection in hand

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
