import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import '../page.js';
import { tray } from '../../../app/web/static/core/tray.js';
import { partsOf, Selection } from '../../../app/web/static/map/selection.js';

/** @type {number[]} */
let opened = [];
let selection = new Selection({ open: () => {}, clear: () => {} });

beforeEach(() => {
  opened = [];
  selection = new Selection({ open: (place) => opened.push(place), clear: () => {} });
  mock.restoreAll();
});

/** @param {number} count */
function items(count) {
  return Array.from({ length: count }, (_, at) => ({ id: at + 1, name: `${at + 1}.mp4`, score: at % 2 ? null : 0.5 }));
}

test('items are divided into parts, in order; the last may be shorter', () => {
  assert.deepEqual(partsOf([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(partsOf([1, 2], 2), [[1, 2]]);
  assert.deepEqual(partsOf([], 2), []);
});

test('the panel is there while something is chosen', () => {
  assert.equal(selection.root.hidden, true);
  selection.set(items(1));
  assert.equal(selection.root.hidden, false);
  assert.match(selection.root.textContent, /1 selected/);
  selection.set([]);
  assert.equal(selection.root.hidden, true);
});

test('each shot has its poster, its name and its score where it has one; nothing else is in the strip', () => {
  selection.set(items(3));
  assert.equal(selection.list.textContent, '0.500.50');
  assert.deepEqual(
    [...selection.list.querySelectorAll('img')].map((image) => image.getAttribute('src')),
    ['/api/poster/1', '/api/poster/2', '/api/poster/3'],
  );
});

test('of a large selection the first shots are shown, and the number of others', () => {
  selection.set(items(120));
  assert.equal(selection.list.childNodes.length, 120);
  selection.set(items(121));
  assert.equal(selection.list.querySelectorAll('button').length, 120);
  assert.equal(selection.list.lastChild?.textContent, 'and 1 more');
});

test('a click opens the shot at its place', () => {
  selection.set(items(3));
  selection.list.querySelectorAll('button')[2].click();
  assert.deepEqual(opened, [2]);
});

test('a large selection goes to the tray in requests that the server accepts', async () => {
  /** @type {number[]} */
  const sizes = [];
  mock.method(tray, 'add', (/** @type {object[]} */ part) => {
    sizes.push(part.length);
    return Promise.resolve([{}]);
  });
  selection.set(items(4001));
  await selection.keep();
  assert.deepEqual(sizes, [2000, 2000, 1]);
});

test('after a request that failed, the rest is not sent', async () => {
  const add = mock.method(tray, 'add', () => Promise.resolve([]));
  selection.set(items(4001));
  await selection.keep();
  assert.equal(add.mock.callCount(), 1);
});
