import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moved, onePlace, predecessor, restored, sameOrder } from '../../../app/web/static/collections/order.js';

test('a subclip moves behind another, in either direction', () => {
  assert.deepEqual(moved([1, 2, 3, 4], [1], 3), [2, 3, 1, 4]);
  assert.deepEqual(moved([1, 2, 3, 4], [4], 1), [1, 4, 2, 3]);
  assert.deepEqual(moved([1, 2, 3, 4], [2], 4), [1, 3, 4, 2]);
});

test('null is the first place', () => {
  assert.deepEqual(moved([1, 2, 3], [3], null), [3, 1, 2]);
  assert.deepEqual(moved([1], [1], null), [1]);
  assert.deepEqual(moved([], [1], null), []);
});

test('several that lie apart end up side by side, in their own order', () => {
  assert.deepEqual(moved([1, 2, 3, 4, 5], [5, 1, 3], 4), [2, 4, 1, 3, 5]);
  assert.deepEqual(moved([1, 2, 3, 4, 5], [4, 2], null), [2, 4, 1, 3, 5]);
});

test('a move to where subclips are changes nothing', () => {
  assert.deepEqual(moved([1, 2, 3], [2], 1), [1, 2, 3]);
  assert.deepEqual(moved([1, 2, 3], [1, 2, 3], null), [1, 2, 3]);
  assert.deepEqual(moved([1, 2, 3], [9], 1), [1, 2, 3]);
});

/**
 * Move by one place, as the keys do.
 *
 * @param {number[]} order
 * @param {number[]} ids
 * @param {-1 | 1} by
 */
function shifted(order, ids, by) {
  const place = onePlace(order, ids, by);
  return place && moved(order, ids, place.after);
}

test('a subclip moves up and down by one place', () => {
  assert.deepEqual(shifted([1, 2, 3], [2], -1), [2, 1, 3]);
  assert.deepEqual(shifted([1, 2, 3], [3], -1), [1, 3, 2]);
  assert.deepEqual(shifted([1, 2, 3], [1], 1), [2, 1, 3]);
  assert.deepEqual(shifted([1, 2, 3], [2], 1), [1, 3, 2]);
});

test('at the edge nothing moves', () => {
  assert.equal(onePlace([1, 2, 3], [1], -1), null);
  assert.equal(onePlace([1, 2, 3], [3], 1), null);
  assert.equal(onePlace([1, 2, 3], [1, 3], -1), null);
  assert.equal(onePlace([1, 2, 3], [1, 3], 1), null);
  assert.equal(onePlace([1], [1], 1), null);
  assert.equal(onePlace([1, 2], [], 1), null);
});

test('a block moves as one, and gathers at the subclip that leads the way', () => {
  assert.deepEqual(shifted([1, 2, 3, 4], [2, 3], 1), [1, 4, 2, 3]);
  assert.deepEqual(shifted([1, 2, 3, 4], [2, 3], -1), [2, 3, 1, 4]);
  assert.deepEqual(shifted([1, 2, 3, 4, 5], [2, 4], -1), [2, 4, 1, 3, 5]);
  assert.deepEqual(shifted([1, 2, 3, 4, 5], [1, 3], 1), [2, 4, 1, 3, 5]);
});

test('what was moved goes back behind the subclips that it followed', () => {
  const before = [1, 2, 3, 4, 5];
  for (const ids of [[5], [1], [2, 4], [1, 5], [3, 4, 5], before]) {
    for (const after of [null, ...before]) {
      const now = moved(before, ids, after !== null && ids.includes(after) ? null : after);
      assert.deepEqual(restored(now, ids, before), before, `${ids} after ${after}`);
    }
  }
});

test('a subclip goes back where others have come and gone since', () => {
  assert.deepEqual(restored([3, 1, 2, 9], [3], [1, 2, 3]), [1, 2, 3, 9]);
  assert.deepEqual(restored([9, 3, 1], [3], [1, 2, 3]), [9, 1, 3]); // 2 is gone: 3 follows 1
  assert.deepEqual(restored([2, 1], [3], [1, 2, 3]), [2, 1]); // 3 is gone
});

test('the predecessor of the first is null', () => {
  assert.equal(predecessor([4, 5], 4), null);
  assert.equal(predecessor([4, 5], 5), 4);
});

test('orders are the same only with the same ids in the same places', () => {
  assert(sameOrder([], []));
  assert(sameOrder([1, 2], [1, 2]));
  assert(!sameOrder([1, 2], [2, 1]));
  assert(!sameOrder([1], [1, 2]));
  assert(!sameOrder([1, 2], [1]));
});
