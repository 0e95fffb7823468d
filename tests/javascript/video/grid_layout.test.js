import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardFrom, gridLayout } from '../../../app/web/static/video/grid_layout.js';

test('as many columns of 190 pixels as fit, with a gap between them', () => {
  assert.deepEqual(
    [392, 393, 595, 596].map((width) => gridLayout(width, 100).columns),
    [1, 2, 2, 3],
  );
});

test('cards and gaps fill the width', () => {
  for (const width of [100, 393, 700, 1440]) {
    const { columns, size } = gridLayout(width, 100);
    assert.ok(Math.abs(columns * size + (columns - 1) * 13 - width) < 1e-9);
  }
});

test('a window narrower than a card has one column', () => {
  assert.equal(gridLayout(40, 3).columns, 1);
  assert.equal(gridLayout(40, 3).size, 40);
});

test('a row is as high as a picture, what is written below it, and a gap', () => {
  assert.equal(gridLayout(160, 1).height, 90 + 34 + 13);
});

test('the last row may be partly filled; no shots have no rows', () => {
  assert.deepEqual(
    [0, 1, 3, 4, 7].map((count) => gridLayout(596, count).rows),
    [0, 1, 1, 2, 3],
  );
});

test('keys lead to the cards beside, above and below', () => {
  const grid = { columns: 3, count: 8 };
  assert.equal(cardFrom(4, 1, grid), 5);
  assert.equal(cardFrom(4, -1, grid), 3);
  assert.equal(cardFrom(4, 'down', grid), 7);
  assert.equal(cardFrom(4, 'up', grid), 1);
  assert.equal(cardFrom(1, -1, grid), 0);
  assert.equal(cardFrom(2, 1, grid), 3, 'on to the next row');
});

test('keys do not lead out of the grid, nor into the empty places of the last row', () => {
  const grid = { columns: 3, count: 8 };
  assert.equal(cardFrom(0, -1, grid), 0);
  assert.equal(cardFrom(2, 'up', grid), 2);
  assert.equal(cardFrom(7, 1, grid), 7);
  assert.equal(cardFrom(7, 'down', grid), 7);
  assert.equal(cardFrom(5, 'down', grid), 5);
  assert.equal(cardFrom(0, 1, { columns: 1, count: 1 }), 0);
});
