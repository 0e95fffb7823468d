import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draggedTo, percent, TimeScale } from '../../../../app/web/static/collections/trim/time_scale.js';
import { VIDEOS } from './footage.js';

const scale = new TimeScale({ first: 10, last: 30 });
const box = { left: 100, width: 400 };

test('places run from the left end of the strip to the right', () => {
  for (const [seconds, share] of [
    [10, 0],
    [15, 0.25],
    [30, 1],
    [0, 0],
    [99, 1],
  ])
    assert.equal(scale.share(seconds), share);
});

test('a pointer is at the time below it, and beyond the strip at its ends', () => {
  for (const [x, seconds] of [
    [100, 10],
    [200, 15],
    [500, 30],
    [0, 10],
    [900, 30],
  ])
    assert.equal(scale.secondsAt(x, box), seconds);
});

test('a time is found again at its place', () => {
  for (const seconds of [10, 12.5, 29.97])
    assert.ok(Math.abs(scale.secondsAt(box.left + box.width * scale.share(seconds), box) - seconds) < 1e-9);
});

test('a strip that is not shown, or has no length, gives times all the same', () => {
  assert.equal(scale.secondsAt(0, { left: 0, width: 0 }), 10);
  const empty = new TimeScale({ first: 10, last: 10 });
  assert.equal(empty.share(10), 0);
  assert.equal(empty.secondsAt(300, box), 10);
});

test('a range is drawn as wide as it is, and cut off at the ends', () => {
  assert.deepEqual(scale.place(15, 20), { left: '25%', width: '25%' });
  assert.deepEqual(scale.place(0, 20), { left: '0%', width: '50%' });
  assert.deepEqual(scale.place(0, 99), { left: '0%', width: '100%' });
  assert.deepEqual(scale.place(40, 50), { left: '100%', width: '0%' });
  assert.equal(percent(0.5), '50%');
});

test('cuts at the ends of the strip are not marked', () => {
  assert.deepEqual(scale.inside([0, 10, 10.1, 29.9, 30, 31]), [10.1, 29.9]);
});

const { times } = VIDEOS['frames of a changing length']; // 0 40 90 91 300 340 1300 1340, the end 1400

test('a dragged point snaps to the nearest edge between frames', () => {
  const range = { first: 0, last: 7 };
  for (const [milliseconds, edge] of [
    [0, 0],
    [19, 0],
    [21, 1],
    [40, 1],
    [819, 5],
    [821, 6],
    [1330, 7],
  ]) {
    assert.equal(draggedTo('in', milliseconds / 1000, times, range), edge);
    // Out lies at the end of its frame, and so the same edge belongs to the frame before.
    assert.equal(draggedTo('out', milliseconds / 1000, times, range), Math.max(0, edge - 1));
  }
});

test('out can be dragged to the end of the last frame', () => {
  assert.equal(draggedTo('out', 1.4, times, { first: 0, last: 3 }), 7);
});

test('no point is dragged past the other one', () => {
  assert.equal(draggedTo('in', 1.34, times, { first: 2, last: 4 }), 4);
  assert.equal(draggedTo('out', 0, times, { first: 2, last: 4 }), 2);
});
