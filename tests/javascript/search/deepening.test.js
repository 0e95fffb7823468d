import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import '../page.js';
import { tray } from '../../../app/web/static/core/tray.js';
import { Deepening, LOOKED_AT } from '../../../app/web/static/search/deepening.js';
import { mount } from '../../../app/web/static/search/grid.js';
import { FakeServer, settled } from '../fake_server.js';

/**
 * The line over results: change `now` to change what the server says.
 *
 * @param {import('node:test').TestContext} context
 */
function line(context) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  /** @type {import('../../../app/web/static/search/deepening.js').DeepeningState} */
  const now = { waiting: [], deepened: [] };
  const server = new FakeServer({ 'POST /api/deepening': () => now, 'GET /api/deepening': () => now }).serve(context);
  let again = 0;
  const deepening = new Deepening(() => {
    again += 1;
  });
  context.after(() => deepening.remove());
  const later = async () => {
    context.mock.timers.tick(1500);
    await settled();
  };
  return { server, now, deepening, later, presses: () => again };
}

/**
 * @param {number} id
 * @param {boolean} [quick]
 */
function hit(id, quick = true) {
  return { id, quick };
}

test('quick hits are looked at closer, which is said until the next search', async (context) => {
  const { server, now, deepening, later, presses } = line(context);
  Object.assign(now, { waiting: [1, 3, 9], deepened: [] });
  deepening.look([hit(1), hit(2, false), hit(3)]);
  await settled();
  assert.deepEqual(server.requests[0].body, { segments: [1, 3] });
  assert.equal(deepening.root.hidden, false);
  assert.equal(deepening.text.textContent, 'Looking closer at 2 quick hits: 0 done, 2 left.');
  assert.equal(deepening.again.hidden, true);
  Object.assign(now, { waiting: [3, 9], deepened: [1, 8] });
  await later();
  assert.equal(deepening.text.textContent, 'Looking closer at 2 quick hits: 1 done, 1 left.');
  assert.equal(deepening.again.hidden, false);
  deepening.again.click();
  assert.equal(presses(), 1);
  Object.assign(now, { waiting: [9], deepened: [1, 3] });
  await later();
  assert.equal(deepening.text.textContent, '2 quick hits were looked at closer; the next search counts that.');
  server.asked();
  await later();
  assert.deepEqual(server.asked(), [], 'others are of another tab');
});

test('where nothing is quick, nothing is asked or said; a new search lets go of the last', async (context) => {
  const { server, now, deepening, later } = line(context);
  deepening.look([hit(1, false), { id: 2 }]);
  await settled();
  assert.deepEqual(server.asked(), []);
  assert.equal(deepening.root.hidden, true);
  now.waiting = [1];
  deepening.look([hit(1)]);
  await settled();
  now.waiting = [];
  deepening.look([]);
  await settled();
  assert.deepEqual(server.requests.at(-1)?.body, { segments: [] });
  assert.equal(deepening.root.hidden, true);
  server.asked();
  await later();
  assert.deepEqual(server.asked(), []);
});

test('hits that cannot be looked at closer now say nothing, and so does a server that is away', async (context) => {
  const { server, deepening, later } = line(context);
  deepening.look([hit(1)]);
  await settled();
  assert.equal(deepening.root.hidden, true, 'the library can only be read, or the file is away');
  server.down = true;
  deepening.look([hit(2)]);
  await settled();
  assert.equal(deepening.root.hidden, true);
  server.asked();
  await later();
  assert.deepEqual(server.asked(), []);
});

test('only hits that a first look sees are looked at, and none that are folded', async (context) => {
  const { server } = line(context);
  mock.method(tray, 'watch', () => () => {});
  Object.assign(globalThis, { requestAnimationFrame: () => 0, requestIdleCallback: () => 0 });
  const hits = Array.from({ length: 30 }, (_, at) => ({
    id: at + 1,
    name: 'a.mp4',
    folder: '/',
    score: 0.5,
    share: 1,
    strength: null,
    alike: [],
    part: 1,
    part_count: 1,
    start: 0,
    end: 2,
    missing: false,
    quick: true,
  }));
  /** @type {string[]} */
  const triggers = [];
  const parentElement = document.createElement('div');
  const setTriggerValue = (/** @type {string} */ name) => triggers.push(name);
  const show = (/** @type {string} */ token, /** @type {boolean} */ folded) =>
    mount({ parentElement, data: { token, hits, more: false, folded }, setTriggerValue });
  context.after(show('a', true));
  await settled();
  assert.deepEqual(
    server.asked().filter((asked) => asked.endsWith('deepening')),
    [],
  );
  show('b', false);
  show('b', false);
  await settled();
  const [asked, ...others] = server.requests.filter(({ line: each }) => each.endsWith('deepening'));
  assert.deepEqual(asked.body, { segments: hits.slice(0, LOOKED_AT).map(({ id }) => id) }, 'the first ones');
  assert.deepEqual(others, []);
  assert.equal(parentElement.querySelector('.ps-quick')?.hasAttribute('hidden'), false);
  mock.restoreAll();
});
