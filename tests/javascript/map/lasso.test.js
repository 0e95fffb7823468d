import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enclosedPoints, isInside } from '../../../app/web/static/map/lasso.js';
import { Viewport } from '../../../app/web/static/map/viewport.js';
import { pointsOf, scoresOf } from './map_points.js';

/** @typedef {import('../../../app/web/static/map/viewport.js').Place} Place */

/** @type {Place[]} */
const SQUARE = [
  [0, 0],
  [10, 0],
  [10, 10],
  [0, 10],
];

test('a place is inside a polygon, or it is not', () => {
  assert.ok(isInside(5, 5, SQUARE));
  assert.ok(isInside(0.01, 9.99, SQUARE));
  for (const [x, y] of [
    [-1, 5],
    [11, 5],
    [5, -1],
    [5, 11],
  ])
    assert.ok(!isInside(x, y, SQUARE), `${x} ${y}`);
});

test('the direction in which a lasso is drawn does not matter', () => {
  assert.ok(isInside(5, 5, SQUARE.toReversed()));
});

test('a bay of a polygon is outside, and so is where a lasso crosses itself twice', () => {
  /** @type {Place[]} */
  const bay = [
    [0, 0],
    [10, 0],
    [10, 10],
    [5, 2],
    [0, 10],
  ];
  assert.ok(!isInside(5, 8, bay));
  assert.ok(isInside(5, 1, bay));
  assert.ok(!isInside(5, 5, [...SQUARE, ...SQUARE]));
});

test('a point, a line or nothing encloses nothing', () => {
  assert.ok(!isInside(0, 0, []));
  assert.ok(!isInside(0, 0, [[0, 0]]));
  assert.ok(
    !isInside(5, 5, [
      [0, 0],
      [10, 10],
    ]),
  );
});

/** Points on a stage of 200 x 200 whose whole map is from -1 to 1: pixel 100 + 88 x. */
function stage() {
  const points = pointsOf([
    [1, -1, -1, 1],
    [2, 1, 1, 1],
    [3, 0, 0, 1],
    [4, 0.25, 0, 1],
  ]);
  const viewport = new Viewport();
  viewport.box = points.box;
  viewport.resize(200, 200);
  viewport.fit();
  return { points, viewport };
}

test('a lasso on the screen chooses the points in it, in order', () => {
  const { points, viewport } = stage();
  const around = /** @type {Place[]} */ ([
    [90, 90],
    [130, 90],
    [130, 110],
    [90, 110],
  ]);
  assert.deepEqual(enclosedPoints(points, viewport, around), [2, 3]);
  const whole = SQUARE.map(([x, y]) => /** @type {Place} */ ([20 * x, 20 * y]));
  assert.deepEqual(enclosedPoints(points, viewport, whole), [0, 1, 2, 3]);
});

test('what is seen after zooming is chosen, and what is not seen is not', () => {
  const { points, viewport } = stage();
  viewport.zoom(8);
  const seen = SQUARE.map(([x, y]) => /** @type {Place} */ ([20 * x, 20 * y]));
  assert.deepEqual(enclosedPoints(points, viewport, seen), [2]);
});

test('points that filters leave out are not chosen', () => {
  const { points, viewport } = stage();
  points.setScores(scoresOf([1, 1, 65535, 1]));
  const whole = SQUARE.map(([x, y]) => /** @type {Place} */ ([20 * x, 20 * y]));
  assert.deepEqual(enclosedPoints(points, viewport, whole), [0, 1, 3]);
});

test('a lasso without corners, or beside the map, chooses nothing', () => {
  const { points, viewport } = stage();
  assert.deepEqual(enclosedPoints(points, viewport, []), []);
  const beside = SQUARE.map(([x, y]) => /** @type {Place} */ ([x + 5000, y + 5000]));
  assert.deepEqual(enclosedPoints(points, viewport, beside), []);
});
