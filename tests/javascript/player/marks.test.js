import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameTimes } from '../../../app/web/static/player/frame_times.js';
import { Marks, newSubclip, ptsOf } from '../../../app/web/static/player/marks.js';

const indices = Array.from({ length: 100 }, (_, at) => at);
/** @type {import('../../../app/web/static/player/frame_times.js').FrameClock} */
const clock = { rate: [25, 1], time_base: [1, 1000], duration: 4 };
const times = new FrameTimes({ pts: indices.map((at) => 500 + 40 * at), seconds: indices.map((at) => at / 25) }, clock);
const shot = { start: 1, end: 2 }; // frames 25 to 49

/**
 * @param {number | null} from
 * @param {number | null} to
 * @param {{start: number, end: number}} [within]
 */
function ends(from, to, within = shot) {
  const marks = new Marks();
  if (from !== null) marks.set('in', from);
  if (to !== null) marks.set('out', to);
  const range = marks.range(times, within);
  return range && [range.first, range.last];
}

test('nothing is marked at first, nor after clearing', () => {
  const marks = new Marks();
  assert.equal(marks.range(times, shot), null);
  marks.set('in', 0);
  marks.set('out', 0);
  marks.clear();
  assert.equal(marks.range(times, shot), null);
});

test('the range runs from the start of the in frame to the end of the out frame', () => {
  const marks = new Marks();
  marks.set('in', 30);
  marks.set('out', 34);
  assert.deepEqual(marks.range(times, shot), {
    first: 30,
    last: 34,
    start: 1.2,
    end: 1.4,
    start_pts: 1700,
    end_pts: 1900,
  });
});

test('an end that is not marked is that of the shot', () => {
  assert.deepEqual(ends(30, null), [30, 49]);
  assert.deepEqual(ends(null, 30), [25, 30]);
});

test('beyond the shot, an end that is not marked is the other mark', () => {
  assert.deepEqual(ends(60, null), [60, 60]);
  assert.deepEqual(ends(null, 10), [10, 10]);
});

test('a part of a shot that begins between two frames does not take the frame before it', () => {
  assert.deepEqual(ends(null, 40, { start: 1.01, end: 2 }), [26, 40]);
  assert.deepEqual(ends(30, null, { start: 1, end: 2.01 }), [30, 50]);
});

test('one frame is a range', () => {
  assert.deepEqual(ends(30, 30), [30, 30]);
  assert.deepEqual(ends(0, 0), [0, 0]);
});

test('a mark on the wrong side takes the other one away', () => {
  const marks = new Marks();
  marks.set('in', 30);
  marks.set('out', 29);
  assert.deepEqual([marks.in, marks.out], [null, 29]);
  marks.set('in', 40);
  assert.deepEqual([marks.in, marks.out], [40, null]);
});

test('a range does not begin before the frames that are known', () => {
  const marks = new Marks();
  marks.set('out', 40);
  assert.equal(marks.range(times, { start: 0, end: 2 }, 1.2)?.first, 30);
});

test('a range may begin with the video', () => {
  assert.deepEqual(ends(null, 40, { start: 0, end: 2 }), [0, 40]);
});

test('the tray gets the marked range in pts, or the whole segment', () => {
  const marks = new Marks();
  marks.set('in', 30);
  marks.set('out', 34);
  const range = marks.range(times, shot);
  assert.deepEqual(newSubclip(7, range, 0.25), { segment: 7, score: 0.25, start_pts: 1700, end_pts: 1900 });
  assert.deepEqual(newSubclip(7, null, 0), { segment: 7, score: 0 });
  assert.deepEqual(newSubclip(7, null), { segment: 7 });
});

test('where the frames are not known, a range has times but no pts', () => {
  const marks = new Marks();
  marks.set('in', 30);
  marks.set('out', 34);
  const range = marks.range(new FrameTimes(null, clock), shot);
  assert.ok(range);
  assert.deepEqual([range.start, range.end], [1.2, 1.4]);
  assert.equal(ptsOf(range), null);
});
