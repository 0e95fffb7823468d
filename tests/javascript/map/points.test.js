import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Points } from '../../../app/web/static/map/points.js';
import { NAMED, packed, pointsOf, scoresOf } from './map_points.js';

/** @typedef {import('./map_points.js').Shot} Shot */

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

/** @type {Shot[]} */
const SHOTS = [
  [10, -0.5, 0.25, 1],
  [11, 0.5, -0.25, 2],
  [40, 0.75, 1, 0],
];

test('a map is read from its bytes', () => {
  const points = pointsOf(SHOTS);
  assert.equal(points.count, 3);
  assert.deepEqual([...points.xy], [-0.5, 0.25, 0.5, -0.25, 0.75, 1]);
  assert.deepEqual([...points.ids], [10, 11, 40]);
  assert.deepEqual([...points.folders], [0, 1, -1]);
  assert.deepEqual(
    [0, 1].map((at) => points.nameOf(at)),
    ['a.mp4', 'b.mp4'],
  );
  assert.equal(points.nameOf(2), 'no longer in the library');
  assert.deepEqual(points.box, [-0.5, -0.25, 0.75, 1]);
});

test('the drawn map is stretched from side to side, and points are found where they are drawn', () => {
  const points = pointsOf(SHOTS, 1.5);
  assert.deepEqual([...points.xy], [-0.75, 0.25, 0.75, -0.25, 1.125, 1]);
  assert.equal(points.nearest(1.12, 1, 0.01), 2);
  assert.equal(points.nearest(0.75, 1, 0.01), -1);
});

test('bytes that are too few, too many or none are refused with a sentence', () => {
  const whole = packed(SHOTS);
  for (const length of [0, 1, 3, 4, 51, whole.byteLength - 1])
    assert.throws(
      () => new Points(whole.slice(0, length), NAMED),
      /^Error: The map was not loaded completely/,
      `${length}`,
    );
  const longer = new ArrayBuffer(whole.byteLength + 4);
  new Uint8Array(longer).set(new Uint8Array(whole));
  assert.throws(() => new Points(longer, NAMED), /^Error: The map was not loaded completely/);
});

test('a map without points is a map', () => {
  const points = pointsOf([]);
  assert.equal(points.count, 0);
  assert.equal(points.nearest(0, 0, 10), -1);
  assert.equal(points.indexOf(1), -1);
});

test('a segment is found among the first, the middle and the last, and others are not', () => {
  const points = pointsOf(SHOTS);
  assert.deepEqual(
    [10, 11, 40].map((id) => points.indexOf(id)),
    [0, 1, 2],
  );
  assert.deepEqual(
    [0, 9, 12, 39, 41, 2 ** 32].map((id) => points.indexOf(id)),
    [-1, -1, -1, -1, -1, -1],
  );
});

test('the nearest point is found up to the edge of the reach, and not beyond', () => {
  const points = pointsOf([
    [1, 0, 0, 1],
    [2, 0.5, 0, 1],
  ]);
  assert.equal(points.nearest(0.2, 0, 0.25), 0);
  assert.equal(points.nearest(0.3, 0, 0.25), 1);
  assert.equal(points.nearest(0, 0.25, 0.25), 0);
  assert.equal(points.nearest(0, 0.26, 0.25), -1);
  assert.equal(points.nearest(0.2, 0.2, 0.25), -1, 'a corner of the box is farther than its sides');
});

test('a point that filters leave out is not found, and the next one is', () => {
  const points = pointsOf([
    [1, 0, 0, 1],
    [2, 0.1, 0, 1],
  ]);
  points.setScores(scoresOf([65535, 3]));
  assert.equal(points.nearest(0, 0, 0.2), 1);
  points.setScores(null);
  assert.equal(points.nearest(0, 0, 0.2), 0);
});

