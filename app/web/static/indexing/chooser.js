// Folder chooser: a dialog that lists the folders of this machine. The server lists them, because browsers tell no paths.

import { api, isAbort, messageOf } from '../core/api.js';
import { element, overlayHome, setText } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { FolderList } from './folder_list.js';

const BUSY_MS = 250;

/** @typedef {{path: string, shown: string}} Path A path as it is, and as text. */
/** @typedef {Path & {name: string}} NamedPath */
/** @typedef {NamedPath & {kind: 'home' | 'folder' | 'drive' | 'recent'}} Place */
/** @typedef {import('./folder_list.js').Folder} Folder */
/** @typedef {Path & {base: string, crumbs: NamedPath[], folders: Folder[], hidden: number, complete: boolean}} Listing */
/** @typedef {Path & {level: 'good' | 'note' | 'bad', sentence: string, videos: number, suggestions: Path[]}} FolderCheck */

const GROUPS = /** @type {const} */ ([
  ['Places', ['home', 'folder']],
  ['Drives', ['drive']],
  ['Recent', ['recent']],
]);

/**
 * Let a person choose a folder.
 *
 * @param {object} options
 * @param {string} options.confirm Label of the button that takes the folder.
 * @param {string} [options.note] A sentence at the top.
 * @returns {Promise<FolderCheck | null>} The folder, which can be indexed; null where none was chosen.
 */
export function chooseFolder({ confirm, note = '' }) {
  return new Promise((done) => {
    void new Chooser(confirm, note, done).begin();
  });
}

class Chooser {
  /**
   * @param {string} confirm
   * @param {string} note
   * @param {(folder: FolderCheck | null) => void} done
   */
  constructor(confirm, note, done) {
    /** @type {Listing | null} */
    this.listing = null;
    /** @type {FolderCheck | null} */
    this.chosen = null;
    /** @type {Promise<FolderCheck | null>} */
    this.checking = Promise.resolve(null);
    this.asking = new AbortController(); // for a folder's list
    this.counting = new AbortController(); // of the videos in the folder that is shown
    this.list = new FolderList((name) => void this.enter(name));
    this.list.field.addEventListener('input', () => this.count());
    this.places = element('nav', { class: 'ps-places', 'aria-label': 'Places' });
    this.crumbs = element('nav', { class: 'ps-crumbs', 'aria-label': 'Path' });
    this.said = element('p', { class: 'ps-muted ps-chooser-said', role: 'status' });
    this.where = element('strong', { class: 'ps-chooser-where' });
    this.verdict = element('span', { class: 'ps-muted', role: 'status' });
    this.hidden = element('input', {
      type: 'checkbox',
      onchange: () => this.listing && void this.go(this.listing.path),
    });
    this.take = element('button', {
      class: 'ps-button ps-primary',
      type: 'button',
      text: confirm,
      onclick: () => void this.confirm(),
    });
    /** @type {HTMLDialogElement} */
    this.dialog = element(
      'dialog',
      { class: 'ps-dialog ps-chooser', 'aria-labelledby': 'ps-chooser-title' },
      element(
        'header',
        {},
        element('h2', { id: 'ps-chooser-title', text: 'Choose a folder' }),
        element('button', {
          class: 'ps-icon',
          type: 'button',
          'aria-label': 'Close',
          text: '×',
          onclick: () => this.dialog.close(),
        }),
      ),
      note ? element('p', { class: 'ps-chooser-note', text: note }) : null,
      element(
        'div',
        { class: 'ps-chooser-body' },
        this.places,
        element('div', { class: 'ps-chooser-main' }, this.crumbs, this.list.field, this.list.list, this.said),
      ),
      element(
        'footer',
        {},
        element('div', { class: 'ps-chooser-about' }, this.where, this.verdict),
        element('label', { class: 'ps-check' }, this.hidden, 'Show hidden folders'),
        element('button', { class: 'ps-button', type: 'button', text: 'Cancel', onclick: () => this.dialog.close() }),
        this.take,
      ),
    );
    const { list } = this;
    const removeKeys = addKeys(
      'Choose a folder',
      [
        { key: 'ArrowDown', label: 'Next folder', run: () => this.inList(() => list.move(1)) },
        { key: 'ArrowUp', label: 'Previous folder', run: () => this.inList(() => list.move(-1)) },
        { key: 'PageDown', label: 'Page down', run: () => this.inList(() => list.movePage(1)) },
        { key: 'PageUp', label: 'Page up', run: () => this.inList(() => list.movePage(-1)) },
        { key: 'Enter', label: 'Open folder', run: (event) => this.enterCurrent(event) },
        { key: 'Backspace', label: 'Parent folder', run: () => this.goUp() },
        { key: 'Escape', label: 'Close', run: () => this.escape() },
      ],
      { modal: true },
    );
    this.dialog.addEventListener('close', () => {
      removeKeys();
      this.asking.abort();
      this.counting.abort();
      this.dialog.remove();
      done(this.chosen);
    });
  }

  /** Open the dialog where the person probably wants to begin. */
  async begin() {
    overlayHome().append(this.dialog);
    this.dialog.showModal();
    this.list.field.focus();
    try {
      /** @type {{start: string, places: Place[]}} */
      const { start, places } = await api('/api/folders/places', { method: 'POST', body: {} });
      this.drawPlaces(places);
      if (!(await this.go(start)) && places[0]) await this.go(places[0].path);
    } catch (error) {
      setText(this.said, messageOf(error));
    }
  }

