import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowAt, rowOffsets, rowsInWindow, scrollToRow } from '../../../app/web/static/core/windowing.js';

const OFFSETS = rowOffsets([10, 20, 30, 40]);

test('rows begin where those before them end', () => {
  assert.deepEqual([...OFFSETS], [0, 10, 30, 60, 100]);
  assert.deepEqual([...rowOffsets([])], [0]);
  assert.deepEqual([...rowOffsets(new Float32Array([5]))], [0, 5]);
});

test('a height belongs to the row that it lies in, its upper edge included', () => {
  assert.deepEqual(
    [0, 9.9, 10, 29.9, 30, 59.9, 60, 99.9].map((height) => rowAt(OFFSETS, height)),
    [0, 0, 1, 1, 2, 2, 3, 3],
  );
});

test('heights above all rows mean the first one, those below them the last one', () => {
  assert.equal(rowAt(OFFSETS, -1000), 0);
  assert.equal(rowAt(OFFSETS, 100), 3);
  assert.equal(rowAt(OFFSETS, 1e9), 3);
  assert.equal(rowAt(rowOffsets([]), 5), 0);
});

test('a height is found among rows as if each were looked at', () => {
  const heights = Array.from({ length: 257 }, (_, at) => 1 + ((at * 7) % 5));
  const offsets = rowOffsets(heights);
  for (let height = 0; height < offsets[257]; height += 1) {
    const at = rowAt(offsets, height);
    assert(offsets[at] <= height && height < offsets[at + 1], String(height));
  }
});

test('a window has the rows that it shows and those of its margin', () => {
  assert.deepEqual(rowsInWindow(OFFSETS, 30, 20, 0), { first: 2, last: 2 });
  assert.deepEqual(rowsInWindow(OFFSETS, 30, 20, 15), { first: 1, last: 3 });
  assert.deepEqual(rowsInWindow(OFFSETS, -500, 1000, 0), { first: 0, last: 3 });
  assert.deepEqual(rowsInWindow(OFFSETS, 5000, 100, 10), { first: 3, last: 3 });
  const { first, last } = rowsInWindow(rowOffsets([]), 0, 100, 10);
  assert(last < first);
});

test('of a million rows only those near the window are drawn', () => {
  const offsets = rowOffsets(new Uint8Array(1_000_000).fill(40));
  assert.deepEqual(rowsInWindow(offsets, 20_000_000, 900, 500), { first: 499_987, last: 500_035 });
});

test('a row is scrolled just into view, and not at all where it is', () => {
  const margins = { above: 130, below: 70 };
  /** @param {number} top */
  const by = (top) => scrollToRow({ top, bottom: top + 50 }, 900, margins);
  assert.deepEqual([129, 130, 500, 780, 781, -500, 2000].map(by), [-1, 0, 0, 0, 1, -630, 1220]);
});

test('the upper edge of a row that is higher than the window is what is shown', () => {
  assert.equal(scrollToRow({ top: 100, bottom: 2000 }, 900, { above: 130, below: 70 }), -30);
});
