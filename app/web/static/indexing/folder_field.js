// Field for a folder's path, which is checked as it is typed: what it is, or what may have been meant, stands below.

import { api, isAbort, messageOf } from '../core/api.js';
import { element, setText } from '../core/dom.js';

const TYPING_MS = 250;

/** @typedef {import('./chooser.js').FolderCheck} FolderCheck */
/** @typedef {import('./chooser.js').Path} Path */

export class FolderField {
  /**
   * @param {(path: string) => void} onFolder Called with the path of another folder that can be indexed; '' for none.
   * @param {() => void} changed Called when the text in the field has changed.
   */
  constructor(onFolder, changed) {
    this.onFolder = onFolder;
    this.changed = changed;
    /** @type {Path | null} */
    this.chosen = null; // the path itself, where the text in the field can only show it
    /** @type {FolderCheck | null} */
    this.check = null; // of what is in the field
    this.told = ''; // the path that `onFolder` was called with
    this.asking = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.typing = undefined;
    this.input = element('input', {
      class: 'ps-field',
      type: 'text',
      id: 'ps-folder',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-describedby': 'ps-folder-said',
      oninput: () => this.typed(),
    });
    this.said = element('p', { class: 'ps-folder-said', id: 'ps-folder-said', role: 'status' });
    this.offers = element('div', { class: 'ps-folder-offers' });
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
    this.input.value = path.shown;
    this.offers.replaceChildren();
    this.say('', 'none');
    this.changed();
  }

  /** The path that the field stands for. */
  get path() {
    return this.chosen?.shown === this.input.value ? this.chosen.path : this.input.value;
  }

  typed() {
    this.check = null;
    this.changed();
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
    const busy = setTimeout(() => this.say('Checking the folder …', 'none'), TYPING_MS);
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
      text: 'Check again',
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
    this.onFolder(path);
  }

  /**
   * @param {string} text
   * @param {FolderCheck['level'] | 'none'} level
   */
  say(text, level) {
    setText(this.said, text);
    this.said.dataset.level = level;
  }

  remove() {
    clearTimeout(this.typing);
    this.asking.abort();
  }
}
