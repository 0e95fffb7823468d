import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spreadPoints } from '../../../app/web/static/map/spread.js';

/** Places that look random and are the same at every run. */
function scattered(/** @type {number} */ count) {
  let state = 1;
  return Float32Array.from({ length: 2 * count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  });
}

test('no two pictures overlap, and no point is without one that could have had one', () => {
  const count = 500;
  const xy = scattered(count);
  const [width, height] = [0.17, 0.11];
  const order = Array.from({ length: count }, (_, at) => (at * 7) % count);
  const chosen = spreadPoints(order, xy, null, width, height);
  const overlap = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.abs(xy[2 * a] - xy[2 * b]) < width && Math.abs(xy[2 * a + 1] - xy[2 * b + 1]) < height;
  assert.ok(chosen.length > 20);
  for (const a of chosen) for (const b of chosen) assert.ok(a === b || !overlap(a, b), `${a} and ${b} overlap`);
  for (const at of order)
    assert.ok(
      chosen.some((each) => overlap(each, at)),
      `${at} would have had room`,
    );
});

test('the topmost point comes first and is preferred', () => {
  assert.deepEqual(spreadPoints([2, 0, 1], [0, 0, 0.01, 0, 3, 3], null, 1, 1), [1, 2]);
});

test('pictures that touch do not overlap', () => {
  assert.deepEqual(spreadPoints([0, 1], [0, 0, 1, 0], null, 1, 1), [1, 0]);
  assert.deepEqual(spreadPoints([0, 1], [0, 0, 0, 1], null, 1, 1), [1, 0]);
  assert.deepEqual(spreadPoints([0, 1], [0, 0, 0.99, 0.99], null, 1, 1), [1]);
});

test('negative places count like others', () => {
  assert.deepEqual(spreadPoints([0, 1, 2], [-0.1, -0.1, 0.1, 0.1, -1.2, -0.1], null, 1, 1), [2, 1]);
});

test('points that filters leave out have no picture, and a map without points has none', () => {
  assert.deepEqual(spreadPoints([0, 1], [0, 0, 5, 5], [1, 0], 1, 1), [1]);
  assert.deepEqual(spreadPoints([], [], null, 1, 1), []);
});
