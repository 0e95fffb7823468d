import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScoredSegments } from '../../../app/web/static/video/scored_segments.js';
import { Viewport } from '../../../app/web/static/video/viewport.js';

/**
 * Segments of equal length, one a shot; ids from 100.
 *
 * @param {number} count
 * @param {number} seconds
 * @param {number[] | null} [scores]
 */
function equal(count, seconds, scores = null) {
  const rows = Array.from(
    { length: count },
    (_, at) =>
      /** @type {import('../../../app/web/static/video/scored_segments.js').SegmentRow} */ ([
        100 + at,
        at,
        at * seconds,
        (at + 1) * seconds,
      ]),
  );
  return new ScoredSegments(rows, scores, 0, 1);
}

test('a time belongs to the segment that has begun last; outside the video, to the nearest one', () => {
  const segments = equal(5, 2);
  assert.deepEqual(
    [-3, 0, 1.999, 2, 9.9, 10, 1000].map((seconds) => segments.indexAt(seconds)),
    [0, 0, 0, 1, 4, 4, 4],
  );
  assert.equal(equal(1, 2).indexAt(50), 0);
  assert.equal(segments.end, 10);
});

test('a segment is a part of its shot', () => {
  const segments = new ScoredSegments([
    [1, 0, 0, 2],
    [2, 1, 2, 4],
    [3, 1, 4, 6],
    [4, 1, 6, 8],
    [5, 2, 8, 9],
  ]);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((at) => Object.values(segments.partOf(at))),
    [
      [1, 1],
      [1, 3],
      [2, 3],
      [3, 3],
      [1, 1],
    ],
  );
});

test('between two segments, the one before counts', () => {
  assert.equal(
    new ScoredSegments([
      [1, 0, 0, 2],
      [2, 1, 5, 7],
    ]).indexAt(4),
    0,
  );
});

test('a place on the ramp is between low and high, and ends there', () => {
  const segments = new ScoredSegments(
    [
      [1, 0, 0, 1],
      [2, 1, 1, 2],
      [3, 2, 2, 3],
    ],
    [0.1, 0.3, 0.9],
    0.2,
    0.4,
  );
  assert.equal(segments.share(0), 0);
  assert.equal(segments.share(1)?.toFixed(6), '0.500000');
  assert.equal(segments.share(2), 1);
  assert.equal(equal(1, 1).share(0), null);
});

test('the best segment is drawn last', () => {
  assert.deepEqual(equal(4, 1, [0.5, 0.9, 0.1, 0.7]).order, [2, 0, 3, 1]);
  assert.deepEqual(equal(3, 1).order, [0, 1, 2]);
});

test('the pointer takes the best of the segments that share its pixels', () => {
  const scores = Array(1000).fill(0.1);
  scores[503] = 0.9;
  const segments = equal(1000, 1, scores);
  const crowded = new Viewport(1000, 200); // five segments a pixel
  assert.equal(segments.indexNear(100, crowded), 503);
  assert.equal(segments.indexNear(102, crowded), 503);
  assert.equal(segments.indexNear(104, crowded), 520);
  assert.equal(equal(1000, 1).indexNear(100, crowded), 500);
});

test('three segments around the pointer are crowded, two are not', () => {
  const scores = [0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1];
  const segments = equal(8, 1, scores);
  assert.equal(segments.indexNear(8, new Viewport(8, 16)), 5); // the pixels 6 to 10 hold segments 3, 4 and 5
  assert.equal(segments.indexNear(19, new Viewport(8, 32)), 4); // the pixels 17 to 21 hold segments 4 and 5
});

test('where segments are wide, the pointer takes the one that it is over', () => {
  const segments = equal(10, 1, [0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]);
  const wide = new Viewport(10, 1000);
  assert.equal(segments.indexNear(99, wide), 0);
  assert.equal(segments.indexNear(101, wide), 1);
  assert.equal(segments.indexNear(-20, wide), 0);
  assert.equal(segments.indexNear(2000, wide), 9);
});

test('peaks are the best that are shown, best first, and far enough apart to be labelled', () => {
  const scores = Array(100).fill(0.1);
  scores[10] = 0.7;
  scores[12] = 0.9; // 20 pixels from the other
  scores[60] = 0.8;
  scores[90] = 0.44; // too low
  const segments = equal(100, 1, scores);
  const viewport = new Viewport(100, 1000);
  assert.deepEqual(segments.peaks(viewport), [12, 60]);
  viewport.show(0, 20); // now they are 100 pixels apart
  assert.deepEqual(segments.peaks(viewport), [12, 10]);
  viewport.show(70, 100);
  assert.deepEqual(segments.peaks(viewport), []);
});

test('a video of one shot may have a peak', () => {
  assert.deepEqual(equal(1, 10, [0.9]).peaks(new Viewport(10, 1000)), [0]);
});

test('there are twelve peaks at most, and none without a search', () => {
  assert.equal(equal(100, 1, Array(100).fill(0.9)).peaks(new Viewport(100, 10000)).length, 12);
  assert.deepEqual(equal(100, 1).peaks(new Viewport(100, 1000)), []);
});

test('the keys of peaks go from one to the next, and around', () => {
  const scores = Array(100).fill(0.1);
  for (const at of [20, 40, 60]) scores[at] = 0.5 + at / 1000;
  const segments = equal(100, 1, scores);
  const viewport = new Viewport(100, 1000);
  assert.deepEqual(
    [-1, 20, 30, 60].map((from) => segments.nextPeak(viewport, from, 1)),
    [20, 40, 40, 20],
  );
  assert.deepEqual(
    [-1, 20, 30, 60].map((from) => segments.nextPeak(viewport, from, -1)),
    [60, 60, 20, 40],
  );
  assert.equal(equal(100, 1).nextPeak(viewport, 3, 1), null);
  assert.equal(equal(100, 1).nextPeak(viewport, 3, -1), null);
});

test('pictures are of equal parts of what is shown: the best of each part, or the one in its middle', () => {
  const scores = Array(100).fill(0.1);
  scores[3] = 0.9;
  scores[99] = 0.8;
  const viewport = new Viewport(100, 1000);
  assert.deepEqual(equal(100, 1).pictures(viewport, 4), [12, 37, 62, 87]);
  assert.deepEqual(equal(100, 1, scores).pictures(viewport, 4), [3, 37, 62, 99]);
  viewport.show(50, 60);
  assert.deepEqual(equal(100, 1).pictures(viewport, 2), [52, 57]);
});

test('a segment that only touches a part is no picture of it', () => {
  const scores = Array(100).fill(0.1);
  scores[25] = 0.9; // begins where the second part does
  assert.deepEqual(equal(100, 1, scores).pictures(new Viewport(100, 1000), 4), [12, 25, 62, 87]);
});

test('a long shot is the picture of each part that it fills', () => {
  assert.deepEqual(equal(1, 100).pictures(new Viewport(100, 1000), 3), [0, 0, 0]);
});

test('without segments there is nothing to show', () => {
  const none = new ScoredSegments([]);
  assert.equal(none.end, 0);
  assert.deepEqual(none.pictures(new Viewport(1, 1000), 4), []);
  assert.deepEqual(none.peaks(new Viewport(1, 1000)), []);
});

test('a peak has at least 45 % of the ramp', () => {
  const segments = equal(4, 10, [0.45, 0.44, 0.46, 0.449]);
  assert.deepEqual(segments.peaks(new Viewport(40, 1000)), [2, 0]);
});
