import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { Moments, momentsOf } from '../../../app/web/static/core/moments.js';
import { FakeServer, refusal } from '../fake_server.js';

const MOMENT = { start_seconds: 1, end_seconds: 2, is_whole: false, note: null, seconds: 3, preview: null };

test('a moment is asked for by the search, and once only; one that failed is asked for again', async (context) => {
  const server = new FakeServer({ 'GET /api/moment/7': MOMENT, 'GET /api/moment/8': () => refusal(503, 'No.') });
  server.serve(context);
  const moments = new Moments('q=a+dog&in=%2Ffilms');
  assert.deepEqual(await moments.find(7), MOMENT);
  assert.deepEqual(await moments.find(7), MOMENT);
  assert.deepEqual(server.asked(), ['GET /api/moment/7?link=q%3Da%2Bdog%26in%3D%252Ffilms']);
  for (let time = 0; time < 2; time += 1) await assert.rejects(moments.find(8), /No\./);
  assert.equal(server.asked().length, 2);
});

test('a search says which words its moments answer; without a search there are none', () => {
  assert.equal(momentsOf('q=a+dog&in=%2Ffilms')?.words, 'a dog');
  assert.equal(momentsOf('term=1:segment:7')?.words, '');
  assert.equal(momentsOf(`q=${'x'.repeat(100)}`)?.words, `${'x'.repeat(60)} …`);
  assert.equal(momentsOf(''), null);
  assert.equal(momentsOf(undefined), null);
});
