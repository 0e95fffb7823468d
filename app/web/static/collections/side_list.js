// Side of the Collections page: all collections, and the saved searches.

import { api, messageOf } from '../core/api.js';
import { element } from '../core/dom.js';
import { MAX_NAME_LENGTH } from '../core/limits.js';
import { attempt, toast } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { isTaken, nameToSave } from './names.js';

/** @typedef {import('../core/types.js').CollectionRow} CollectionRow */
/** @typedef {import('../core/types.js').SavedSearch} SavedSearch */

/** Two lists, whose entries can be opened, renamed and deleted. */
export class SideList {
  /** @param {{open: (id: number) => unknown, changed: () => unknown}} actions `changed`: collections or names differ. */
  constructor(actions) {
    this.actions = actions;
    /** @type {string | null} */
    this.token = null; // what is drawn of the collections, and of the searches
    /** @type {string | null} */
    this.searchToken = null;
    /** @type {SavedSearch[]} */
    this.saved = [];
    this.collections = element('ul', { class: 'ps-side-list' });
    this.searches = element('ul', { class: 'ps-side-list' });
    const add = icon('+', 'New collection', 'New collection', () => this.create(), 'ps-needs-collect');
    this.searchSection = element('section', { hidden: true }, element('h2', { text: 'Saved searches' }), this.searches);
    this.element = element(
      'nav',
      { class: 'ps-side', 'aria-label': 'Collections and saved searches' },
      element(
        'section',
        {},
        element('div', { class: 'ps-side-head' }, element('h2', { text: 'Collections' }), add),
        this.collections,
      ),
      this.searchSection,
    );
    void this.refreshSearches();
  }

  /** @param {number} shown Id of the collection that the page shows. */
  draw(shown) {
    const token = JSON.stringify([tray.collections, shown, tray.current?.id]);
    if (token === this.token || this.element.querySelector('.ps-side-edit')) return;
    this.token = token;
    const items = tray.collections.map((each) => this.item(each, each.id === shown));
    replaceEntries(this.collections, items, 'data-collection');
  }

