import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameTimes } from '../../../app/web/static/player/frame_times.js';

/**
 * @param {[number, number]} rate
 * @param {number} frames
 * @param {{base?: [number, number], duration?: number, from?: number}} [options]
 */
function constant(rate, frames, { base = [1, 90000], duration, from = 0 } = {}) {
  const [number, per] = rate;
  const indices = Array.from({ length: frames }, (_, at) => from + at);
  const pts = indices.map((at) => Math.round((at * per * base[1]) / number / base[0]));
  const seconds = pts.map((each) => Number(((each * base[0]) / base[1]).toFixed(9)));
  return new FrameTimes(
    { pts, seconds },
    { rate, time_base: base, duration: duration ?? ((from + frames) * per) / number },
  );
}

/** @type {[string, [number, number]][]} */
const RATES = [
  ['23.976', [24000, 1001]],
  ['25', [25, 1]],
  ['29.97', [30000, 1001]],
  ['59.94', [60000, 1001]],
  ['240', [240, 1]],
  ['1000', [1000, 1]],
];

for (const [name, rate] of RATES) {
  test(`each frame is found by its start, its middle, and the time a browser reports of it, at ${name} frames a second`, () => {
    const times = constant(rate, 500);
    assert.equal(times.endPtsOf(498), times.ptsOf(499));
    for (let index = 0; index < 500; index += 1) {
      const start = times.timeOf(index);
      assert.equal(times.indexAt(start), index);
      assert.equal(times.indexAt(times.middleOf(index)), index);
      assert.equal(times.indexOfStart(Math.floor(start * 1e6) / 1e6), index);
      assert.equal(times.indexFrom(start), index);
      assert.equal(times.indexBefore(times.endOf(index)), index);
    }
  });

  test(`without a list, frames are counted by the rate, at ${name} frames a second`, () => {
    const times = new FrameTimes(null, { rate, time_base: [1, 1000], duration: 100 });
    for (let index = 0; index < 500; index += 1) {
      assert.equal(times.indexAt(times.timeOf(index)), index);
      assert.equal(times.indexAt(times.middleOf(index)), index);
      assert.equal(times.indexFrom(times.timeOf(index)), index);
      assert.equal(times.indexBefore(times.endOf(index)), index);
    }
    assert.equal(times.ptsOf(3), null);
    assert.equal(times.endPtsOf(3), null);
  });
}

test('a time that was rounded to milliseconds still means its frame, with and without a list', () => {
  const clock = {
    rate: /** @type {[number, number]} */ ([30000, 1001]),
    time_base: /** @type {[number, number]} */ ([1, 1000]),
    duration: 10,
  };
  const unlisted = new FrameTimes(null, clock);
  const listed = constant([30000, 1001], 250, { base: [1, 1000] });
  for (let index = 0; index < 250; index += 1) {
    const reported = Math.round((index * 1001) / 30) / 1000;
    assert.equal(unlisted.indexOfStart(reported), index);
    assert.equal(listed.indexOfStart(reported), index);
  }
});

test('frames of uneven length each have their own middle and end', () => {
  const times = new FrameTimes(
    { pts: [0, 64, 256, 272], seconds: [0, 0.0625, 0.25, 0.265625] },
    { rate: [32, 1], time_base: [1, 1024], duration: 0.5 },
  );
  assert.equal(times.indexAt(0.249), 1);
  assert.equal(times.indexAt(0.25), 2);
  assert.equal(times.middleOf(1), 0.15625);
  assert.equal(times.endOf(2), 0.265625);
  assert.equal(times.endPtsOf(1), 256);
  assert.equal(times.endPtsOf(3), 304, 'the last one lasts as the rate says');
});

test('the last frame ends with the video, even where that is before its nominal end', () => {
  const times = constant([25, 1], 10, { base: [1, 1000], duration: 0.38 });
  assert.equal(times.endOf(9), 0.38);
  assert.equal(times.endPtsOf(9), 380);
  assert.equal(constant([25, 1], 10, { base: [1, 1000], duration: 20 }).endPtsOf(9), 400);
});

