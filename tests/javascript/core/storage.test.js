import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { loadStored, saveStored } from '../../../app/web/static/core/storage.js';

beforeEach(() => localStorage.clear());

test('what was stored comes back', () => {
  for (const value of [[1, 'a'], { a: [null] }, 12, 'text', true, false, 0, '']) {
    saveStored('key', value);
    assert.deepEqual(loadStored('key', Array.isArray(value) ? [] : value), value);
  }
});

test('where nothing is stored the fallback is returned itself', () => {
  const fallback = { a: 1 };
  assert.equal(loadStored('nothing', fallback), fallback);
});

test('what is of another kind, or damaged, counts as nothing', () => {
  const fallbacks = [[], {}, 1, 'x', false];
  for (const stored of ['null', '', '{', 'yes', 'undefined']) {
    localStorage.setItem('key', stored);
    for (const fallback of fallbacks) assert.equal(loadStored('key', fallback), fallback, stored);
  }
  for (const stored of [[2], { b: 2 }, 2, 'y', true]) {
    saveStored('key', stored);
    const kept = fallbacks.filter((fallback) => loadStored('key', fallback) !== fallback);
    assert.equal(kept.length, 1, JSON.stringify(stored));
  }
});

test('a browser whose storage is full, or that refuses it, is one without choices', (context) => {
  const refuse = () => {
    throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
  };
  const storage = { ...localStorage, getItem: () => '[1]', setItem: refuse };
  context.mock.property(globalThis, 'localStorage', /** @type {Storage} */ (storage));
  saveStored('key', [2]);
  assert.deepEqual(loadStored('key', []), [1]);
  storage.getItem = refuse;
  assert.deepEqual(loadStored('key', [3]), [3]);
});
