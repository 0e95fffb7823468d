import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Viewport } from '../../../app/web/static/video/viewport.js';

/**
 * @param {number} actual
 * @param {number} expected
 */
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

/**
 * @param {number} from
 * @param {number} to
 */
function showing(from, to) {
  const viewport = new Viewport(100, 1000);
  viewport.show(from, to);
  return viewport;
}

/** @param {Viewport} viewport */
const range = ({ from, to }) => [from, to];

test('at first the whole video is shown', () => {
  const viewport = new Viewport(100, 1000);
  assert.deepEqual(range(viewport), [0, 100]);
  assert.equal(viewport.zoomed, false);
  assert.equal(viewport.x(100), 1000);
});

test('times and pixels are each other’s inverse, zoomed or not', () => {
  for (const viewport of [showing(0, 100), showing(20, 30), showing(99, 100)])
    for (const x of [-50, 0, 1, 333, 1000, 1200]) near(viewport.x(viewport.secondsAt(x)), x);
  assert.equal(showing(20, 30).x(25), 500);
});

test('what is shown stays within the video', () => {
  assert.deepEqual(range(showing(-20, 10)), [0, 30]);
  assert.deepEqual(range(showing(90, 120)), [70, 100]);
  assert.deepEqual(range(showing(-50, 500)), [0, 100]);
});

test('no less than a second is shown, unless the video is shorter', () => {
  assert.deepEqual(range(showing(50, 50.2)), [50, 51]);
  assert.deepEqual(range(showing(99.9, 100)), [99, 100]);
  const short = new Viewport(0.4, 1000);
  short.show(0.1, 0.2);
  assert.deepEqual(range(short), [0, 0.4]);
});

test('zooming keeps the time under the pointer where it is', () => {
  const viewport = showing(0, 100);
  for (const x of [300, 640]) {
    const seconds = viewport.secondsAt(x);
    viewport.zoom(2, x);
    near(viewport.x(seconds), x);
  }
  assert.equal(viewport.span, 25);
  assert.equal(viewport.zoomed, true);
});

test('zooming in further than it goes moves nothing', () => {
  const viewport = showing(50, 51);
  viewport.zoom(2);
  viewport.zoom(2, 900);
  assert.deepEqual(range(viewport), [50, 51]);
});

test('zooming goes around the middle where nothing is pointed at, and out to the whole video', () => {
  const viewport = showing(40, 60);
  viewport.zoom(2);
  assert.deepEqual(range(viewport), [45, 55]);
  viewport.zoom(1 / 64);
  assert.deepEqual(range(viewport), [0, 100]);
  assert.equal(viewport.zoomed, false);
});

test('panning moves by pixels, up to the ends', () => {
  const viewport = showing(40, 60);
  viewport.pan(100);
  assert.deepEqual(range(viewport), [42, 62]);
  viewport.pan(-50);
  assert.deepEqual(range(viewport), [41, 61]);
  viewport.pan(1e6);
  assert.deepEqual(range(viewport), [80, 100]);
  viewport.pan(-1e6);
  assert.deepEqual(range(viewport), [0, 20]);
});

test('a shot that lies inside is not moved to; any other comes into the middle', () => {
  const viewport = showing(40, 60);
  viewport.reveal(40, 42);
  viewport.reveal(58, 60);
  assert.deepEqual(range(viewport), [40, 60]);
  viewport.reveal(59, 61);
  assert.deepEqual(range(viewport), [50, 70]);
  viewport.reveal(2, 4);
  assert.deepEqual(range(viewport), [0, 20]);
});

test('a shot longer than what is shown is shown whole', () => {
  const viewport = showing(0, 10);
  viewport.reveal(40, 60);
  assert.deepEqual(range(viewport), [35, 65]);
  viewport.reveal(0, 100);
  assert.deepEqual(range(viewport), [0, 100]);
});

test('what touches an edge is shown', () => {
  const viewport = showing(40, 60);
  assert.deepEqual([viewport.shows(30, 40), viewport.shows(60, 70), viewport.shows(30, 70)], [true, true, true]);
  assert.deepEqual([viewport.shows(30, 39.9), viewport.shows(60.1, 70)], [false, false]);
});

test('the middle of a shot is that of the part which is shown', () => {
  const viewport = showing(40, 60);
  assert.equal(viewport.middleX(44, 48), 300);
  assert.equal(viewport.middleX(0, 44), 100);
  assert.equal(viewport.middleX(0, 100), 500);
});

test('before it has a width, the strip has no time that is not a number', () => {
  const viewport = new Viewport(100);
  assert.equal(viewport.secondsAt(0), 0);
  viewport.zoom(2);
  viewport.pan(10);
  assert.ok(Number.isFinite(viewport.from));
});
