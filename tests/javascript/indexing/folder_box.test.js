import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { mount } from '../../../app/web/static/indexing/folder_box.js';
import { FakeServer, refusal, settled } from '../fake_server.js';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {{path: string}} WithPath */

const TYPING = 300; // milliseconds after which a typed path is checked

const GOOD = { level: 'good', sentence: '34 video files, 12 GB.', videos: 34, suggestions: [] };
const places = { start: '/home/me', places: [{ path: '/home/me', shown: '/home/me', name: 'Home', kind: 'home' }] };

/** @param {WithPath} body */
function check({ path }) {
  if (path === '/Vidoes') {
    const suggestions = [{ path: '/Videos', shown: '/Videos' }];
    return { path, shown: path, level: 'bad', sentence: 'There is no such folder.', videos: 0, suggestions };
  }
  return { path, shown: path, ...GOOD };
}

/** @param {WithPath} body */
function list({ path }) {
  const parts = path.split('/').filter(Boolean);
  const crumbs = parts.map((name, at) => ({ path: `/${parts.slice(0, at + 1).join('/')}`, name, shown: name }));
  const folders =
    path === '/home/me'
      ? [
          ['Holiday', 'Holiday', 34],
          ['Work', 'Work', 0],
          ['a\udcff', 'a\\xff', null],
        ]
      : [];
  if (path === '/home/me/Work') return refusal(403, 'You do not have permission to read this.');
  return { path, shown: path, base: `${path}/`, crumbs, folders, hidden: 2, complete: true };
}

/** The box, what it sent, and the server that it asks. */
class Box {
  /**
   * @param {TestContext} context
   * @param {object} [changes]
   */
  constructor(context, changes = {}) {
    context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    this.context = context;
    this.server = new FakeServer({
      'POST /api/folders/check': check,
      'POST /api/folders/places': places,
      'POST /api/folders/list': list,
      'POST /api/folders/find': { found: [] },
    }).serve(context);
    this.parent = document.body.appendChild(document.createElement('div'));
    /** @type {{name: string, path: string}[]} */
    this.sent = [];
    this.data = {
      placeholder: '/home/me/Videos',
      start: 'Start indexing',
      choose: 'Index this folder',
      about: 'Encoder: base.',
      blocked: '',
      direct: true,
      heading: 'Recent',
      folders: [{ path: '/odd\udcff', shown: '/odd\\xff', name: 'odd\\xff' }],
      turn: 0,
      trouble: '',
      waiting: false,
      ...changes,
    };
    this.remove = this.mount();
    context.after(() => this.remove());
  }

  mount(changes = {}) {
    this.data = { ...this.data, ...changes };
    return mount({
      parentElement: this.parent,
      data: this.data,
      setTriggerValue: (name, value) => this.sent.push({ name, path: /** @type {WithPath} */ (value).path }),
    });
  }

  get field() {
    return /** @type {HTMLInputElement} */ (this.parent.querySelector('#ps-folder'));
  }

  get said() {
    return this.parent.querySelector('#ps-folder-said')?.textContent;
  }

  /** @param {string} text */
  button(text) {
    const found = [...document.querySelectorAll('button')].find((each) => each.textContent === text);
    assert.ok(found, text);
    return found;
  }

  /** @param {string} text */
  type(text) {
    this.field.focus();
    this.field.value = text;
    this.field.dispatchEvent(new Event('input'));
  }

  async pause() {
    this.context.mock.timers.tick(TYPING);
    await settled();
  }

  async submit() {
    this.parent.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settled();
  }

  starts() {
    return this.sent.filter(({ name }) => name === 'start').map(({ path }) => path);
  }
}

beforeEach(() => document.body.replaceChildren());

test('a path is checked once typing pauses, without Enter', async (context) => {
  const box = new Box(context);
  box.type('/Vid');
  box.type('/Videos');
  assert.deepEqual(box.server.asked(), [], 'not at each letter');
  await box.pause();
  assert.equal(box.said, '34 video files, 12 GB.');
  assert.deepEqual(box.server.asked(), ['POST /api/folders/check']);
  assert.deepEqual(box.sent, [{ name: 'checked', path: '/Videos' }]);
});

test('the first click on the button counts, before the path was checked and while the field has the focus', async (context) => {
  const box = new Box(context);
  box.type('/Videos');
  await box.submit();
  assert.deepEqual(box.starts(), ['/Videos']);
  assert.equal(document.activeElement, box.field);
  await box.submit();
  assert.deepEqual(box.starts(), ['/Videos'], 'once, however often it is pressed');
  box.mount({ turn: 1 });
  assert.equal(box.field.value, '', 'the box is empty again once it has begun');
});

