import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beside,
  contains,
  grown,
  hasMore,
  mergedFrames,
  segmentBeside,
  towards,
} from '../../../../app/web/static/collections/trim/frame_window.js';

const stretch = { first: 100, last: 160 };
const duration = 4000;

test('there is more of a video until its ends are known', () => {
  assert.ok(hasMore('earlier', stretch, duration) && hasMore('later', stretch, duration));
  assert.ok(!hasMore('earlier', { first: 0, last: 160 }, duration));
  assert.ok(!hasMore('later', { first: 100, last: duration }, duration));
  assert.ok(!hasMore('later', { first: 100, last: duration - 0.0005 }, duration)); // rounded
});

test('half a minute more is asked for, which leaves no gap and stays within the video', () => {
  assert.deepEqual(beside('earlier', stretch, duration), { from: 70, to: 100.001 });
  assert.deepEqual(beside('later', stretch, duration), { from: 159.999, to: 190 });
  assert.deepEqual(beside('earlier', { first: 5, last: 160 }, duration), { from: 0, to: 5.001 });
  assert.deepEqual(beside('later', { first: 0, last: 3999 }, duration), { from: 3998.999, to: duration });
  assert.deepEqual(beside('later', stretch, duration, 115), { from: 159.999, to: 275 });
});

test('the stretch grows towards a time outside it, or near its edge', () => {
  assert.equal(towards(130, stretch), null);
  assert.equal(towards(100.75, stretch), null);
  assert.equal(towards(159.25, stretch), null);
  assert.deepEqual(towards(100.7, stretch), { side: 'earlier', by: 30 });
  assert.deepEqual(towards(159.3, stretch), { side: 'later', by: 30 });
  assert.deepEqual(towards(50, stretch), { side: 'earlier', by: 55 });
  assert.deepEqual(towards(210, stretch), { side: 'later', by: 55 });
});

test('no more is asked for at once than the server lists', () => {
  for (const seconds of [0, 3000]) {
    const next = towards(seconds, { first: 1000, last: 1060 });
    assert.ok(next && next.by <= 119);
  }
});

test('any time is reached by growing again and again', () => {
  for (const seconds of [0, 3, 2500, duration]) {
    let now = { first: 1000, last: 1060 };
    for (let round = 0; round < 200; round += 1) {
      const next = towards(seconds, now);
      if (!next || !hasMore(next.side, now, duration)) break;
      const { from, to } = beside(next.side, now, duration, next.by);
      now = grown(now, next.side, next.side === 'earlier' ? from : to);
    }
    assert.ok(contains(seconds, now), String(seconds));
  }
});

test('a stretch that gets longer than half an hour is cut at the other end', () => {
  assert.deepEqual(grown(stretch, 'later', 190), { first: 100, last: 190 });
  assert.deepEqual(grown(stretch, 'earlier', 70), { first: 70, last: 160 });
  assert.deepEqual(grown({ first: 100, last: 1890 }, 'later', 1920), { first: 120, last: 1920 });
  assert.deepEqual(grown({ first: 100, last: 1890 }, 'earlier', 70), { first: 70, last: 1870 });
});

test('frames of two lists are joined in order, each once, without those outside the stretch', () => {
  const one = { pts: [100, 140, 180], seconds: [1, 1.4, 1.8] };
  const other = { pts: [20, 60, 100], seconds: [0.2, 0.6, 1] };
  assert.deepEqual(mergedFrames(one, other, { first: 0, last: 2 }), {
    pts: [20, 60, 100, 140, 180],
    seconds: [0.2, 0.6, 1, 1.4, 1.8],
  });
  assert.deepEqual(mergedFrames(one, other, { first: 0.6, last: 1.4 }).pts, [60, 100, 140]);
  assert.deepEqual(mergedFrames(one, { pts: [], seconds: [] }, { first: 0, last: 2 }), one);
});

test('pts are ordered as numbers', () => {
  const joined = mergedFrames(
    { pts: [1000], seconds: [10] },
    { pts: [-90, 900], seconds: [0, 9] },
    { first: 0, last: 10 },
  );
  assert.deepEqual(joined.pts, [-90, 900, 1000]);
});

test('a stretch contains its ends', () => {
  for (const seconds of [100, 130, 160]) assert.ok(contains(seconds, stretch));
  for (const seconds of [99.99, 160.01]) assert.ok(!contains(seconds, stretch));
});

test('the segment beside a stretch is the nearest that goes on', () => {
  const segments = [
    { start: 0, end: 99.9 },
    { start: 99.9, end: 130 },
    { start: 130, end: 160.2 },
    { start: 160.2, end: 200 },
    { start: 200, end: 240 },
  ];
  assert.equal(segmentBeside(segments, 'later', stretch), segments[3]);
  assert.equal(segmentBeside(segments, 'earlier', stretch), segments[0]);
  assert.equal(segmentBeside(segments, 'later', { first: 100, last: 239.5 }), undefined);
  assert.equal(segmentBeside([], 'earlier', stretch), undefined);
});
