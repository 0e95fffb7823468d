import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { MapCanvas } from '../../../app/web/static/map/canvas.js';
import { pointsOf } from './map_points.js';

/** @typedef {import('./map_points.js').Shot} Shot */

/** A canvas whose picture is an array. */
function blank() {
  const canvas = document.createElement('canvas');
  const context = {
    createImageData: (/** @type {number} */ width, /** @type {number} */ height) => ({
      data: new Uint8ClampedArray(4 * width * height),
    }),
    putImageData: () => {},
  };
  Object.assign(canvas, { getContext: () => context });
  return new MapCanvas(canvas);
}

/** @type {Shot[]} */
const CORNERS = [
  [1, -1, -1, 1],
  [2, 1, 1, 1],
];

let map = blank();

beforeEach(() => {
  map = blank();
});

/** @param {Shot[]} shots */
function show(shots) {
  const points = pointsOf(shots);
  map.setPoints(points);
  map.setColours({
    colours: Uint32Array.from(shots, (_, at) => 0xff000001 + at),
    order: Uint32Array.from(shots.keys()),
  });
}

test('the points are drawn where clicks find them', () => {
  map.resize(300, 200);
  show(CORNERS);
  map.draw();
  for (const at of [0, 1]) {
    const [x, y] = map.toScreen(at);
    assert.equal(map.pixels[Math.round(y) * 300 + Math.round(x)], map.colours[at]);
  }
});

test('what was drawn before is gone', () => {
  map.resize(300, 200);
  show(CORNERS);
  map.draw();
  map.viewport.pan(40, 0);
  map.draw();
  assert.deepEqual(new Set(map.pixels.filter((pixel) => pixel >>> 24 === 255)), new Set([0xff000001, 0xff000002]));
  const [x, y] = map.toScreen(0);
  assert.equal(map.pixels[Math.round(y) * 300 + Math.round(x) - 40], 0);
});

test('a map that comes before the stage has a size is shown whole', () => {
  show(CORNERS);
  map.resize(300, 200);
  assert.equal(map.viewport.magnification, 1);
});

test('a new version of the map keeps the view', () => {
  map.resize(300, 200);
  show(CORNERS);
  map.viewport.zoom(4);
  const { scale } = map.viewport;
  show([...CORNERS, [3, 0, 0, 1]]);
  assert.equal(map.viewport.scale, scale);
});

test('a stage without points, or without a size, draws nothing and fails at nothing', () => {
  map.draw();
  assert.deepEqual(map.spread(10, 10), []);
  map.resize(0, 0);
  map.draw();
  assert.equal(map.canvas.width, 1);
});

test('points are as large as the room allows, within limits', () => {
  map.resize(1000, 800);
  show(CORNERS);
  assert.equal(map.radius, 6.5);
  show(Array.from({ length: 100000 }, (_, at) => /** @type {Shot} */ ([at + 1, 0, 0, 1])));
  assert.equal(map.radius, 1.25);
  show(Array.from({ length: 8000 }, (_, at) => /** @type {Shot} */ ([at + 1, 0, 0, 1])));
  map.viewport.fit();
  const small = map.radius;
  map.viewport.zoom(4);
  assert.ok(Math.abs(map.radius / small - 2) < 1e-9, 'enlarged as the map is, by the square root');
});

test('the choice of pictures is kept while the map moves, and made again for other sizes and scales', () => {
  map.resize(1000, 800);
  show(CORNERS);
  const first = map.spread(100, 50);
  map.viewport.pan(10, 0);
  assert.equal(map.spread(100, 50), first);
  map.viewport.zoom(1.1);
  assert.equal(map.spread(100, 50), first);
  assert.notEqual(map.spread(120, 60), first);
  map.viewport.zoom(2);
  assert.notEqual(map.spread(100, 50), first);
  show(CORNERS);
  assert.deepEqual(map.spread(5000, 5000), [1], 'the topmost one alone');
});

test('pictures that were chosen at a scale have room at every larger one of its step', () => {
  map.resize(1000, 800);
  show(Array.from({ length: 200 }, (_, at) => [at + 1, (at % 20) / 10 - 1, Math.floor(at / 20) / 5 - 1, 1]));
  for (const zoom of [0.8, 1, 1.2, 1.4, 1.5, 3, 7]) {
    map.viewport.fit();
    map.viewport.zoom(zoom);
    const chosen = map.spread(88, 50);
    assert.ok(chosen.length > 1);
    for (const a of chosen) {
      for (const b of chosen) {
        const [[ax, ay], [bx, by]] = [map.toScreen(a), map.toScreen(b)];
        assert.ok(a === b || Math.abs(ax - bx) >= 87.99 || Math.abs(ay - by) >= 49.99, `${zoom}: ${a} hides ${b}`);
      }
    }
  }
});

test('more pictures come with every zoom by the square root of two', () => {
  map.resize(1000, 800);
  show([...CORNERS, [3, 0, 0, 1], [4, 0.1, 0, 1]]); // the last two are 35.2 pixels apart
  /** @type {[number, number[]][]} */
  const choices = [
    [2, [3, 1, 0]],
    [2.8, [3, 1, 0]], // 98 pixels apart, but they would not be at the beginning of this step
    [2 ** 1.5, [3, 2, 1, 0]],
    [4, [3, 2, 1, 0]],
  ];
  for (const [zoom, chosen] of choices) {
    map.viewport.fit();
    map.viewport.zoom(zoom);
    assert.deepEqual(map.spread(88, 50), chosen, `${zoom}`);
  }
  show([...CORNERS, [3, 0, 0, 1], [4, 0.4, 0, 1]]); // 99.6 pixels apart at the smallest of these zooms
  map.viewport.fit();
  map.viewport.zoom(1 / Math.SQRT2); // a little less than the step, as rounding has it
  assert.deepEqual(map.spread(88, 50), [3, 2, 1, 0]);
});

test('a browser that cannot draw is an error in words', () => {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { getContext: () => null });
  assert.throws(() => new MapCanvas(canvas), /cannot draw on a canvas/);
});
