import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import './page.js';
import { element } from '../../app/web/static/core/dom.js';
import { tray } from '../../app/web/static/core/tray.js';
import { mount } from '../../app/web/static/shell.js';
import { subclip } from './collections/subclips.js';
import { FakeServer, settled } from './fake_server.js';

/** @type {FakeServer} */
let server;
/** @type {() => void} */
let unmount;

beforeEach(async (context) => {
  assert('mock' in context);
  localStorage.clear();
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const clips = [
    subclip({ id: 1, title: 'one', start: 0, end: 40 }),
    subclip({ id: 2, title: 'two', start: 0, end: 25 }),
  ];
  server = new FakeServer({
    'GET /api/collections': () => ({
      collections: [
        { id: 1, name: 'Tray', revision: 1, items: 2 },
        { id: 2, name: 'Other', revision: 1, items: 0 },
      ],
      tray: 1,
    }),
    'GET /api/collections/1': { id: 1, name: 'Tray', revision: 1, items: 2, subclips: clips },
    'GET /api/collections/2': { id: 2, name: 'Other', revision: 1, items: 0, subclips: [] },
  }).serve(context);
  await tray.choose(1); // one tray serves all tests, as it does a page
  unmount = mountIn('first');
  await settled();
});

afterEach(() => {
  unmount();
  document.body.replaceChildren();
});

/** @param {string} id */
function mountIn(id) {
  const parentElement = element('main', { id });
  document.body.append(parentElement);
  return mount({ parentElement });
}

/** @param {string} selector */
function find(selector) {
  const found = document.querySelector(selector);
  assert(found instanceof HTMLElement, selector);
  return found;
}

/** @param {string} key */
function press(key) {
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

function summary() {
  return find('.ps-dock-handle > span:last-child').textContent;
}

test('the tray says its name, how many clips it has, and how long they are', () => {
  assert.equal(summary(), 'Tray · 2 · 1:05');
  assert.deepEqual(
    [...document.querySelectorAll('.ps-dock-poster')].map((each) => each.getAttribute('title')),
    ['one', 'two'],
  );
  assert.equal(find('.ps-dock-side .ps-primary').getAttribute('href'), 'collections?collection=1&export=1');
});

test('an empty tray says how to fill it', async () => {
  await tray.choose(2);
  assert.equal(summary(), 'Other · 0');
  assert.match(find('.ps-dock-list').textContent ?? '', /Nothing here yet/);
});

test('the choice of a collection names all of them and the one in hand', async () => {
  const choice = document.querySelector('select');
  assert(choice);
  assert.deepEqual(
    [...choice.options].map((option) => option.textContent),
    ['Tray (2)', 'Other (0)', 'New collection …'],
  );
  assert.equal(choice.value, '1');
  choice.value = '2';
  choice.dispatchEvent(new Event('change'));
  await settled();
  assert.equal(tray.current?.id, 2);
});

test('T opens the tray and closes it, and this browser remembers', () => {
  const handle = find('.ps-dock-handle');
  assert.equal(handle.getAttribute('aria-expanded'), 'false');
  press('t');
  assert.equal(handle.getAttribute('aria-expanded'), 'true');
  unmount();
  unmount = mountIn('again');
  assert.equal(find('.ps-dock-handle').getAttribute('aria-expanded'), 'true');
  press('T');
  assert.equal(find('.ps-dock-handle').getAttribute('aria-expanded'), 'false');
});

test('/ goes to the search box of the page', () => {
  const box = element('input', { 'data-ps-search': '', value: 'a dog' });
  document.body.append(box);
  press('/');
  assert(document.activeElement === box);
  assert.deepEqual([box.selectionStart, box.selectionEnd], [0, 5]);
});

test('trouble with the server is said where the tray is', async () => {
  server.down = true;
  await tray.refresh();
  assert.match(summary() ?? '', /is not responding/);
});

test('there is one shell a page: a second mount moves it, and the view that it left cannot remove it', () => {
  const second = mountIn('second');
  assert.equal(document.querySelectorAll('.ps-dock').length, 1);
  assert.equal(find('.ps-dock').parentElement?.id, 'second');
  unmount();
  assert.equal(document.querySelectorAll('.ps-dock').length, 1);
  const again = mount({ parentElement: find('#second') });
  assert.equal(document.querySelectorAll('.ps-dock').length, 1);
  again();
  second();
  assert(!document.querySelector('.ps-dock'));
  assert.equal(document.documentElement.style.getPropertyValue('--ps-dock'), '');
  press('t');
  assert.equal(localStorage.getItem('prismsearch.tray.open'), null, 'its keys are gone');
});

test('nobody polls for a shell that is gone', async (context) => {
  unmount();
  server.asked();
  context.mock.timers.tick(10_000);
  await settled();
  assert.deepEqual(server.asked(), []);
});
