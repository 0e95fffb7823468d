import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../page.js';
import { begunAt, linesAt, loadLines } from '../../../../app/web/static/player/transcript/timing.js';
import { FakeServer } from '../../fake_server.js';

/**
 * @param {number} id
 * @param {number} start
 * @param {number} end
 */
function line(id, start, end) {
  return { id, source: 1, start, end, text: `line ${id}`, segment: 7 };
}

test('lines are said from their start until before their end', () => {
  const lines = [line(1, 1, 2), line(2, 1.5, 3), line(3, 2, 2), line(4, 5, 6)];
  const at = (/** @type {number} */ seconds) => linesAt(lines, seconds).map(({ id }) => id);
  assert.deepEqual([0, 1, 1.5, 2, 3, 5, 6].map(at), [[], [1], [1, 2], [2], [], [4], []]);
  assert.deepEqual(
    [0, 1, 2, 9].map((seconds) => begunAt(lines, seconds)),
    [0, 1, 3, 4],
  );
});

test('lines are loaded stretch by stretch, each once', async (context) => {
  new FakeServer({
    'GET /api/text/3/lines?sources=1,2&from=0': { lines: [line(1, 0, 1), line(2, 5, 6)], next: 5 },
    'GET /api/text/3/lines?sources=1,2&from=5': { lines: [line(2, 5, 6), line(3, 5, 6)], next: 1805 },
    'GET /api/text/3/lines?sources=1,2&from=1805': { lines: [], next: null },
  }).serve(context);
  /** @type {number[][]} */
  const taken = [];
  const complete = await loadLines(3, [1, 2], new AbortController().signal, (lines) => {
    taken.push(lines.map(({ id }) => id));
  });
  assert.deepEqual([complete, taken], [true, [[1, 2], [3]]]);
});

test('a server that never ends is asked a bounded number of times', async (context) => {
  const server = new FakeServer({ 'GET /api/text/3/lines': { lines: [], next: 1 } }).serve(context);
  assert.equal(await loadLines(3, [1], new AbortController().signal, () => {}), false);
  assert.equal(server.requests.length, 500);
});
