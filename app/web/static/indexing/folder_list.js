// Folders of a folder as a list box, with a field that filters it. The field keeps the focus; arrow keys move in the list.

import { element } from '../core/dom.js';

const MOST_SHOWN = 500; // rows in the document; typing narrows a longer list
const PAGE_ROWS = 10;

/**
 * A folder of the list: its name, the same as text that can be shown, and the number of videos in it where that is known.
 *
 * @typedef {[name: string, shown: string, videos: number | null]} Folder
 */

/**
 * Return the folders whose names contain a text; those that begin with it come first.
 *
 * @param {Folder[]} folders
 * @param {string} text
 * @returns {Folder[]}
 */
export function matching(folders, text) {
  const wanted = plain(text.trim());
  if (!wanted) return folders;
  const found = folders.filter(([, shown]) => plain(shown).includes(wanted));
  return [
    ...found.filter(([, shown]) => plain(shown).startsWith(wanted)),
    ...found.filter(([, shown]) => !plain(shown).startsWith(wanted)),
  ];
}

/** @param {string} text */
function plain(text) {
  return text.normalize('NFC').toLowerCase();
}

let lists = 0;

export class FolderList {
  /** @param {(name: string) => void} open Called with the name of a folder to enter. */
  constructor(open) {
    this.open = open;
    /** @type {Folder[]} */
    this.folders = [];
    /** @type {Folder[]} */
    this.found = [];
    this.at = -1; // the row that is highlighted
    lists += 1;
    this.id = `ps-folders-${lists}`;
    this.list = element('div', { class: 'ps-folders', id: this.id, role: 'listbox', 'aria-label': 'Folders' });
    this.field = element('input', {
      class: 'ps-field',
      type: 'search',
      placeholder: 'Filter folders',
      'aria-label': 'Filter folders',
      role: 'combobox',
      'aria-expanded': 'true',
      'aria-autocomplete': 'list',
      'aria-controls': this.id,
      autocomplete: 'off',
      spellcheck: 'false',
      'data-ps-keys': '',
      oninput: () => this.filter(),
    });
  }

  /**
   * Show other folders.
   *
   * @param {Folder[]} folders
   * @param {string} [name] The one to highlight.
   */
  show(folders, name) {
    this.folders = folders;
    this.field.value = '';
    this.filter();
    if (name !== undefined) this.highlight(this.found.findIndex(([each]) => each === name));
  }

  /** Number of folders that match, and are not shown. */
  get left() {
    return Math.max(0, this.found.length - MOST_SHOWN);
  }

  filter() {
    this.found = matching(this.folders, this.field.value);
    const rows = this.found.slice(0, MOST_SHOWN).map(([name, shown, videos], at) =>
      element(
        'div',
        {
          class: 'ps-folder-row',
          id: `${this.id}-${at}`,
          role: 'option',
          'aria-selected': 'false',
          onclick: () => this.open(name),
        },
        element('span', { class: 'ps-folder-icon', 'aria-hidden': 'true' }),
        element('span', { class: 'ps-folder-name', text: shown, title: shown }),
        videos ? element('span', { class: 'ps-muted', text: videos === 1 ? '1 video' : `${videos} videos` }) : null,
      ),
    );
    this.list.replaceChildren(...rows);
    this.list.scrollTop = 0;
    this.at = -1;
    this.highlight(this.field.value.trim() && rows.length ? 0 : -1);
  }

  /** @param {number} at */
  highlight(at) {
    this.list.children[this.at]?.setAttribute('aria-selected', 'false');
    this.at = at;
    const row = this.list.children[at];
    if (!row) {
      this.field.removeAttribute('aria-activedescendant');
      return;
    }
    row.setAttribute('aria-selected', 'true');
    this.field.setAttribute('aria-activedescendant', row.id);
    row.scrollIntoView({ block: 'nearest' });
  }

  /**
   * Move the highlight.
   *
   * @param {number} by Rows; negative: up.
   */
  move(by) {
    const last = this.list.childElementCount - 1;
    if (last < 0) return;
    this.highlight(this.at < 0 && by < 0 ? last : Math.max(0, Math.min(last, this.at + by)));
  }

  /** @param {number} direction 1 or -1. */
  movePage(direction) {
    this.move(direction * PAGE_ROWS);
  }

  /** Return the name of the folder that is highlighted, or null. */
  get current() {
    return this.found[this.at]?.[0] ?? null;
  }
}
