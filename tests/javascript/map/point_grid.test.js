import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PointGrid } from '../../../app/web/static/map/point_grid.js';

/** @typedef {import('../../../app/web/static/map/viewport.js').Box} Box */

/**
 * @param {PointGrid} grid
 * @param {Box} box
 */
function found(grid, box) {
  /** @type {number[]} */
  const visited = [];
  grid.inBox(box, (at) => visited.push(at));
  return visited.sort((a, b) => a - b);
}

const CELL = 2.3 / 256;

test('a box finds every point in it, and none that is more than a cell away', () => {
  const xy = [];
  for (let x = -1; x <= 1.001; x += 0.05) for (let y = -1; y <= 1.001; y += 0.05) xy.push(x, y);
  const grid = new PointGrid(xy, 1);
  for (const [left, top, right, bottom] of /** @type {Box[]} */ ([
    [-1, -1, 1, 1],
    [0.1, -0.33, 0.42, 0.07],
    [0.05, 0.05, 0.05, 0.05],
    [-2, -2, -0.9, -0.9],
  ])) {
    const visited = new Set(found(grid, [left, top, right, bottom]));
    for (let at = 0; at < xy.length / 2; at += 1) {
      const [x, y] = [xy[2 * at], xy[2 * at + 1]];
      if (x >= left && x <= right && y >= top && y <= bottom) assert.ok(visited.has(at), `${x} ${y} is missing`);
      if (x < left - CELL || x > right + CELL || y < top - CELL || y > bottom + CELL)
        assert.ok(!visited.has(at), `${x} ${y} is too far`);
    }
  }
});

test('each point is visited once', () => {
  const grid = new PointGrid([0, 0, 0, 0, 0.5, 0.5, -1, 1], 1);
  assert.deepEqual(found(grid, [-1, -1, 1, 1]), [0, 1, 2, 3]);
});

test('points outside the grid are in the cells at its edge', () => {
  const grid = new PointGrid([-9, -9, 9, 9, 9, -9], 1);
  assert.deepEqual(found(grid, [-10, -10, -8, -8]), [0]);
  assert.deepEqual(found(grid, [8, 8, 10, 10]), [1]);
  assert.deepEqual(found(grid, [1.149, -1.15, 1.15, -1.149]), [2]);
  assert.deepEqual(found(grid, [-1, -1, 1, 1]), []);
  assert.deepEqual(found(grid, [-Infinity, -Infinity, Infinity, Infinity]), [0, 1, 2]);
});

test('the edges of the grid belong to it', () => {
  const grid = new PointGrid([-1.15, -1.15, 1.15, 1.15], 1);
  assert.deepEqual(found(grid, [-1.15, -1.15, -1.15, -1.15]), [0]);
  assert.deepEqual(found(grid, [1.15, 1.15, 1.15, 1.15]), [1]);
});

test('a stretched grid is wider than it is high', () => {
  const grid = new PointGrid([1.7, 0, -1.7, 0], 1.8);
  assert.deepEqual(found(grid, [1.65, -0.1, 1.75, 0.1]), [0]);
  assert.deepEqual(found(grid, [-1.75, -0.1, -1.65, 0.1]), [1]);
});

test('a grid without points finds none', () => {
  assert.deepEqual(found(new PointGrid([], 1), [-1, -1, 1, 1]), []);
});
