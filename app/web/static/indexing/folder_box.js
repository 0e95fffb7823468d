// Folder box: a path is checked as it is typed, chosen in a dialog or found from a dropped folder, and started by the button
// beside it, which carries the path. So a click on it counts while the field still has the focus.

import { api, isAbort, messageOf } from '../core/api.js';
import { mountOnce, trigger } from '../core/component.js';
import { element, setOverlayHome, setText, useStyleSheet } from '../core/dom.js';
import { chooseFolder } from './chooser.js';
import { FolderDrop } from './dropped_folder.js';

const TYPING_MS = 250;
const POLL_MS = 1500;
const START_SECONDS = 15; // after which the button works again, whatever became of the start

/** @typedef {import('./chooser.js').FolderCheck} FolderCheck */
/** @typedef {import('./chooser.js').NamedPath} NamedPath */
/** @typedef {import('./dropped_folder.js').DroppedFolder} DroppedFolder */

/**
 * What the page passes.
 *
 * @typedef {object} BoxData
 * @property {string} placeholder
 * @property {string} start Label of the button.
 * @property {string} choose Label of the button that takes a folder in the dialog.
 * @property {string} about A line below the box.
 * @property {string} blocked Why nothing can be started now, or ''.
 * @property {boolean} direct Whether a folder that was chosen in the dialog is started at once.
 * @property {string} heading Of the folders below the box.
 * @property {NamedPath[]} folders
 * @property {number} turn Changes with each start.
 * @property {string} trouble Why that start failed, or ''.
 * @property {boolean} waiting Whether the page wants to know when the library changes.
 */

/** @typedef {import('../core/types.js').Component<BoxData>} BoxComponent */

/** Triggers: start {path}, checked {path} ('' for none), changed {}. */
export const mount = mountOnce((/** @type {BoxComponent} */ component) => new FolderBox(component));

