// Folder box: a path is checked as it is typed, chosen in a dialog or found from a dropped folder, and started by the button
// beside it, which carries the path. So a click on it counts while the field still has the focus.

import { api, messageOf } from '../core/api.js';
import { mountOnce, trigger } from '../core/component.js';
import { element, setOverlayHome, setText, useStyleSheet } from '../core/dom.js';
import { chooseFolder } from './chooser.js';
import { FolderDrop } from './dropped_folder.js';
import { FolderField } from './folder_field.js';

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
    this.field = new FolderField(
      (path) => this.tell('checked', { path }),
      () => this.drawButton(),
    );
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.starting = null; // the timer after which a start is given up
    this.browse = element('button', {
      class: 'ps-button',
      type: 'button',
      text: 'Choose a folder …',
      onclick: () => void this.choose(),
    });
    this.button = element('button', { class: 'ps-button', type: 'submit' });
    this.usual = element('div', { class: 'ps-folder-offers' });
    this.about = element('p', { class: 'ps-muted ps-folder-about' });
    this.form = element(
      'form',
      { class: 'ps-folder', onsubmit: (event) => void this.submit(event) },
      element('label', { for: 'ps-folder', text: 'Folder of videos' }),
      element('div', { class: 'ps-folder-row-of-box' }, this.field.input, this.browse, this.button),
      this.field.said,
      this.field.offers,
      this.usual,
      this.about,
    );
    parent.append(this.form);
    this.drop = new FolderDrop(parent, (folder) => void this.find(folder));
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.poll = undefined;
    /** @type {string | null} */
    this.state = null; // of the library
  }

  /** @param {BoxComponent} component */
  update(component) {
    this.component = component;
    const { data } = component;
    this.field.input.placeholder = data.placeholder;
    setText(this.about, data.about);
    this.usual.hidden = data.folders.length === 0;
    this.usual.replaceChildren(
      element('span', { class: 'ps-muted', text: data.heading }),
      ...data.folders.map((folder) => this.field.offer(folder, folder.name)),
    );
    if (data.turn !== this.turn) {
      this.turn = data.turn;
      this.endStart();
      if (data.trouble) this.field.say(data.trouble, 'bad');
      else {
        this.field.put({ path: '', shown: '' });
        this.field.told = '';
        this.field.say('Indexing started.', 'good');
      }
    }
    clearInterval(this.poll);
    this.poll = data.waiting ? setInterval(() => void this.look(), POLL_MS) : undefined;
    this.drawButton();
  }

  drawButton() {
    const { start, blocked } = this.component.data;
    setText(this.button, this.starting ? 'Starting …' : start);
    this.button.toggleAttribute('aria-disabled', this.starting !== null || blocked !== '');
    // The next step stands out.
    const empty = this.field.input.value === '';
    this.browse.classList.toggle('ps-primary', empty);
    this.button.classList.toggle('ps-primary', !empty);
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    const { blocked } = this.component.data;
    if (this.starting) return;
    if (blocked) {
      this.field.say(blocked, 'note');
      return;
    }
    if (!this.field.input.value.trim()) {
      this.field.say('Choose a folder, or type or paste its path here.', 'note');
      this.field.input.focus();
      return;
    }
    const check = await this.field.lookAt();
    if (!check) return;
    if (check.level === 'bad') this.field.input.focus();
    else this.start(check.path);
  }

  /** @param {string} path */
  start(path) {
    if (this.starting) return;
    this.starting = setTimeout(() => this.endStart(), 1000 * START_SECONDS);
    this.drawButton();
    trigger(this.component, 'start', { path });
  }

  /**
   * Tell the page something, unless it is to start a folder: of two triggers that wait for the script, only the later one arrives.
   *
   * @param {string} name
   * @param {Record<string, unknown>} value
   */
  tell(name, value) {
    if (!this.starting) trigger(this.component, name, value);
  }

  endStart() {
    if (this.starting !== null) clearTimeout(this.starting);
    this.starting = null;
    this.drawButton();
  }

  /** @param {string} [note] */
  async choose(note) {
    const { direct, choose } = this.component.data;
    const folder = await chooseFolder({ confirm: choose, note });
    if (!folder) return;
    this.field.put(folder);
    if (direct) {
      this.field.check = folder;
      this.field.say(folder.sentence, folder.level);
      this.start(folder.path);
      return;
    }
    this.button.focus();
    await this.field.lookAt();
  }

  /** @param {DroppedFolder | null} dropped */
  async find(dropped) {
    if (!dropped) {
      this.field.say(
        'Drop a folder here. To search with a file, drop it on the Search page once something is indexed.',
        'note',
      );
      return;
    }
    this.field.put({ path: '', shown: '' });
    this.field.say(`Looking for “${dropped.name}” on this machine …`, 'none');
    /** @type {{found: {path: string, shown: string}[]}} */
    let answer;
    try {
      answer = await api('/api/folders/find', { method: 'POST', body: dropped });
    } catch (error) {
      this.field.say(messageOf(error), 'bad');
      return;
    }
    const [first, ...others] = answer.found;
    if (!first) {
      const why = dropped.files.length ? 'was not found in the usual places' : 'has no files to find it by';
      this.field.say('', 'none');
      await this.choose(`Browsers do not say where a dropped folder is, and “${dropped.name}” ${why}. Choose it here.`);
      return;
    }
    if (others.length) {
      this.field.say(`“${dropped.name}” was found in more than one place. Which one?`, 'note');
      this.field.offers.replaceChildren(...answer.found.map((each) => this.field.offer(each, each.shown)));
      return;
    }
    this.field.put(first);
    this.button.focus();
    await this.field.lookAt();
  }

  /** Tell the page when the library has changed, for which it waits. */
  async look() {
    if (document.hidden) return;
    try {
      /** @type {{state: string}} */
      const { state } = await api('/api/library/state');
      const before = this.state;
      this.state = state;
      if (before !== null && before !== state) this.tell('changed', {});
    } catch {
      // The server is gone, which the page says elsewhere.
    }
  }

  remove() {
    clearInterval(this.poll);
    this.endStart();
    this.field.remove();
    this.drop.remove();
    this.form.remove();
  }
}
