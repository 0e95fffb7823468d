import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { DrawPlace } from '../../../app/web/static/questions/draw_place.js';
import { FakeServer } from '../fake_server.js';

beforeEach(() => localStorage.clear());

/** @param {Record<string, unknown>} answers By seed and the shot before. */
function serverOf(answers) {
  return new FakeServer(
    Object.fromEntries(Object.entries(answers).map(([query, answer]) => [`GET /api/questions/draw?${query}`, answer])),
  );
}

/**
 * @param {number} segment
 * @param {number} [seed]
 */
function shot(segment, seed = 8) {
  return { shot: { segment, start: 0, end: 1 }, seed, number: 1, count: 3 };
}

test('the same shot is drawn until it is done, also after a reload', async (context) => {
  serverOf({ 'seed=8': shot(4), 'seed=8&after=4': shot(2) }).serve(context);
  const place = new DrawPlace('one', () => 8 / 2 ** 31);
  assert.equal((await place.draw()).shot?.segment, 4);
  assert.equal((await new DrawPlace('one').draw()).shot?.segment, 4);
  place.done();
  assert.equal((await place.draw()).shot?.segment, 2);
  assert.equal((await new DrawPlace('one').draw()).shot?.segment, 2);
});

test('a place is gone back to', async (context) => {
  serverOf({ 'seed=8': shot(4), 'seed=8&after=4': shot(2) }).serve(context);
  const place = new DrawPlace('one', () => 8 / 2 ** 31);
  await place.draw();
  const { after } = place;
  place.done();
  await place.draw();
  place.back(after);
  assert.equal((await place.draw()).shot?.segment, 4);
});

test('the next order begins after the last shot, and each library has its own', async (context) => {
  serverOf({ 'seed=8&after=4': shot(1, 9), 'seed=9': shot(1, 9), 'seed=9&after=1': shot(3, 9) }).serve(context);
  localStorage.setItem('prismsearch.questions.one', JSON.stringify({ seed: 8, after: 4 }));
  const place = new DrawPlace('one');
  assert.equal((await place.draw()).shot?.segment, 1);
  assert.equal((await place.draw()).shot?.segment, 1, 'not yet done');
  place.done();
  assert.equal((await place.draw()).shot?.segment, 3);
  assert.equal(new DrawPlace('two', () => 0.5).seed, 2 ** 30);
});

test('what somebody else has stored is not trusted', () => {
  for (const stored of ['[]', '{"seed": "x", "after": -1.5}', '{"seed": -3}', 'nonsense']) {
    localStorage.setItem('prismsearch.questions.one', stored);
    const place = new DrawPlace('one', () => 0);
    assert.deepEqual([place.seed, place.after], [0, null], stored);
  }
});