class FolderBox {
  /** @param {BoxComponent} component */
  constructor(component) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    void useStyleSheet('indexing/view.css');
    this.component = component;
    this.turn = component.data.turn;
    /** @type {{path: string, shown: string} | null} */
    this.chosen = null; // the path itself, where the text in the field can only show it
    /** @type {FolderCheck | null} */
    this.check = null; // of what is in the field
    this.told = ''; // the path that the page knows of
    this.asking = new AbortController();
    this.starting = 0; // the timer after which a start is given up
    this.typing = 0;
    this.field = element('input', {
      class: 'ps-field',
      type: 'text',
      id: 'ps-folder',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-describedby': 'ps-folder-said',
      oninput: () => this.typed(),
    });
    this.browse = element('button', {
      class: 'ps-button',
      type: 'button',
      text: 'Choose a folder …',
      onclick: () => void this.choose(),
    });
    this.button = element('button', { class: 'ps-button', type: 'submit' });
    this.said = element('p', { class: 'ps-folder-said', id: 'ps-folder-said', role: 'status' });
    this.offers = element('div', { class: 'ps-folder-offers' });
    this.usual = element('div', { class: 'ps-folder-offers' });
    this.about = element('p', { class: 'ps-muted ps-folder-about' });
    this.form = element(
      'form',
      { class: 'ps-folder', onsubmit: (event) => void this.submit(event) },
      element('label', { for: 'ps-folder', text: 'Folder of videos' }),
      element('div', { class: 'ps-folder-row-of-box' }, this.field, this.browse, this.button),
      this.said,
      this.offers,
      this.usual,
      this.about,
    );
    parent.append(this.form);
    this.drop = new FolderDrop(parent, (folder) => void this.find(folder));
    this.poll = 0;
    /** @type {string | null} */
    this.state = null; // of the library
  }

  /** @param {BoxComponent} component */
  update(component) {
    this.component = component;
    const { data } = component;
    this.field.placeholder = data.placeholder;
    setText(this.about, data.about);
    this.usual.hidden = data.folders.length === 0;
    this.usual.replaceChildren(
      element('span', { class: 'ps-muted', text: data.heading }),
      ...data.folders.map((folder) => this.offer(folder, folder.name)),
    );
    if (data.turn !== this.turn) {
      this.turn = data.turn;
      this.endStart();
      if (data.trouble) this.say(data.trouble, 'bad');
      else {
        this.put({ path: '', shown: '' });
        this.told = '';
        this.say('Indexing has begun.', 'good');
      }
    }
    clearInterval(this.poll);
    this.poll = data.waiting ? setInterval(() => void this.look(), POLL_MS) : 0;
    this.drawButton();
  }

  drawButton() {
    const { start, blocked } = this.component.data;
    setText(this.button, this.starting ? 'Starting …' : start);
    this.button.toggleAttribute('aria-disabled', this.starting !== 0 || blocked !== '');
    // The next step stands out.
    const empty = this.field.value === '';
    this.browse.classList.toggle('ps-primary', empty);
    this.button.classList.toggle('ps-primary', !empty);
  }

  /**
   * Return a button that puts a path into the field.
   *
   * @param {{path: string, shown: string}} path
   * @param {string} text
   */
  offer(path, text) {
    return element('button', {
      class: 'ps-button ps-offer',
      type: 'button',
      text,
      title: path.shown,
      onclick: () => {
        this.put(path);
        void this.lookAt();
      },
    });
  }

  /** @param {{path: string, shown: string}} path */
  put(path) {
    clearTimeout(this.typing);
    this.asking.abort();
    this.chosen = path;
    this.check = null;
    this.field.value = path.shown;
    this.offers.replaceChildren();
    this.say('', 'none');
    this.drawButton();
  }

  /** The path that the field stands for. */
  get path() {
    return this.chosen?.shown === this.field.value ? this.chosen.path : this.field.value;
  }

  typed() {
    this.check = null;
    this.drawButton();
    clearTimeout(this.typing);
    this.asking.abort();
    this.typing = setTimeout(() => void this.lookAt(), TYPING_MS);
  }

  /**
   * Check what is in the field, and say what it is.
   *
   * @returns {Promise<FolderCheck | null>} null where the field is empty, changed meanwhile, or nothing answers.
   */
  async lookAt() {
    clearTimeout(this.typing);
    this.asking.abort();
    const { path } = this;
    if (!path.trim()) {
      this.offers.replaceChildren();
      this.say('', 'none');
      this.tell('');
      return null;
    }
    if (this.check) return this.check;
    this.asking = new AbortController();
    const { signal } = this.asking;
    const busy = setTimeout(() => this.say('Looking into the folder …', 'none'), TYPING_MS);
    try {
      /** @type {FolderCheck} */
      const check = await api('/api/folders/check', { method: 'POST', body: { path }, signal });
      this.check = check;
      this.say(check.sentence, check.level);
      this.offers.replaceChildren(
        ...check.suggestions.map((each) => this.offer(each, each.shown)),
        ...(check.level === 'bad' && check.path ? [this.again()] : []),
      );
      if (check.suggestions.length) this.offers.prepend(element('span', { class: 'ps-muted', text: 'Did you mean' }));
      this.tell(check.level === 'bad' ? '' : check.path);
      return check;
    } catch (error) {
      if (!isAbort(error)) this.say(messageOf(error), 'bad');
      return null;
    } finally {
      clearTimeout(busy);
    }
  }

  again() {
    return element('button', {
      class: 'ps-link',
      type: 'button',
      text: 'Look again',
      onclick: () => {
        this.check = null;
        void this.lookAt();
      },
    });
  }

  /**
   * Tell the page which folder there is now, for what else has to be said of it.
   *
   * @param {string} path
   */
  tell(path) {
    if (path === this.told) return;
    this.told = path;
    trigger(this.component, 'checked', { path });
  }

  /**
   * @param {string} text
   * @param {FolderCheck['level'] | 'none'} level
   */
  say(text, level) {
    setText(this.said, text);
    this.said.dataset.level = level;
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    const { blocked } = this.component.data;
    if (this.starting) return;
    if (blocked) {
      this.say(blocked, 'note');
      return;
    }
    if (!this.field.value.trim()) {
      this.say('Choose a folder, or type or paste its path here.', 'note');
      this.field.focus();
      return;
    }
    const check = await this.lookAt();
    if (!check) return;
    if (check.level === 'bad') this.field.focus();
    else this.start(check.path);
  }

  /** @param {string} path */
  start(path) {
    if (this.starting) return;
    this.starting = setTimeout(() => this.endStart(), 1000 * START_SECONDS);
    this.drawButton();
    trigger(this.component, 'start', { path });
  }

  endStart() {
    clearTimeout(this.starting);
    this.starting = 0;
    this.drawButton();
  }

  /** @param {string} [note] */
  async choose(note) {
    const { direct, choose } = this.component.data;
    const folder = await chooseFolder({ confirm: choose, note });
    if (!folder) return;
    this.put(folder);
    if (direct) {
      this.check = folder;
      this.say(folder.sentence, folder.level);
      this.start(folder.path);
      return;
    }
    this.button.focus();
    await this.lookAt();
  }

  /** @param {DroppedFolder | null} dropped */
  async find(dropped) {
    if (!dropped) {
      this.say(
        'Drop a folder here. To search by a file, drop it on the Search page once there is something to search.',
        'note',
      );
      return;
    }
    this.put({ path: '', shown: '' });
    this.say(`Looking for “${dropped.name}” on this machine …`, 'none');
    /** @type {{found: {path: string, shown: string}[]}} */
    let answer;
    try {
      answer = await api('/api/folders/find', { method: 'POST', body: dropped });
    } catch (error) {
      this.say(messageOf(error), 'bad');
      return;
    }
    const [first, ...others] = answer.found;
    if (!first) {
      const why = dropped.files.length ? 'was not found in the usual places' : 'has no files by which to find it';
      this.say('', 'none');
      await this.choose(`Browsers do not say where a dropped folder is, and “${dropped.name}” ${why}. Choose it here.`);
      return;
    }
    if (others.length) {
      this.say(`“${dropped.name}” with these files is in more than one place. Which one?`, 'note');
      this.offers.replaceChildren(...answer.found.map((each) => this.offer(each, each.shown)));
      return;
    }
    this.put(first);
    this.button.focus();
    await this.lookAt();
  }

  /** Tell the page when the library has changed, for which it waits. */
  async look() {
    if (document.hidden) return;
    try {
      /** @type {{state: string}} */
      const { state } = await api('/api/library/state');
      const before = this.state;
      this.state = state;
      if (before !== null && before !== state) trigger(this.component, 'changed', {});
    } catch {
      // The server is gone, which the page says elsewhere.
    }
  }

  remove() {
    clearInterval(this.poll);
    clearTimeout(this.typing);
    clearTimeout(this.starting);
    this.asking.abort();
    this.drop.remove();
    this.form.remove();
  }
}
