// Side of the Collections page: all collections, and the saved searches.

import { api } from '../core/api.js';
import { element } from '../core/dom.js';
import { MAX_NAME_LENGTH } from '../core/limits.js';
import { attempt, toast } from '../core/toast.js';
import { tray } from '../core/tray.js';

/** Two lists, whose entries can be opened, renamed and deleted. */
export class SideList {
  /** @param {{open: (id: number) => any, changed: () => void}} actions `changed`: a collection was renamed or deleted. */
  constructor(actions) {
    this.actions = actions;
    this.collections = element('ul', { class: 'ps-side-list' });
    this.searches = element('ul', { class: 'ps-side-list' });
    const add = element('button', {
      class: 'ps-icon',
      type: 'button',
      text: '+',
      title: 'New collection',
      'aria-label': 'New collection',
      onclick: () => this.create(),
    });
    this.searchSection = element('section', { hidden: true }, element('h3', { text: 'Saved searches' }), this.searches);
    this.element = element(
      'nav',
      { class: 'ps-side', 'aria-label': 'Collections and saved searches' },
      element(
        'section',
        {},
        element('div', { class: 'ps-side-head' }, element('h3', { text: 'Collections' }), add),
        this.collections,
      ),
      this.searchSection,
    );
    this.refreshSearches();
  }

  /** @param {number} shown Id of the collection that the page shows. */
  draw(shown) {
    const token = JSON.stringify([tray.collections, shown, tray.current?.id]);
    if (token === this.token || this.element.querySelector('.ps-side-edit')) return;
    this.token = token;
    const held = document.activeElement?.closest?.('.ps-side-item')?.dataset.collection;
    this.collections.replaceChildren(...tray.collections.map((each) => this.item(each, each.id === shown)));
    if (held) this.collections.querySelector(`[data-collection="${held}"] .ps-side-open`)?.focus();
  }

  item(each, shown) {
    const edit = () => this.rename(item, each);
    const item = element(
      'li',
      { class: `ps-side-item${shown ? ' ps-current' : ''}`, 'data-collection': String(each.id) },
      element(
        'button',
        {
          class: 'ps-side-open',
          type: 'button',
          'aria-current': shown ? 'true' : null,
          title: each.name,
          onclick: () => this.actions.open(each.id),
          ondblclick: edit,
          onkeydown: (event) => this.itemKeys(event, item, each),
        },
        element('span', { class: 'ps-side-name', text: each.name }),
        element('span', { class: 'ps-muted ps-side-count', text: String(each.items) }),
      ),
      element(
        'span',
        { class: 'ps-side-actions' },
        element('button', {
          class: 'ps-icon',
          type: 'button',
          text: '✎',
          title: 'Rename (F2)',
          'aria-label': `Rename ${each.name}`,
          onclick: edit,
        }),
        element('button', {
          class: 'ps-icon',
          type: 'button',
          text: '×',
          title: 'Delete',
          'aria-label': `Delete ${each.name}`,
          onclick: () => this.removeCollection(each),
        }),
      ),
    );
    return item;
  }

  itemKeys(event, item, each) {
    if (event.key === 'F2') this.rename(item, each);
    else if (event.key === 'Delete') this.removeCollection(each);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const next = event.key === 'ArrowDown' ? item.nextElementSibling : item.previousElementSibling;
      next?.querySelector('.ps-side-open')?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Put a field in the place of a name. Enter or leaving it saves, Escape cancels; a refused name can be corrected. */
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
    const finish = () => {
      done = true;
      window.removeEventListener('keydown', escape, true);
      input.remove();
      place.hidden = false;
      this.token = null;
      this.actions.changed();
    };
    const commit = async () => {
      if (done || input.disabled) return;
      const name = input.value.trim();
      if (!name || name === value) {
        finish();
        return;
      }
      input.disabled = true;
      try {
        await save(name);
        finish();
      } catch (error) {
        toast(error.message, { kind: 'error' });
        input.disabled = false;
        input.focus();
      }
    };
    const escape = (event) => {
      if (event.key === 'Escape' && event.target === input) finish();
    };
    window.addEventListener('keydown', escape, true);
    input.addEventListener('keydown', (event) => event.key === 'Enter' && !event.isComposing && commit());
    input.addEventListener('blur', commit);
    place.hidden = true;
    place.after(input);
    input.focus();
    input.select();
  }

  create() {
    const place = element('li', { class: 'ps-side-item' }, element('span', {}));
    this.collections.append(place);
    this.edit(place.firstChild, '', 'Name of the new collection', async (name) => {
      const made = await api('/api/collections', { method: 'POST', body: { name } });
      await this.actions.open(made.id);
    });
  }

  rename(item, each) {
    this.edit(item.querySelector('.ps-side-open'), each.name, 'Name', async (name) => {
      await api(`/api/collections/${each.id}`, { method: 'PATCH', body: { name } });
      await tray.refresh();
    });
  }

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
    const found = await api('/api/searches').catch(() => null);
    if (!found || this.searches.querySelector('.ps-side-edit')) return;
    const list = found.searches ?? found;
    const token = JSON.stringify(list);
    if (token === this.searchToken) return;
    this.searchToken = token;
    this.searchSection.hidden = !list.length;
    this.searches.replaceChildren(...list.map((each) => this.search(each)));
  }

  search(each) {
    // The link is used as the query of our own page only, so that no stored link can lead elsewhere.
    const href = `/?${String(each.link).replace(/^[/?]+/, '')}`;
    const open = element(
      'a',
      { class: 'ps-side-open', href, target: '_self', title: each.name },
      element('span', { class: 'ps-side-name', text: each.name }),
    );
    const renamed = async (name) => {
      await api('/api/searches', { method: 'POST', body: { name, link: each.link } });
      await api(`/api/searches/${each.id}`, { method: 'DELETE' });
    };
    return element(
      'li',
      { class: 'ps-side-item' },
      open,
      element(
        'span',
        { class: 'ps-side-actions' },
        element('button', {
          class: 'ps-icon',
          type: 'button',
          text: '✎',
          title: 'Rename',
          'aria-label': `Rename ${each.name}`,
          onclick: () => this.edit(open, each.name, 'Name', renamed),
        }),
        element('button', {
          class: 'ps-icon',
          type: 'button',
          text: '×',
          title: 'Delete',
          'aria-label': `Delete ${each.name}`,
          onclick: () => this.removeSearch(each),
        }),
      ),
    );
  }

  async removeSearch(each) {
    await attempt(() => api(`/api/searches/${each.id}`, { method: 'DELETE' }));
    await this.refreshSearches();
    toast(`“${each.name}” deleted`, {
      action: {
        label: 'Undo',
        run: async () => {
          await attempt(() => api('/api/searches', { method: 'POST', body: { name: each.name, link: each.link } }));
          await this.refreshSearches();
        },
      },
    });
  }
}
