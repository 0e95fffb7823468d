import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { SideList } from '../../../app/web/static/collections/side_list.js';
import { tray } from '../../../app/web/static/core/tray.js';
import { FakeServer, refusal, settled } from '../fake_server.js';

/** @typedef {import('../../../app/web/static/core/types.js').SavedSearch} SavedSearch */
/** @typedef {import('node:test').TestContext} TestContext */

beforeEach((context) => {
  document.body.replaceChildren();
  /** @type {TestContext} */ (context).mock.timers.enable({ apis: ['setTimeout'] }); // messages stay
});

/** Collections and saved searches, kept as the library keeps them. */
class Library {
  constructor() {
    this.collections = [
      { id: 1, name: 'Tray', revision: 1, items: 0 },
      { id: 2, name: 'Rushes', revision: 1, items: 3 },
    ];
    /** @type {SavedSearch[]} */
    this.searches = [
      { id: 5, name: 'beach', link: 'q=beach', created_at: '' },
      { id: 6, name: 'forest', link: '/?q=forest', created_at: '' },
    ];
    this.next = 7;
    this.server = new FakeServer({
      'GET /api/collections': () => ({ collections: this.collections, tray: 1 }),
      'GET /api/collections/1': { id: 1, name: 'Tray', revision: 1, subclips: [] },
      'PATCH /api/collections/2': (/** @type {{name: string}} */ { name }) => {
        const taken = this.collections.some((each) => each.id !== 2 && each.name.toLowerCase() === name.toLowerCase());
        if (taken) return refusal(400, `There is a collection called ${name} already; choose another name.`);
        return Object.assign(this.collections[1], { name });
      },
      'POST /api/collections': (/** @type {{name: string}} */ { name }) => {
        this.collections.push({ id: 3, name, revision: 1, items: 0 });
        return this.collections[2];
      },
      'DELETE /api/collections/2': () => {
        this.collections.pop();
        return {};
      },
      'POST /api/collections/2/restore': {},
      'GET /api/searches': () => ({ searches: this.searches }),
      'POST /api/searches': (/** @type {{name: string, link: string}} */ body) => this.save(body),
      'DELETE /api/searches/5': () => this.forget(5),
      'DELETE /api/searches/6': () => this.forget(6),
    });
  }

  /** @param {{name: string, link: string}} body */
  save({ name, link }) {
    const same = this.searches.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (same) return Object.assign(same, { name, link });
    const saved = { id: this.next, name, link, created_at: '' };
    this.next += 1;
    this.searches.push(saved);
    return saved;
  }

  /** @param {number} id */
  forget(id) {
    this.searches = this.searches.filter((each) => each.id !== id);
    return {};
  }
}

/** @param {TestContext} context */
async function open(context) {
  const library = new Library();
  library.server.serve(context);
  await tray.refresh();
  /** @type {number[]} */
  const opened = [];
  const list = new SideList({
    open: async (id) => {
      opened.push(id);
      await tray.refresh();
    },
    changed: () => list.draw(1),
  });
  document.body.append(list.element);
  list.draw(1);
  await settled();
  library.server.asked();
  return { library, list, opened };
}

/**
 * @param {Element} list
 * @returns {(string | null)[]}
 */
function names(list) {
  return [...list.querySelectorAll('.ps-side-name')].map((each) => each.textContent);
}

/**
 * @param {Element} list
 * @param {string} label
 */
function press(list, label) {
  /** @type {HTMLElement | null} */
  const button = list.querySelector(`[aria-label="${label}"]`);
  assert(button, label);
  button.click();
}

/**
 * Write into the field of a name, and press a key.
 *
 * @param {Element} list
 * @param {string} text
 * @param {string} [key]
 */
async function write(list, text, key = 'Enter') {
  /** @type {HTMLInputElement | null} */
  const field = list.querySelector('.ps-side-edit');
  assert(field, 'no field');
  field.value = text;
  field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  await settled();
  return field;
}

/** The texts of the messages that are shown. */
function messages() {
  return [...document.querySelectorAll('.ps-toast span')].map((each) => each.textContent);
}

test('collections and searches are listed in the order of the server', async (context) => {
  const { list } = await open(context);
  assert.deepEqual(names(list.collections), ['Tray', 'Rushes']);
  assert.deepEqual(names(list.searches), ['beach', 'forest']);
  assert.equal(list.collections.querySelector('.ps-current')?.getAttribute('data-collection'), '1');
  assert.equal(list.searchSection.hidden, false);
});