  /** @param {Place[]} places */
  drawPlaces(places) {
    for (const [title, kinds] of GROUPS) {
      const group = places.filter(({ kind }) => /** @type {readonly string[]} */ (kinds).includes(kind));
      if (!group.length) continue;
      this.places.append(
        element('h3', { text: title }),
        ...group.map(({ path, shown, name }) =>
          element('button', {
            class: 'ps-place',
            type: 'button',
            text: name,
            title: shown,
            onclick: () => void this.go(path),
            'data-path': path,
          }),
        ),
      );
    }
    this.markPlace();
  }

  markPlace() {
    for (const place of this.places.querySelectorAll('button'))
      place.setAttribute('aria-current', String(place.dataset.path === this.listing?.path));
  }

  /**
   * Show a folder. Where it cannot be read, the one before stays, and the reason is said.
   *
   * @param {string} path
   * @param {string} [from] Name of the folder to highlight in it.
   * @returns {Promise<boolean>} Whether it is shown.
   */
  async go(path, from) {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const busy = setTimeout(() => {
      this.list.list.classList.add('ps-busy');
      setText(this.said, 'Opening …');
    }, BUSY_MS);
    try {
      this.listing = await api('/api/folders/list', {
        method: 'POST',
        body: { path, hidden: this.hidden.checked },
        signal,
      });
    } catch (error) {
      if (!isAbort(error)) setText(this.said, `${path.split(/[\\/]/).pop() || path}: ${messageOf(error)}`);
      return false;
    } finally {
      clearTimeout(busy);
      if (this.asking.signal === signal) this.list.list.classList.remove('ps-busy');
    }
    if (!this.listing) return false;
    const { shown, crumbs, folders } = this.listing;
    this.crumbs.replaceChildren(
      ...crumbs.map((each, at) =>
        element('button', {
          class: 'ps-crumb',
          type: 'button',
          text: each.name,
          title: each.shown,
          'aria-current': at === crumbs.length - 1 ? 'location' : null,
          onclick: () => void this.go(each.path),
        }),
      ),
    );
    this.crumbs.scrollLeft = this.crumbs.scrollWidth;
    this.list.list.setAttribute('aria-label', `Folders in ${crumbs.at(-1)?.name ?? shown}`);
    this.list.show(folders, from);
    this.markPlace();
    this.count();
    setText(this.where, crumbs.at(-1)?.name ?? shown);
    this.where.title = shown;
    this.counting.abort();
    this.counting = new AbortController();
    this.checking = this.check(path, this.counting.signal);
    if (document.activeElement === document.body || !this.dialog.contains(document.activeElement))
      this.list.field.focus();
    return true;
  }

  /** Say how many folders there are, and what is not shown. */
  count() {
    if (!this.listing) return;
    const { folders, hidden, complete } = this.listing;
    const { found, left } = this.list;
    const parts = [];
    if (!folders.length) parts.push('No folders here');
    else if (found.length < folders.length)
      parts.push(`${many(found.length, 'folder')} of ${folders.length.toLocaleString('en')} match`);
    else parts.push(`${many(folders.length, 'folder')}`);
    if (left) parts.push(`${left.toLocaleString('en')} not shown: type to narrow the list`);
    if (!complete) parts.push('too many to list: type the path in the box instead');
    if (hidden) parts.push(`${hidden} hidden`);
    setText(this.said, parts.join(' · '));
  }

  /**
   * Look what a folder holds.
   *
   * @param {string} path
   * @param {AbortSignal} signal
   * @returns {Promise<FolderCheck | null>}
   */
  async check(path, signal) {
    setText(this.verdict, 'Counting videos …');
    this.take.removeAttribute('aria-disabled');
    try {
      /** @type {FolderCheck} */
      const check = await api('/api/folders/check', { method: 'POST', body: { path }, signal });
      setText(this.verdict, check.sentence);
      this.take.toggleAttribute('aria-disabled', check.level === 'bad');
      return check;
    } catch (error) {
      if (!isAbort(error)) setText(this.verdict, messageOf(error));
      return null;
    }
  }

  async confirm() {
    const check = await this.checking;
    if (!check || check.level === 'bad') return;
    this.chosen = check;
    this.dialog.close();
  }

  /** @param {string} name */
  enter(name) {
    if (this.listing) void this.go(this.listing.base + name);
  }

  /** @param {KeyboardEvent} event */
  enterCurrent(event) {
    if (onControl(event)) return false;
    const { current } = this.list;
    if (current === null) this.take.focus();
    else this.enter(current);
    return true;
  }

  /** Backspace: an empty field goes to the folder above, and highlights this one there. */
  goUp() {
    const above = this.listing?.crumbs.at(-2);
    if (this.list.field.value || !above || !this.listing) return false;
    this.list.field.focus();
    const name = this.listing.path.slice(above.path.length).replace(/^[\\/]+/, '');
    void this.go(above.path, name);
    return true;
  }

  /** Escape empties the field first. */
  escape() {
    if (this.list.field.value) {
      this.list.field.value = '';
      this.list.filter();
      this.count();
    } else this.dialog.close();
    return true;
  }

  /** @param {() => void} move */
  inList(move) {
    this.list.field.focus();
    move();
    return true;
  }
}

/**
 * @param {number} number
 * @param {string} noun
 */
function many(number, noun) {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