test('scores run from the least to the most, and points that filters leave out have none', () => {
  const points = pointsOf(SHOTS);
  points.setScores(scoresOf([0, 65534, 65535], { least: 0.25, most: 0.75, low: 0.3, high: 0.75 }));
  assert.deepEqual(
    [0, 1, 2].map((at) => points.scoreOf(at)),
    [0.25, 0.75, null],
  );
  assert.deepEqual([...(points.left ?? [])], [0, 0, 1]);
  assert.deepEqual([points.low, points.high], [0.3, 0.75]);
  assert.ok(points.scores && points.scores[2] < -1, 'the left-out point ranks below every score');
});

test('filters without a query leave points out and score none', () => {
  const points = pointsOf(SHOTS);
  points.setScores(scoresOf([0, 0, 65535], { scored: false }));
  assert.equal(points.scores, null);
  assert.equal(points.scoreOf(0), null);
  assert.deepEqual([...(points.left ?? [])], [0, 0, 1]);
});

test('scores of another number of points count as none, and take earlier ones back', () => {
  const points = pointsOf(SHOTS);
  for (const asked of [
    scoresOf([1, 2]),
    scoresOf([1, 2, 3, 4]),
    scoresOf([]),
    { ...scoresOf([1, 2, 3]), scores: 'AAAA' },
  ]) {
    points.setScores(scoresOf([1, 2, 65535]));
    points.setScores(asked);
    assert.equal(points.scores, null);
    assert.equal(points.left, null);
  }
});

/** A row of points, 0.1 apart: number k is at (k / 10, 0). */
function row(/** @type {number} */ count) {
  return pointsOf(Array.from({ length: count }, (_, at) => /** @type {Shot} */ ([at + 1, at / 10, 0, 1])));
}

test('the neighbours of a point come nearest first, itself before all', () => {
  const points = row(10);
  assert.deepEqual(points.around(4, 1), [4]);
  assert.deepEqual(new Set(points.around(4, 3)), new Set([4, 3, 5]));
  assert.deepEqual(points.around(0, 4), [0, 1, 2, 3]);
  assert.deepEqual(points.around(9, 3), [9, 8, 7]);
});

test('neighbours that are asked for beyond the last are all there are, even across the whole map', () => {
  assert.deepEqual(row(1).around(0, 60), [0]);
  const far = pointsOf(
    [
      [1, -1, -1, 1],
      [2, 1, 1, 1],
    ],
    1.8,
  );
  assert.deepEqual(far.around(0, 60), [0, 1]);
  const outside = pointsOf([
    [1, -20, 0, 1],
    [2, 30, 0, 1],
  ]);
  assert.deepEqual(outside.around(0, 60), [0, 1], 'points outside the grid are found, too');
});

test('a point in the corner of the box that is searched does not stand for a nearer one outside it', () => {
  const points = pointsOf([
    [1, 0, 0, 1],
    [2, 0.15, 0.15, 1],
    [3, 0.2, 0, 1],
  ]);
  assert.deepEqual(points.around(0, 2), [0, 2]);
});

test('neighbours that filters leave out make room for others', () => {
  const points = row(6);
  points.setScores(scoresOf([5, 65535, 65535, 5, 5, 65535]));
  assert.deepEqual(points.around(0, 3), [0, 3, 4]);
  assert.deepEqual(points.around(1, 2), [1, 0], 'the point itself stays first');
});

test('a map is loaded by its version and encoder', async () => {
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = (address) => {
    asked.push(String(address));
    return Promise.resolve(String(address).includes('/points') ? new Response(packed(SHOTS)) : Response.json(NAMED));
  };
  const points = await Points.load('a b&c', 'v1', 1);
  assert.deepEqual(asked.sort(), ['/api/map/v1/points?encoder=a%20b%26c', '/api/map/v1/videos?encoder=a%20b%26c']);
  assert.equal(points.count, 3);
});

test('a map that the server refuses is an error in its words, or in ours where it sends none', async () => {
  for (const [body, expected] of [
    ['{"error": "Made again."}', 'Made again.'],
    ['<html>', 'The map could not be loaded (404).'],
  ]) {
    globalThis.fetch = (address) =>
      Promise.resolve(String(address).includes('/points') ? new Response(body, { status: 404 }) : Response.json(NAMED));
    await assert.rejects(Points.load('e', 'v'), { message: expected });
  }
});
