import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pinchFactor, wheelFactor } from '../../../app/web/static/map/zoom_factors.js';

const pixels = { deltaMode: 0, ctrlKey: false };

test('the wheel zooms in upwards and out downwards, by the same factor', () => {
  assert.ok(wheelFactor({ deltaY: -100, ...pixels }) > 1.2);
  assert.ok(Math.abs(wheelFactor({ deltaY: -100, ...pixels }) * wheelFactor({ deltaY: 100, ...pixels }) - 1) < 1e-12);
  assert.equal(wheelFactor({ deltaY: 0, ...pixels }), 1);
});

test('lines and pages are larger steps than pixels', () => {
  const step = (/** @type {number} */ deltaMode) => Math.log(wheelFactor({ deltaY: -1, deltaMode, ctrlKey: false }));
  assert.ok(Math.abs(step(1) / step(0) - 30) < 1e-9);
  assert.ok(Math.abs(step(2) / step(0) - 300) < 1e-9);
});

test('the small steps of a pinch on a touch pad zoom faster', () => {
  assert.ok(wheelFactor({ deltaY: -5, deltaMode: 0, ctrlKey: true }) > wheelFactor({ deltaY: -5, ...pixels }));
});

test('fingers that move apart zoom in as their distance grows, and out as it shrinks', () => {
  assert.equal(pinchFactor([100, 0], [200, 0], [0, 0]), 2);
  assert.equal(pinchFactor([100, 0], [50, 0], [0, 0]), 0.5);
  assert.equal(pinchFactor([3, 4], [3, 4], [33, 44]), 1);
});

test('fingers that touched do not zoom without end', () => {
  assert.equal(pinchFactor([0, 0], [80, 0], [0, 0]), 10);
});