test('without saved searches their section is hidden', async (context) => {
  const { library, list } = await open(context);
  library.searches = [];
  await list.refreshSearches();
  assert.equal(list.searchSection.hidden, true);
});

test('a saved link leads to our own page only', async (context) => {
  const { library, list } = await open(context);
  library.searches = ['q=a', '/?q=a', '//evil.example/', 'https://evil.example/'].map((link, at) => ({
    id: at,
    name: link,
    link,
    created_at: '',
  }));
  await list.refreshSearches();
  const links = [...list.searches.querySelectorAll('a')];
  assert.deepEqual(
    links.map((each) => each.getAttribute('href')),
    ['/?q=a', '/?q=a', '/?evil.example/', '/?https://evil.example/'],
  );
});

test('a collection is opened by its entry', async (context) => {
  const { list, opened } = await open(context);
  /** @type {HTMLElement | null} */
  const entry = list.collections.querySelector('[data-collection="2"] .ps-side-open');
  entry?.click();
  assert.deepEqual(opened, [2]);
});

test('a collection is renamed by Enter', async (context) => {
  const { library, list } = await open(context);
  press(list.collections, 'Rename Rushes');
  await write(list.collections, '  Day one ');
  assert.equal(library.collections[1].name, 'Day one');
  assert.deepEqual(names(list.collections), ['Tray', 'Day one']);
  assert(!list.element.querySelector('.ps-side-edit'));
});

/** The name of the entry that has the focus. */
function focused() {
  return document.activeElement?.querySelector('.ps-side-name')?.textContent;
}

test('after a name was written, or was not, the entry has the focus', async (context) => {
  const { list } = await open(context);
  press(list.collections, 'Rename Rushes');
  await write(list.collections, 'Day one');
  assert.equal(focused(), 'Day one');
  press(list.collections, 'Rename Day one');
  await write(list.collections, 'Day two', 'Escape');
  assert.equal(focused(), 'Day one');
  press(list.searches, 'Rename forest');
  await write(list.searches, 'wood');
  assert.equal(focused(), 'wood');
});

test('a new collection has the focus once it has its name', async (context) => {
  const { list } = await open(context);
  list.create();
  await write(list.collections, 'Selects');
  assert.equal(focused(), 'Selects');
});

test('where an entry is deleted, the one in its place has the focus', async (context) => {
  const { list } = await open(context);
  /** @type {HTMLElement | null} */
  const entry = list.collections.querySelector('[data-collection="2"] .ps-side-open');
  entry?.focus();
  entry?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Delete', bubbles: true }));
  await settled();
  assert.deepEqual(names(list.collections), ['Tray']);
  assert.equal(focused(), 'Tray');
});

test('leaving the field saves as well', async (context) => {
  const { library, list } = await open(context);
  press(list.collections, 'Rename Rushes');
  (await write(list.collections, 'Day one', 'x')).dispatchEvent(new FocusEvent('blur'));
  await settled();
  assert.equal(library.collections[1].name, 'Day one');
  assert.equal(library.server.asked().filter((line) => line.startsWith('PATCH')).length, 1);
});

test('an empty name, the same name and Escape change nothing', async (context) => {
  const { library, list } = await open(context);
  for (const [text, key] of [
    ['   ', 'Enter'],
    ['Rushes', 'Enter'],
    ['other', 'Escape'],
  ]) {
    press(list.collections, 'Rename Rushes');
    await write(list.collections, text, key);
    assert(!list.element.querySelector('.ps-side-edit'), text);
  }
  assert.deepEqual(names(list.collections), ['Tray', 'Rushes']);
  assert.deepEqual(
    library.server.asked().filter((line) => line.startsWith('PATCH')),
    [],
  );
});

test('a name that is taken can be corrected', async (context) => {
  const { library, list } = await open(context);
  press(list.collections, 'Rename Rushes');
  const field = await write(list.collections, 'TRAY');
  assert.deepEqual(messages(), ['There is a collection called TRAY already; choose another name.']);
  assert.equal(field.isConnected, true);
  assert.equal(field.disabled, false);
  await write(list.collections, 'Tray 2');
  assert.equal(library.collections[1].name, 'Tray 2');
  assert.equal(field.isConnected, false);
});

test('a list is not drawn anew under a name that is being written', async (context) => {
  const { library, list } = await open(context);
  press(list.collections, 'Rename Rushes');
  library.collections[0].name = 'Elsewhere';
  library.searches[0].name = 'elsewhere';
  await tray.refresh();
  list.draw(1);
  assert(list.element.querySelector('.ps-side-edit'));
  await write(list.collections, '', 'Escape');
  assert.deepEqual(names(list.collections), ['Elsewhere', 'Rushes']);
});

