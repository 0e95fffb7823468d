import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gapAt, scrollStep } from '../../../app/web/static/collections/drop.js';

const rows = [
  { top: 100, height: 40 },
  { top: 140, height: 40 },
  { top: 180, height: 80 },
];

test('a drop goes into the gap that is nearest to the pointer', () => {
  assert.equal(gapAt(rows, 100), 0);
  assert.equal(gapAt(rows, 119), 0);
  assert.equal(gapAt(rows, 121), 1);
  assert.equal(gapAt(rows, 159), 1);
  assert.equal(gapAt(rows, 161), 2);
  assert.equal(gapAt(rows, 219), 2);
  assert.equal(gapAt(rows, 221), 3);
});

test('a drop above the list is the first place, one below it the last', () => {
  assert.equal(gapAt(rows, -500), 0);
  assert.equal(gapAt(rows, 5000), 3);
  assert.equal(gapAt([], 10), 0);
});

test('the middle of a row belongs to the gap above it', () => {
  assert.equal(gapAt(rows, 120), 0);
});

test('a list scrolls only near its edges', () => {
  const list = { top: 200, bottom: 800 };
  assert.equal(scrollStep(500, list, 1000), 0);
  assert.equal(scrollStep(256, list, 1000), 0);
  assert.equal(scrollStep(744, list, 1000), 0);
  assert(scrollStep(255, list, 1000) < 0);
  assert(scrollStep(745, list, 1000) > 0);
  assert(scrollStep(-20, list, 1000) < 0);
  assert(scrollStep(1200, list, 1000) > 0);
});

test('where a list is longer than the window, the edges of the window count', () => {
  const list = { top: -3000, bottom: 5000 };
  assert.equal(scrollStep(60, list, 1000), 0);
  assert(scrollStep(50, list, 1000) < 0);
  assert.equal(scrollStep(940, list, 1000), 0);
  assert(scrollStep(950, list, 1000) > 0);
});
