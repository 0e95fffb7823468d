import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardAfter, columnsOf } from '../../../app/web/static/search/cursor.js';

test('the columns are the cards of the first row', () => {
  assert.equal(columnsOf([10, 10, 10, 90, 90, 90, 170]), 3);
  assert.equal(columnsOf([10, 90, 170]), 1);
  assert.equal(columnsOf([10, 10]), 2, 'one row');
  assert.equal(columnsOf([10]), 1);
  assert.equal(columnsOf([]), 0);
});

// Cards 0 to 7 in rows of three.
const grid = /** @type {const} */ ([3, 8]);

test('left and right run on from row to row, and stop at the ends', () => {
  assert.equal(cardAfter(0, 'next', ...grid), 1);
  assert.equal(cardAfter(2, 'next', ...grid), 3);
  assert.equal(cardAfter(3, 'previous', ...grid), 2);
  assert.equal(cardAfter(7, 'next', ...grid), null);
  assert.equal(cardAfter(0, 'previous', ...grid), null);
});

test('up and down stay in their column, and stop at the first and the last row', () => {
  assert.equal(cardAfter(1, 'down', ...grid), 4);
  assert.equal(cardAfter(4, 'down', ...grid), 7);
  assert.equal(cardAfter(3, 'up', ...grid), 0);
  assert.equal(cardAfter(2, 'up', ...grid), null);
  assert.equal(cardAfter(7, 'down', ...grid), null);
  assert.equal(cardAfter(5, 'down', ...grid), null, 'the last row is shorter');
});

test('from no card, every move leads to the first', () => {
  for (const move of /** @type {const} */ (['next', 'previous', 'down', 'up'])) {
    assert.equal(cardAfter(-1, move, ...grid), 0);
    assert.equal(cardAfter(-1, move, 0, 0), null, 'of none there is no first');
  }
});

test('in a single row there is nothing above or below', () => {
  assert.equal(cardAfter(1, 'down', 4, 4), null);
  assert.equal(cardAfter(1, 'up', 4, 4), null);
});