test('nothing takes the place of a start that waits for the script of the page', async (context) => {
  const box = new Box(context);
  let state = 'a';
  box.server.answers['GET /api/library/state'] = () => ({ state });
  box.mount({ waiting: true });
  context.mock.timers.tick(1500);
  await settled();
  box.type('/Videos');
  await box.submit();
  state = 'b';
  context.mock.timers.tick(1500);
  await settled();
  box.type('/Other');
  await box.pause();
  assert.equal(box.sent.at(-1)?.name, 'start');
});

test('a start that fails is said, and the path stays', async (context) => {
  const box = new Box(context);
  box.type('/Videos');
  await box.submit();
  box.mount({ turn: 1, trouble: 'There is no room on the disk.' });
  assert.equal(box.said, 'There is no room on the disk.');
  assert.equal(box.field.value, '/Videos');
  await box.submit();
  assert.equal(box.starts().length, 2, 'it can be tried again');
});

test('a wrong path is not started; one click takes what was meant', async (context) => {
  const box = new Box(context);
  box.type('/Vidoes');
  await box.submit();
  assert.deepEqual(box.starts(), []);
  assert.equal(box.said, 'There is no such folder.');
  box.button('/Videos').click();
  await settled();
  assert.equal(box.field.value, '/Videos');
  await box.submit();
  assert.deepEqual(box.starts(), ['/Videos']);
});

test('a folder whose name no text can hold is started by its own path', async (context) => {
  const box = new Box(context);
  box.button('odd\\xff').click();
  await settled();
  assert.equal(box.field.value, '/odd\\xff');
  await box.submit();
  assert.deepEqual(box.starts(), ['/odd\udcff']);
});

test('an empty box says what to do, and what blocks is said in place of a start', async (context) => {
  const box = new Box(context);
  await box.submit();
  assert.match(box.said ?? '', /Choose a folder/);
  box.mount({ blocked: 'The model is being downloaded.' });
  box.type('/Videos');
  await box.submit();
  assert.deepEqual(box.starts(), []);
  assert.equal(box.said, 'The model is being downloaded.');
});

test('a server that is gone is said, and the button works again', async (context) => {
  const box = new Box(context);
  box.server.down = true;
  box.type('/Videos');
  await box.submit();
  assert.deepEqual(box.starts(), []);
  assert.ok(box.said);
  box.server.down = false;
  await box.submit();
  assert.deepEqual(box.starts(), ['/Videos']);
});

/** @param {string} key */
async function press(key) {
  document.activeElement?.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true }),
  );
  await settled();
}

function rows() {
  return [...document.querySelectorAll('.ps-folder-row')].map(
    (row) => row.querySelector('.ps-folder-name')?.textContent,
  );
}

function dialog() {
  return document.querySelector('dialog.ps-chooser');
}

/** @param {string} text */
function filter(text) {
  const field = /** @type {HTMLInputElement} */ (document.querySelector('.ps-chooser .ps-field'));
  field.value = text;
  field.dispatchEvent(new Event('input'));
}

test('the chooser is used by the keyboard alone, and starts the folder', async (context) => {
  const box = new Box(context);
  box.button('Choose a folder …').click();
  await settled();
  assert.deepEqual(rows(), ['Holiday', 'Work', 'a\\xff']);
  assert.equal(document.activeElement?.getAttribute('role'), 'combobox');
  await press('ArrowDown');
  const row = document.querySelector('[aria-selected=true]');
  assert.equal(document.activeElement?.getAttribute('aria-activedescendant'), row?.id);
  await press('Enter');
  assert.equal(document.querySelector('.ps-chooser-where')?.textContent, 'Holiday');
  await press('Backspace');
  assert.equal(document.querySelector('[aria-selected=true] .ps-folder-name')?.textContent, 'Holiday', 'where it was');
  await press('Enter');
  await press('Enter');
  assert.equal(document.activeElement?.textContent, 'Index this folder');
  box.button('Index this folder').click();
  await settled();
  assert.equal(dialog(), null);
  assert.deepEqual(box.starts(), ['/home/me/Holiday']);
});

test('typing filters the folders; Escape empties the filter, then closes', async (context) => {
  const box = new Box(context);
  box.button('Choose a folder …').click();
  await settled();
  filter('WO');
  assert.deepEqual(rows(), ['Work']);
  await press('Escape');
  assert.equal(rows().length, 3);
  await press('Escape');
  assert.equal(dialog(), null);
  assert.deepEqual(box.starts(), []);
});

test('a folder that may not be read is said in a line, and the one before stays', async (context) => {
  const box = new Box(context);
  box.button('Choose a folder …').click();
  await settled();
  filter('work');
  await press('Enter');
  assert.match(document.querySelector('.ps-chooser-said')?.textContent ?? '', /Work: You do not have permission/);
  assert.equal(document.querySelector('.ps-chooser-where')?.textContent, 'me');
  box.button('Index this folder').click();
  await settled();
  assert.deepEqual(box.starts(), ['/home/me'], 'which can be taken');
});

