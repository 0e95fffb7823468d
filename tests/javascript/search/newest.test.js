import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { mount } from '../../../app/web/static/search/newest.js';
import { FakeServer, settled } from '../fake_server.js';

/**
 * The watch over the newest videos: change `now` to change what the server says.
 *
 * @param {import('node:test').TestContext} context
 * @param {string | null} running Kind of the job that runs.
 * @param {boolean} indexing What the script knew.
 */
async function watched(context, running, indexing) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const now = { running, state: '1', clock: 1e6 };
  context.mock.method(performance, 'now', () => now.clock);
  const runs = () => ({ runs: [{ id: 'a', kind: now.running ?? 'index', outcome: now.running ? null : 'done' }] });
  const server = new FakeServer({
    'GET /api/runs': runs,
    'GET /api/runs?running=1': () => ({ runs: runs().runs.filter((run) => !run.outcome) }),
    'GET /api/library/state': () => ({ state: now.state }),
  }).serve(context);
  /** @type {string[]} */
  const triggers = [];
  const data = { indexing };
  const setTriggerValue = (/** @type {string} */ name) => triggers.push(name);
  context.after(mount({ parentElement: document.createElement('div'), data, setTriggerValue }));
  await settled();
  const second = async () => {
    now.clock += 1000;
    context.mock.timers.tick(1000);
    await settled();
  };
  return { server, now, data, triggers, second };
}

test('what is indexed meanwhile is drawn, looked for each third second, and so is the end', async (context) => {
  const { server, now, data, triggers, second } = await watched(context, 'index', true);
  now.state = '2';
  server.asked();
  for (let at = 0; at < 3; at += 1) await second();
  assert.equal(server.asked().filter((line) => line.endsWith('/state')).length, 1);
  assert.deepEqual(triggers, ['changed']);
  for (let at = 0; at < 6; at += 1) await second();
  assert.deepEqual(triggers, ['changed'], 'nothing is new');
  now.running = null;
  await second();
  assert.deepEqual(triggers, ['changed', 'changed'], 'it has ended');
  data.indexing = false;
  for (let at = 0; at < 9; at += 1) await second();
  assert.deepEqual(triggers, ['changed', 'changed']);
});

test('cards stay where they are while somebody is on one of them', async (context) => {
  const { now, triggers, second } = await watched(context, 'index', true);
  const card = Object.assign(document.createElement('button'), { textContent: 'a shot' });
  const grid = Object.assign(document.createElement('div'), { className: 'ps-grid' });
  grid.append(card);
  document.body.replaceChildren(grid);
  card.focus();
  now.state = '2';
  for (let at = 0; at < 6; at += 1) await second();
  assert.deepEqual(triggers, []);
  card.blur();
  for (let at = 0; at < 3; at += 1) await second();
  assert.deepEqual(triggers, ['changed']);
});

test('an export draws nothing again, and indexing that begins elsewhere is said once', async (context) => {
  const { now, triggers, second } = await watched(context, 'export', false);
  for (let at = 0; at < 6; at += 1) await second();
  assert.deepEqual(triggers, []);
  now.running = 'index';
  for (let at = 0; at < 2; at += 1) await second();
  assert.deepEqual(triggers, ['changed']);
});