test('the last frame has a length, however early the video is said to end', () => {
  assert.equal(constant([25, 1], 2, { base: [1, 1000], duration: 0.04 }).endPtsOf(1), 41);
});

test('the last frame but one ends where the last one begins, however long it is', () => {
  const list = { pts: [0, 900, 1000], seconds: [0, 0.9, 1] };
  const times = new FrameTimes(list, { rate: [25, 1], time_base: [1, 1000], duration: 1.04 });
  assert.equal(times.endPtsOf(0), 900);
  assert.equal(times.endPtsOf(1), 1000);
});

test('outside the list, the nearest frame counts', () => {
  const times = constant([25, 1], 10, { from: 100 });
  assert.equal(times.indexAt(0), 0);
  assert.equal(times.indexAt(1000), 9);
  for (const [index, nearest] of [
    [-5, 0],
    [10, 9],
    [1000, 9],
  ]) {
    assert.equal(times.timeOf(index), times.timeOf(nearest));
    assert.equal(times.endOf(index), times.endOf(nearest));
    assert.equal(times.middleOf(index), times.middleOf(nearest));
    assert.equal(times.ptsOf(index), times.ptsOf(nearest));
    assert.equal(times.endPtsOf(index), times.endPtsOf(nearest));
    assert.equal(times.clamp(index, { first: 4, last: 4.4 }), nearest);
  }
});

test('a list of one frame is that frame at any time', () => {
  const times = constant([25, 1], 1, { base: [1, 1000] });
  assert.equal(times.indexAt(-1), 0);
  assert.equal(times.indexAt(9), 0);
  assert.equal(times.endOf(0), 0.04);
  assert.equal(times.endPtsOf(0), 40);
  assert.equal(times.clamp(7, { first: 0, last: 0.04 }), 0);
});

test('a part that begins between two frames begins with the later one', () => {
  const times = constant([25, 1], 100);
  assert.equal(times.indexFrom(1.01), 26);
  assert.equal(times.indexFrom(1.0), 25);
  assert.equal(times.indexFrom(1.00005), 25, 'a difference of rounding is none');
  assert.equal(times.indexFrom(99), 100, 'all frames begin earlier');
  assert.equal(new FrameTimes(null, times.clock).indexFrom(1.01), 26);
});

test('before a cut lies the frame that begins before it, wherever the cut is', () => {
  const times = constant([25, 1], 100);
  assert.equal(times.indexBefore(1.0), 24);
  assert.equal(times.indexBefore(1.01), 25);
  assert.equal(times.indexBefore(0), 0);
});

test('without a list, frames outside the stretch cannot be shown', () => {
  const times = new FrameTimes(null, { rate: [25, 1], time_base: [1, 1000], duration: 10 });
  const stretch = { first: 1.01, last: 2 };
  assert.equal(times.clamp(3, stretch), 26);
  assert.equal(times.clamp(30, stretch), 30);
  assert.equal(times.clamp(50, stretch), 49);
  assert.equal(times.clamp(-1, { first: 0, last: 0 }), 0);
  assert.equal(times.timeOf(-3), 0);
  assert.equal(times.endOf(-3), 0.04);
  assert.equal(times.indexAt(-1), 0);
  assert.equal(times.clamp(-1, { first: 0, last: 1 }), 0);
  assert.equal(times.timeOf(times.within(-3)), 0);
});

test('without a video, frames count at 25 a second', () => {
  assert.equal(new FrameTimes(null, null).rate, 25);
});

test('a frame far into a long video is found', () => {
  const times = new FrameTimes(null, { rate: [30000, 1001], time_base: [1, 30000], duration: 1e6 });
  const index = 24 * 3600 * 30 - 1;
  assert.equal(times.indexAt(times.timeOf(index)), index);
});