test('ten thousand folders are shown in part, and typing finds the others', async (context) => {
  const box = new Box(context);
  const many = Array.from({ length: 10_000 }, (_, at) => [`clip ${at}`, `clip ${at}`, null]);
  box.server.answers['POST /api/folders/list'] = (/** @type {WithPath} */ body) => ({ ...list(body), folders: many });
  box.button('Choose a folder …').click();
  await settled();
  assert.equal(rows().length, 500);
  assert.match(document.querySelector('.ps-chooser-said')?.textContent ?? '', /10,000 folders · 9,500 not shown/);
  filter('9876');
  assert.deepEqual(rows(), ['clip 9876']);
});

test('where something has to be asked first, the chosen folder goes into the box', async (context) => {
  const box = new Box(context, { direct: false, choose: 'Choose this folder' });
  box.button('Choose a folder …').click();
  await settled();
  box.button('Choose this folder').click();
  await settled();
  assert.equal(box.field.value, '/home/me');
  assert.deepEqual(box.starts(), []);
  assert.equal(document.activeElement, box.button('Start indexing'), 'Enter starts it');
});

/**
 * @param {string} name
 * @param {Record<string, number>} files Sizes by name.
 */
function folderEntry(name, files) {
  let read = false;
  const entries = Object.entries(files).map(([each, size]) => ({
    name: each,
    isDirectory: false,
    file: (/** @type {(file: object) => void} */ done) => done({ size }),
  }));
  return {
    name,
    isDirectory: true,
    createReader: () => ({
      readEntries: (/** @type {(entries: object[]) => void} */ done) => {
        done(read ? [] : entries);
        read = true;
      },
    }),
  };
}

/** @param {object} entry */
async function drop(entry) {
  const event = new Event('drop', { cancelable: true });
  const dataTransfer = { types: ['Files'], items: [{ webkitGetAsEntry: () => entry }] };
  Object.defineProperty(event, 'dataTransfer', { value: dataTransfer });
  document.dispatchEvent(event);
  await settled();
  await settled();
}

test('a dropped folder that was found is put into the box', async (context) => {
  const box = new Box(context);
  box.server.answers['POST /api/folders/find'] = { found: [{ path: '/home/me/Holiday', shown: '/home/me/Holiday' }] };
  await drop(folderEntry('Holiday', { 'a.mp4': 1000, '.DS_Store': 6 }));
  const asked = box.server.requests.find(({ line }) => line === 'POST /api/folders/find');
  assert.deepEqual(asked?.body, { name: 'Holiday', files: [{ path: ['a.mp4'], size: 1000 }] });
  assert.equal(box.field.value, '/home/me/Holiday');
  assert.equal(box.said, '34 video files, 12 GB.');
  assert.deepEqual(box.starts(), [], 'a person says that it is the right one');
});

test('a dropped folder in two places is asked about; one in none opens the chooser with the reason', async (context) => {
  const box = new Box(context);
  const found = ['/a/Holiday', '/b/Holiday'].map((path) => ({ path, shown: path }));
  box.server.answers['POST /api/folders/find'] = { found };
  await drop(folderEntry('Holiday', { 'a.mp4': 1 }));
  assert.match(box.said ?? '', /more than one place/);
  box.button('/b/Holiday').click();
  assert.equal(box.field.value, '/b/Holiday');
  box.server.answers['POST /api/folders/find'] = { found: [] };
  await drop(folderEntry('Holiday', { 'a.mp4': 1 }));
  assert.match(document.querySelector('.ps-chooser-note')?.textContent ?? '', /do not say where a dropped folder is/);
});

test('a dropped file is no folder', async (context) => {
  const box = new Box(context);
  await drop({ name: 'a.mp4', isDirectory: false });
  assert.match(box.said ?? '', /Drop a folder here/);
});

test('the library is looked at only while the page waits for it', async (context) => {
  const box = new Box(context);
  let state = 'a';
  box.server.answers['GET /api/library/state'] = () => ({ state });
  context.mock.timers.tick(10_000);
  await settled();
  assert.deepEqual(box.server.asked(), []);
  box.mount({ waiting: true });
  for (const next of ['a', 'b']) {
    state = next;
    context.mock.timers.tick(1500);
    await settled();
  }
  assert.deepEqual(
    box.sent.map(({ name }) => name),
    ['changed'],
  );
  box.remove();
  box.server.asked();
  context.mock.timers.tick(10_000);
  assert.deepEqual(box.server.asked(), [], 'and not once it is gone');
});
