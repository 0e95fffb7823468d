import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsAt, shareOf, stretchAround, withinProxy } from '../../../app/web/static/player/stretch.js';

test('ten seconds on either side of the shot are loaded, within the video', () => {
  assert.deepEqual(stretchAround({ start: 30, end: 34, duration: 100 }), { first: 20, last: 44 });
  assert.deepEqual(stretchAround({ start: 3, end: 9, duration: 12 }), { first: 0, last: 12 });
  assert.deepEqual(stretchAround({ start: 0, end: 0.04, duration: 0.04 }), { first: 0, last: 0.04 });
});

test('a range that is asked for comes before the margin', () => {
  assert.deepEqual(stretchAround({ start: 30, end: 34, duration: 100 }, { from: 28, to: 37 }), { first: 28, last: 37 });
  assert.deepEqual(stretchAround({ start: 30, end: 34, duration: 36 }, { from: -2, to: 60 }), { first: 0, last: 36 });
  assert.deepEqual(stretchAround({ start: 30, end: 34, duration: 100 }, { from: 0, margin: 2 }), {
    first: 0,
    last: 36,
  });
});

test('no more is loaded than the server lists frames of', () => {
  assert.deepEqual(stretchAround({ start: 30, end: 500, duration: 900 }), { first: 20, last: 140 });
});

test('a proxy that holds less than the stretch narrows it; one that holds more does not widen it', () => {
  assert.deepEqual(withinProxy({ first: 20, last: 44 }, { offset: 22, duration: 20 }), { first: 22, last: 42 });
  assert.deepEqual(withinProxy({ first: 20, last: 44 }, { offset: 0, duration: 100 }), { first: 20, last: 44 });
});

test('places on the strip and times are each other’s inverse', () => {
  const stretch = { first: 20, last: 44 };
  assert.equal(shareOf(20, stretch), 0);
  assert.equal(shareOf(44, stretch), 1);
  assert.equal(shareOf(8, stretch), -0.5);
  for (const share of [0, 0.25, 1]) assert.equal(shareOf(secondsAt(share, stretch), stretch), share);
});

test('a pointer dragged past an end of the strip stays at the end', () => {
  assert.equal(secondsAt(-0.4, { first: 20, last: 44 }), 20);
  assert.equal(secondsAt(1.7, { first: 20, last: 44 }), 44);
});

test('an empty stretch has no place that is not a number', () => {
  assert.equal(shareOf(0, { first: 0, last: 0 }), 0);
});