  /**
   * @param {CollectionRow} each
   * @param {boolean} shown
   */
  item(each, shown) {
    const edit = () => this.rename(open, each);
    /** @type {HTMLElement} */
    const open = element(
      'button',
      {
        class: 'ps-side-open',
        type: 'button',
        'aria-current': shown ? 'true' : null,
        title: each.name,
        onclick: () => this.actions.open(each.id),
        ondblclick: edit,
        onkeydown: (event) => this.itemKeys(event, open, each),
      },
      element('span', { class: 'ps-side-name', text: each.name }),
      element('span', { class: 'ps-muted ps-side-count', text: String(each.items) }),
    );
    return element(
      'li',
      { class: `ps-side-item${shown ? ' ps-current' : ''}`, 'data-collection': String(each.id) },
      open,
      element(
        'span',
        { class: 'ps-side-actions' },
        icon('✎', 'Rename (F2)', `Rename ${each.name}`, edit, each.own ? '' : 'ps-needs-collect'),
        each.own
          ? null
          : icon('×', 'Delete', `Delete ${each.name}`, () => this.removeCollection(each), 'ps-needs-delete'),
      ),
    );
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLElement} open The entry's button.
   * @param {CollectionRow} each
   */
  itemKeys(event, open, each) {
    if (event.key === 'F2') this.rename(open, each);
    else if (event.key === 'Delete') void this.removeCollection(each);
    else if (event.key === 'ArrowDown') focusIn(open.parentElement?.nextElementSibling);
    else if (event.key === 'ArrowUp') focusIn(open.parentElement?.previousElementSibling);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Put a field in the place of a name. Enter or leaving it saves, Escape cancels; a refused name can be corrected.
   *
   * @param {HTMLElement} place
   * @param {string} value
   * @param {string} label
   * @param {(name: string) => Promise<void>} save
   */
  edit(place, value, label, save) {
    let done = false;
    const input = element('input', {
      class: 'ps-side-edit',
      type: 'text',
      maxlength: MAX_NAME_LENGTH,
      'aria-label': label,
      autocomplete: 'off',
      placeholder: label,
    });
    input.value = value;
    /** @param {boolean} byKey The entry takes the focus then. */
    const finish = (byKey) => {
      done = true;
      window.removeEventListener('keydown', cancel, true);
      input.remove();
      place.hidden = false;
      if (byKey) place.focus();
      this.token = null;
      this.actions.changed();
      void this.refreshSearches();
    };
    /** @param {boolean} byKey */
    const commit = async (byKey) => {
      if (done || input.disabled) return;
      const name = nameToSave(input.value, value);
      if (name === null) {
        finish(byKey);
        return;
      }
      input.disabled = true;
      try {
        await save(name);
        finish(byKey);
      } catch (error) {
        toast(messageOf(error), { kind: 'error' });
        input.disabled = false;
        input.focus();
      }
    };
    /** @param {KeyboardEvent} event */
    const cancel = (event) => {
      if (event.key === 'Escape' && event.target === input) finish(true);
    };
    window.addEventListener('keydown', cancel, true);
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault(); // the entry, which takes the focus, would be pressed by it
      void commit(true);
    });
    input.addEventListener('blur', () => void commit(false));
    place.hidden = true;
    place.after(input);
    input.focus();
    input.select();
  }

  create() {
    const place = element('button', { class: 'ps-side-open', type: 'button' });
    const item = element('li', { class: 'ps-side-item' }, place);
    this.collections.append(item);
    this.edit(place, '', 'Name of the new collection', async (name) => {
      /** @type {CollectionRow} */
      const made = await api('/api/collections', { method: 'POST', body: { name } });
      item.dataset.collection = String(made.id);
      await this.actions.open(made.id);
    });
  }

  /**
   * @param {HTMLElement} open The entry's button.
   * @param {CollectionRow} each
   */
  rename(open, each) {
    this.edit(open, each.name, 'Name', async (name) => {
      await api(`/api/collections/${each.id}`, { method: 'PATCH', body: { name } });
      await tray.refresh();
    });
  }

  /** @param {CollectionRow} each */
  async removeCollection(each) {
    const gone = await attempt(async () => {
      await api(`/api/collections/${each.id}`, { method: 'DELETE' });
      return true;
    });
    if (!gone) return;
    await tray.refresh();
    this.actions.changed();
    toast(`“${each.name}” deleted`, {
      seconds: 15,
      action: {
        label: 'Undo',
        run: () =>
          attempt(async () => {
            await api(`/api/collections/${each.id}/restore`, { method: 'POST' });
            await this.actions.open(each.id);
          }),
      },
    });
  }

  // Searches

  async refreshSearches() {
    /** @type {{searches: SavedSearch[]} | null} */
    const found = await api('/api/searches').catch(() => null);
    if (!found || this.searches.querySelector('.ps-side-edit')) return;
    this.saved = found.searches;
    const token = JSON.stringify(this.saved);
    if (token === this.searchToken) return;
    this.searchToken = token;
    this.searchSection.hidden = !this.saved.length;
    const items = this.saved.map((each) => this.search(each));
    replaceEntries(this.searches, items, 'data-search');
  }

  /** @param {SavedSearch} each */
  search(each) {
    // The link is used as the query of our own page only, so that no stored link can lead elsewhere.
    const href = `/?${each.link.replace(/^[/?]+/, '')}`;
    const open = element(
      'a',
      { class: 'ps-side-open', href, target: '_self', title: each.note ? `${each.name} (${each.note})` : each.name },
      element('span', { class: 'ps-side-name', text: each.name }),
    );
    const edit = () => this.edit(open, each.name, 'Name', (name) => this.renameSearch(each, name));
    return element(
      'li',
      { class: 'ps-side-item', 'data-search': String(each.id) },
      open,
      element(
        'span',
        { class: 'ps-side-actions' },
        icon('✎', 'Rename', `Rename ${each.name}`, edit),
        icon('×', 'Delete', `Delete ${each.name}`, () => this.removeSearch(each)),
      ),
    );
  }

  /**
   * @param {SavedSearch} each
   * @param {string} name
   */
  async renameSearch(each, name) {
    // Saving under a name that another search has would replace that one.
    if (isTaken(name, each.id, this.saved))
      throw new Error(`A saved search called “${name}” already exists; choose another name.`);
    /** @type {SavedSearch} */
    const saved = await api('/api/searches', { method: 'POST', body: { ...kept(each), name } });
    // Names that differ in upper and lower case only are one search: then there is no other to delete.
    if (saved.id !== each.id) await api(`/api/searches/${each.id}`, { method: 'DELETE' });
  }

  /** @param {SavedSearch} each */
  async removeSearch(each) {
    const gone = await attempt(async () => {
      await api(`/api/searches/${each.id}`, { method: 'DELETE' });
      return true;
    });
    await this.refreshSearches();
    if (!gone) return;
    toast(`“${each.name}” deleted`, {
      action: {
        label: 'Undo',
        run: async () => {
          await attempt(() => api('/api/searches', { method: 'POST', body: kept(each) }));
          await this.refreshSearches();
        },
      },
    });
  }
}

/**
 * What a saved search is saved with again.
 *
 * @param {SavedSearch} each
 */
function kept(each) {
  return { name: each.name, link: each.link, ...(each.text_id ? { text_id: each.text_id } : {}) };
}

/**
 * @param {string} text
 * @param {string} title
 * @param {string} label
 * @param {() => unknown} run
 * @param {string} [needs] Class of the role that it needs; '' for none.
 */
function icon(text, title, label, run, needs = '') {
  return element('button', {
    class: `ps-icon ${needs}`.trim(),
    type: 'button',
    text,
    title,
    'aria-label': label,
    onclick: () => run(),
  });
}

/**
 * Put other entries into a list. The one that has the focus keeps it; where it is gone, the one in its place gets it.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} items
 * @param {string} name Attribute that tells entries apart.
 */
function replaceEntries(list, items, name) {
  const before = [...list.children];
  const at = before.findIndex((item) => item.contains(document.activeElement));
  const held = before[at]?.getAttribute(name);
  list.replaceChildren(...items);
  if (at < 0) return;
  const same = items.find((item) => item.getAttribute(name) === held);
  focusIn(same ?? items[Math.min(at, items.length - 1)]);
}

/**
 * Give an entry the focus.
 *
 * @param {Element | null | undefined} item
 */
function focusIn(item) {
  /** @type {HTMLElement | null | undefined} */
  const open = item?.querySelector('.ps-side-open');
  open?.focus();
}
