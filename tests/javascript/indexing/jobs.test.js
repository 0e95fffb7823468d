import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { mount } from '../../../app/web/static/indexing/jobs.js';
import { FakeServer, refusal, settled } from '../fake_server.js';

/** @param {Record<string, unknown>} changes */
function job(changes = {}) {
  const base = { id: 'a', outcome: null, title: 'Indexing films', where: '/films', failures: [], failed: 0 };
  const rest = { progress: '1 of 9 videos', share: 0.1, current: '', result: 'Done', lines: [], when: 'today' };
  const card = { ...base, ...rest, actions: ['stop', 'log'], ...changes };
  return { id: card.id, outcome: card.outcome, card };
}

/**
 * The cards of jobs: change `state.runs` to change what the server says.
 *
 * @param {import('node:test').TestContext} context
 * @param {ReturnType<typeof job>[]} runs
 * @param {string[]} running Those that the script knew.
 */
async function shown(context, runs, running = []) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const state = { runs };
  const server = new FakeServer({
    'GET /api/runs': () => ({ runs: state.runs }),
    'GET /api/runs?running=1': () => ({ runs: state.runs.filter((run) => !run.outcome) }),
  }).serve(context);
  const parentElement = document.createElement('div');
  document.body.replaceChildren(parentElement);
  /** @type {string[]} */
  const triggers = [];
  const data = { running };
  const unmount = mount({ parentElement, data, setTriggerValue: (/** @type {string} */ name) => triggers.push(name) });
  context.after(unmount);
  await settled();
  const second = async () => {
    context.mock.timers.tick(1000);
    await settled();
  };
  return { server, state, parentElement, triggers, second };
}

/**
 * @param {HTMLElement} parent
 * @param {string} name
 */
async function press(parent, name) {
  const button = [...parent.querySelectorAll('button')].find((each) => each.textContent === name && !each.hidden);
  assert(button, name);
  button.click();
  await settled();
}

/** @param {HTMLElement} parent */
function sections(parent) {
  return [...parent.querySelectorAll('section')]
    .filter((each) => !each.hidden)
    .map((each) => [each.querySelector('h2')?.textContent, each.querySelectorAll('li.ps-job').length]);
}

test('nothing is asked while nothing runs, and each second while a job does', async (context) => {
  const { server, state, parentElement, second } = await shown(context, [job({ outcome: 'done', actions: [] })]);
  assert.deepEqual(server.asked().slice(-1), ['GET /api/runs']);
  assert.deepEqual(sections(parentElement), [['Earlier', 1]]);
  for (let at = 0; at < 60; at += 1) await second();
  assert.deepEqual(server.asked(), []);
  state.runs = [job({ id: 'b' }), ...state.runs];
  dispatchEvent(new Event('focus'));
  await settled();
  assert.deepEqual(sections(parentElement), [
    ['In progress', 1],
    ['Earlier', 1],
  ]);
  server.asked();
  await second();
  assert.deepEqual(server.asked(), ['GET /api/runs?running=1']);
});

test('nothing is asked while the page is hidden', async (context) => {
  const { server, second } = await shown(context, [job()], ['a']);
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  server.asked();
  for (let at = 0; at < 60; at += 1) await second();
  assert.deepEqual(server.asked(), []);
  Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
  await settled();
  assert.deepEqual(server.asked(), ['GET /api/runs']);
});

test('the script runs again when other jobs run than it knew, once', async (context) => {
  const { state, triggers, parentElement, second } = await shown(context, [job()], ['a']);
  await second();
  assert.deepEqual(triggers, []);
  state.runs = [job({ outcome: 'done', actions: ['forget'] })];
  await second();
  await second();
  assert.deepEqual(triggers, ['changed']);
  assert.deepEqual(sections(parentElement), [['Earlier', 1]]);
  assert.match(document.querySelector('.ps-toasts')?.textContent ?? '', /Indexing films: Done/);
});

test('progress, the focus and an unfolded list stay while a card is drawn again', async (context) => {
  const failures = [{ file: '<b>x</b>.mp4', reason: 'Not a video file.', folder: '/films' }];
  const { state, parentElement, second } = await shown(context, [job({ failures, failed: 9 })], ['a']);
  const bar = () => parentElement.querySelector('progress');
  assert.equal(bar()?.value, 0.1);
  const details = parentElement.querySelector('details');
  assert.equal(details?.open, false);
  details.open = true;
  assert.match(details.textContent, /<b>x<\/b>\.mp4Not a video file\.\/films.*and 8 more/);
  /** @type {HTMLElement | null} */ (parentElement.querySelector('[data-action=stop]'))?.focus();
  state.runs = [job({ failures, failed: 9, share: 0.5 })];
  await second();
  assert.equal(bar()?.value, 0.5);
  assert.equal(parentElement.querySelector('details')?.open, true);
  assert.equal(document.activeElement?.getAttribute('data-action'), 'stop');
});

test('buttons ask the server, which says what cannot be done', async (context) => {
  const ended = job({ outcome: 'stopped', actions: ['resume', 'retry', 'forget'] });
  const { server, state, parentElement } = await shown(context, [ended]);
  server.answers['POST /api/runs/a/retry'] = () => refusal(409, 'This job is already running.');
  server.answers['DELETE /api/runs/a'] = () => {
    state.runs = [];
    return {};
  };
  await press(parentElement, 'Retry failed');
  assert.match(document.querySelector('.ps-toasts')?.textContent ?? '', /This job is already running/);
  server.asked();
  await press(parentElement, 'Dismiss');
  assert.deepEqual(server.asked(), ['DELETE /api/runs/a', 'GET /api/runs']);
  assert.deepEqual(sections(parentElement), []);
});

test('a log is shown, follows its job, and is put away', async (context) => {
  const { server, parentElement, second } = await shown(context, [job()], ['a']);
  server.answers['GET /api/runs/a/log'] = { log: 'one\n<b>two</b>' };
  await press(parentElement, 'Log');
  assert.equal(parentElement.querySelector('pre')?.textContent, 'one\n<b>two</b>');
  server.answers['GET /api/runs/a/log'] = { log: 'three' };
  await second();
  assert.equal(parentElement.querySelector('pre')?.textContent, 'three');
  await press(parentElement, 'Log');
  assert.equal(parentElement.querySelector('pre'), null);
});

test('only the latest of many are shown, until all are asked for', async (context) => {
  const many = Array.from({ length: 9 }, (_, at) => job({ id: `${at}`, outcome: 'done', actions: [] }));
  const { parentElement } = await shown(context, many);
  assert.deepEqual(sections(parentElement), [['Earlier', 6]]);
  await press(parentElement, 'Show all 9');
  assert.deepEqual(sections(parentElement), [['Earlier', 9]]);
  await press(parentElement, 'Show fewer');
  assert.deepEqual(sections(parentElement), [['Earlier', 6]]);
});

test('a zip that an export packed is downloaded from its card, as long as it is there', async (context) => {
  const done = { outcome: 'done', actions: [], title: 'Exporting Tray' };
  const { parentElement } = await shown(context, [
    job({ ...done, id: 'a', download: true }),
    job({ ...done, id: 'b' }),
  ]);
  const links = [...parentElement.querySelectorAll('a')].map((link) => [link.getAttribute('href'), link.textContent]);
  assert.deepEqual(links, [['/api/runs/a/download', 'Download']]);
});
