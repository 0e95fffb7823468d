import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import '../page.js';
import { MapProgress } from '../../../app/web/static/map/progress.js';

/** @typedef {import('../../../app/web/static/map/progress.js').MapState} MapState */

const { fetch } = globalThis;
/** @type {string[]} */
let requests = [];
/** @type {Partial<MapState>[]} */
let answers = [];
/** @type {string[]} */
let loaded = [];

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  [requests, answers, loaded] = [[], [], []];
  globalThis.fetch = (address, options) => {
    requests.push(`${options?.method} ${address}`);
    const state = { version: null, current: false, making: false, share: 0, text: '', error: null, ...answers.shift() };
    return Promise.resolve(Response.json(state));
  };
});
afterEach(() => {
  mock.timers.reset();
  globalThis.fetch = fetch;
});

function progress() {
  return new MapProgress((version) => {
    loaded.push(version);
    return Promise.resolve();
  });
}

/** Let all promises settle, then half a second pass. */
async function poll() {
  for (let turn = 0; turn < 5; turn += 1)
    await new Promise((done) => {
      setImmediate(done);
    });
  mock.timers.tick(500);
}

test('a map that is up to date is loaded, and nothing is made', async () => {
  answers = [{ version: 'a', current: true }];
  const panel = progress();
  await panel.follow('e f');
  assert.deepEqual(requests, ['GET /api/map?encoder=e%20f']);
  assert.deepEqual(loaded, ['a']);
  assert.equal(panel.root.hidden, true);
});

test('a map that is missing is requested, and loaded once it is made', async () => {
  answers = [
    {},
    { making: true, text: 'Reading', share: 0.25 },
    { making: true, share: 0.5 },
    { version: 'a', current: true },
  ];
  const panel = progress();
  const following = panel.follow('e');
  await poll();
  assert.equal(panel.root.hidden, false);
  assert.match(panel.root.textContent, /Making the map of your library.*Reading … 25%/);
  await poll();
  await poll();
  await following;
  assert.deepEqual(
    requests.map((request) => request.slice(0, 4)),
    ['GET ', 'POST', 'GET ', 'GET '],
  );
  assert.deepEqual(loaded, ['a']);
  assert.equal(panel.root.hidden, true);
});

test('a map that is out of date is shown while it is updated', async () => {
  answers = [{ version: 'a' }, { version: 'a', making: true }, { version: 'b', current: true }];
  const panel = progress();
  const following = panel.follow('e');
  await poll();
  assert.deepEqual(loaded, ['a']);
  assert.match(panel.root.textContent, /Updating the map/);
  await poll();
  await following;
  assert.deepEqual(loaded, ['a', 'b']);
});

test('a map that is out of date again as soon as it is made is not made without end', async () => {
  answers = [{}, { making: true }, { version: 'a', current: false }];
  const following = progress().follow('e');
  await poll();
  await poll();
  await following;
  assert.equal(requests.length, 3);
});

test('an error is shown in place of the progress, and ends it', async () => {
  answers = [{}, { error: 'The disk is full.' }];
  const panel = progress();
  await panel.follow('e');
  assert.equal(panel.root.hidden, false);
  assert.match(panel.root.textContent, /cannot be made now.*The disk is full/);
  assert.equal(panel.bar.hidden, true);
});

test('another encoder takes over; what was loaded for the first one starts nothing more', async () => {
  answers = [{ version: 'a' }, { version: 'b', current: true }];
  /** @type {() => void} */
  let finish = () => {};
  const panel = new MapProgress((version) => {
    loaded.push(version);
    return version === 'a' ? new Promise((done) => (finish = done)) : Promise.resolve();
  });
  const first = panel.follow('first');
  await poll();
  await panel.follow('second');
  finish();
  await first;
  assert.deepEqual(requests, ['GET /api/map?encoder=first', 'GET /api/map?encoder=second']);
  assert.deepEqual(loaded, ['a', 'b']);
});

test('once stopped, nothing is requested any more', async () => {
  answers = [{ making: true }];
  const panel = progress();
  const following = panel.follow('e');
  await poll();
  panel.stop();
  await poll();
  await following;
  assert.equal(requests.length, 2, 'the request that was under way');
});

test('a hidden tab asks nothing, and goes on once it is shown', async (context) => {
  answers = [{}, { making: true }, { version: 'a', current: true }];
  let visibility = 'hidden';
  context.mock.getter(document, 'visibilityState', () => visibility);
  const following = progress().follow('e');
  for (let at = 0; at < 4; at += 1) await poll();
  assert.equal(requests.length, 2);
  visibility = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  await following;
  assert.deepEqual(loaded, ['a']);
});
