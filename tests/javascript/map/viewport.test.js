import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxAround, Viewport } from '../../../app/web/static/map/viewport.js';

/** A square map from -1 to 1 on a stage of 800 x 600, shown whole. */
function fitted() {
  const viewport = new Viewport();
  viewport.resize(800, 600);
  viewport.fit();
  return viewport;
}

/**
 * @param {ArrayLike<number>} actual
 * @param {number[]} expected
 */
function near(actual, expected) {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, at) => {
    assert.ok(Math.abs(actual[at] - value) < 1e-6, `${Array.from(actual)} is not ${expected}`);
  });
}

test('the box around points reaches from the outermost to the outermost', () => {
  assert.deepEqual(boxAround([3, -2, -1, 5, 0, 0]), [-1, -2, 3, 5]);
  assert.deepEqual(boxAround([7, 8]), [7, 8, 7, 8]);
  assert.deepEqual(boxAround([]), [-1, -1, 1, 1], 'without points the middle of the plane');
});

test('the whole map fits the shorter side, with a margin, in the middle of the stage', () => {
  const viewport = fitted();
  near([viewport.scale], [(0.88 * 600) / 2]);
  near(viewport.toScreen(0, 0), [400, 300]);
  near(viewport.toScreen(-1, -1), [400 - 264, 36]);
  near(viewport.toScreen(1, 1), [400 + 264, 600 - 36]);
  assert.equal(viewport.magnification, 1);
});

test('a viewport that nobody has moved shows the whole map at every size of the screen', () => {
  const viewport = new Viewport();
  viewport.resize(400, 300);
  near([viewport.scale], [(0.88 * 300) / 2]);
  viewport.resize(800, 600);
  near([viewport.scale], [(0.88 * 600) / 2]);
});

test('the corners of the screen go round it', () => {
  assert.deepEqual(fitted().corners, [
    [0, 0],
    [800, 0],
    [800, 600],
    [0, 600],
  ]);
});

test('a map that is not square, nor in the middle of the plane, fits too', () => {
  const viewport = new Viewport();
  viewport.box = [10, 0, 14, 1];
  viewport.resize(800, 600);
  viewport.fit();
  near(viewport.toScreen(10, 0.5), [48, 300]);
  near(viewport.toScreen(14, 0.5), [752, 300]);
});

test('a map of a single point is not enlarged without end', () => {
  const viewport = new Viewport();
  viewport.box = [0.5, 0.5, 0.5, 0.5];
  viewport.resize(800, 600);
  viewport.fit();
  near([viewport.scale], [(0.88 * 600) / 0.4]);
  near(viewport.toScreen(0.5, 0.5), [400, 300]);
});

test('places of the plane and of the screen convert into each other', () => {
  const viewport = fitted();
  viewport.zoom(3.7, 123, 456);
  for (const place of [
    [0, 0],
    [800, 600],
    [-50, 12.5],
  ]) {
    near(viewport.toScreen(...viewport.toPlane(place[0], place[1])), place);
  }
});

test('the place under the pointer stays there while zooming', () => {
  const viewport = fitted();
  const before = viewport.toPlane(300, 200);
  viewport.zoom(2, 300, 200);
  near(viewport.toPlane(300, 200), before);
  near([viewport.magnification], [2]);
  viewport.zoom(0.5, 300, 200);
  near([viewport.x, viewport.y, viewport.magnification], [0, 0, 1]);
});

test('without a place, zooming keeps the middle', () => {
  const viewport = fitted();
  viewport.pan(40, -30);
  const { x, y } = viewport;
  viewport.zoom(5);
  near([viewport.x, viewport.y], [x, y]);
});

test('zooming ends at 0.7 and at 4000 times the whole map, and what is beyond changes nothing', () => {
  const viewport = fitted();
  viewport.zoom(1e-9);
  near([viewport.magnification], [0.7]);
  viewport.zoom(0);
  near([viewport.magnification], [0.7]);
  viewport.zoom(1e12, 400, 300);
  near([viewport.magnification], [4000]);
  const [x, y] = viewport.toPlane(100, 100);
  viewport.zoom(2, 100, 100);
  near(viewport.toPlane(100, 100), [x, y]);
});

test('dragging moves the map with the pointer', () => {
  const viewport = fitted();
  const before = viewport.toPlane(100, 100);
  viewport.pan(30, -20);
  near(viewport.toPlane(130, 80), before);
});

test('the middle of the view cannot leave the map', () => {
  const viewport = fitted();
  viewport.pan(-1e6, 1e6);
  assert.deepEqual([viewport.x, viewport.y], [1, -1]);
  viewport.pan(1e6, -1e6);
  assert.deepEqual([viewport.x, viewport.y], [-1, 1]);
  viewport.zoom(0.9, 1e5, 0);
  assert.equal(viewport.x, -1);
});

test('a map that is shown whole stays so when the stage changes, and one that was moved keeps its scale', () => {
  const viewport = fitted();
  viewport.resize(400, 300);
  near([viewport.scale], [(0.88 * 300) / 2]);
  for (const move of [() => viewport.pan(1, 0), () => viewport.zoom(1.1)]) {
    viewport.fit();
    move();
    const { scale } = viewport;
    viewport.resize(1000, 900);
    assert.equal(viewport.scale, scale);
  }
  viewport.fit();
  viewport.resize(400, 300);
  assert.equal(viewport.magnification, 1);
});

test('a stage without a size has a scale, and the first size fits the map', () => {
  const viewport = new Viewport();
  viewport.fit();
  assert.equal(viewport.scale, 1);
  viewport.resize(800, 600);
  near([viewport.scale], [264]);
});