test('a new collection is created under the name that is written, and opened', async (context) => {
  const { library, list, opened } = await open(context);
  press(list.element, 'New collection');
  await write(list.collections, 'Selects');
  assert.equal(library.collections[2].name, 'Selects');
  assert.deepEqual(opened, [3]);
});

test('a new collection without a name is none', async (context) => {
  const { library, list, opened } = await open(context);
  press(list.element, 'New collection');
  await write(list.collections, ' ');
  assert.equal(library.collections.length, 2);
  assert.deepEqual(opened, []);
  assert.equal(list.collections.children.length, 2);
});

test('a deleted collection can be restored', async (context) => {
  const { library, list, opened } = await open(context);
  press(list.collections, 'Delete Rushes');
  await settled();
  assert.deepEqual(names(list.collections), ['Tray']);
  assert.deepEqual(messages(), ['“Rushes” deleted']);
  /** @type {HTMLElement | null} */
  const undo = document.querySelector('.ps-toast .ps-link');
  undo?.click();
  await settled();
  assert(library.server.asked().includes('POST /api/collections/2/restore'));
  assert.deepEqual(opened, [2]);
});

test('a collection that cannot be deleted stays', async (context) => {
  const { library, list } = await open(context);
  library.server.answers['DELETE /api/collections/2'] = refusal(500, 'The library is read-only.');
  press(list.collections, 'Delete Rushes');
  await settled();
  assert.deepEqual(names(list.collections), ['Tray', 'Rushes']);
  assert.deepEqual(messages(), ['The library is read-only.']);
});

test('arrow keys walk through the entries and stop at the ends', async (context) => {
  const { list } = await open(context);
  /** @type {NodeListOf<HTMLElement>} */
  const [first, second] = list.collections.querySelectorAll('.ps-side-open');
  const key = (/** @type {HTMLElement} */ on, /** @type {string} */ name) =>
    on.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
  first.focus();
  key(first, 'ArrowUp');
  assert(document.activeElement === first);
  key(first, 'ArrowDown');
  assert(document.activeElement === second);
  key(second, 'ArrowDown');
  assert(document.activeElement === second);
  key(second, 'ArrowUp');
  assert(document.activeElement === first);
});

test('a saved search is renamed, and shown under its new name', async (context) => {
  const { library, list } = await open(context);
  press(list.searches, 'Rename beach');
  await write(list.searches, 'shore');
  assert.deepEqual(
    library.searches.map(({ name, link }) => [name, link]),
    [
      ['forest', '/?q=forest'],
      ['shore', 'q=beach'],
    ],
  );
  assert.deepEqual(names(list.searches), ['forest', 'shore']);
});

test('a saved search whose name changes in case only is still there', async (context) => {
  const { library, list } = await open(context);
  press(list.searches, 'Rename beach');
  await write(list.searches, 'Beach');
  assert.deepEqual(
    library.searches.map(({ name }) => name),
    ['Beach', 'forest'],
  );
  assert.deepEqual(names(list.searches), ['Beach', 'forest']);
});

test('a saved search does not replace another by taking its name', async (context) => {
  const { library, list } = await open(context);
  press(list.searches, 'Rename beach');
  await write(list.searches, 'Forest');
  assert.deepEqual(messages(), ['A saved search called “Forest” already exists; choose another name.']);
  assert.equal(library.searches.length, 2);
  assert.equal(library.searches[1].link, '/?q=forest');
});

test('a deleted search can be saved again', async (context) => {
  const { library, list } = await open(context);
  press(list.searches, 'Delete beach');
  await settled();
  assert.deepEqual(names(list.searches), ['forest']);
  /** @type {HTMLElement | null} */
  const undo = document.querySelector('.ps-toast .ps-link');
  undo?.click();
  await settled();
  assert.deepEqual(library.searches.at(-1)?.link, 'q=beach');
  assert.deepEqual(names(list.searches), ['forest', 'beach']);
});

test('a search that cannot be deleted is not said to be', async (context) => {
  const { library, list } = await open(context);
  library.server.answers['DELETE /api/searches/5'] = refusal(500, 'The library is read-only.');
  press(list.searches, 'Delete beach');
  await settled();
  assert.deepEqual(messages(), ['The library is read-only.']);
  assert.deepEqual(names(list.searches), ['beach', 'forest']);
});
