import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../../page.js';
import { ExportJobs } from '../../../../app/web/static/collections/export/jobs.js';
import { FakeServer, refusal, settled } from '../../fake_server.js';
import { exportJob } from './export_jobs.js';

/** @typedef {import('../../../../app/web/static/collections/export/request.js').ExportRequest} ExportRequest */

const reel = { id: 3, name: 'Reel', revision: 1, subclips: [] };
/** @type {ExportRequest} */
const request = {
  collection: 3,
  mode: 'smart',
  handles_seconds: 0,
  name_pattern: '',
  audio: 'all',
  lists: [],
  to: '/clips',
};

beforeEach(() => localStorage.clear());

/**
 * The exports of a collection, with those that the server has: change `runs` to change them.
 *
 * @param {import('node:test').TestContext} context
 * @param {ReturnType<typeof exportJob>[]} runs
 * @param {Record<string, unknown>} [answers]
 */
async function shown(context, runs, answers = {}) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_800_000_000_000 });
  const state = { runs };
  const server = new FakeServer({
    'GET /api/runs': () => ({ runs: state.runs }),
    'GET /api/runs?running=1': () => ({ runs: state.runs.filter((run) => !run.outcome) }),
    ...answers,
  }).serve(context);
  /** @type {(string | null)[]} */
  const running = [];
  const jobs = new ExportJobs({ onRunning: (text) => running.push(text), show: () => {} });
  document.body.append(jobs.element);
  context.after(() => {
    jobs.remove();
    jobs.element.remove();
    document.querySelector('.ps-toasts')?.replaceChildren();
  });
  jobs.show(reel);
  await settled();
  return { jobs, server, state, running };
}

/** @param {ExportJobs} jobs */
function cards(jobs) {
  return [...jobs.element.children].map((each) => each.querySelector('strong')?.textContent);
}

/**
 * @param {ExportJobs} jobs
 * @param {string} action
 */
function press(jobs, action) {
  const button = jobs.element.querySelector(`[data-action="${action}"]`);
  assert.ok(button instanceof HTMLElement, action);
  button.click();
}

/** Somebody comes back to the window. */
async function look() {
  dispatchEvent(new Event('focus'));
  await settled();
}

function toasts() {
  return [...document.querySelectorAll('.ps-toast span')].map((each) => each.textContent);
}

test('jobs are asked for each second while one runs, and otherwise only when somebody comes', async (context) => {
  const { server, state, running } = await shown(context, [exportJob({ progress: { fraction: 0.5 } })]);
  assert.deepEqual(server.asked(), ['GET /api/runs']);
  context.mock.timers.tick(1000);
  await settled();
  assert.deepEqual(server.asked(), ['GET /api/runs?running=1']);
  state.runs = [];
  context.mock.timers.tick(1000);
  await settled();
  assert.deepEqual(server.asked(), ['GET /api/runs?running=1', 'GET /api/runs']);
  context.mock.timers.tick(100_000);
  await settled();
  assert.deepEqual(server.asked(), []);
  await look();
  assert.deepEqual(server.asked(), ['GET /api/runs']);
  assert.deepEqual(running, ['Exporting 50%', 'Exporting 50%', null, null]);
});

test('a server that is away is asked again, and what is shown stays', async (context) => {
  const { jobs, server } = await shown(context, [exportJob()]);
  server.down = true;
  context.mock.timers.tick(1000);
  await settled();
  assert.deepEqual(cards(jobs), ['Exporting']);
  server.down = false;
  server.asked();
  context.mock.timers.tick(1000);
  await settled();
  assert.deepEqual(server.asked(), ['GET /api/runs?running=1']);
});

test('exports of other collections are not shown', async (context) => {
  const { jobs } = await shown(context, [exportJob({ id: 'b', arguments: ['export', '--collection', 'Other'] })]);
  assert.deepEqual(cards(jobs), []);
});

test('the end of an export that ran here is announced once', async (context) => {
  const { jobs, state } = await shown(context, [exportJob()]);
  state.runs = [exportJob({ outcome: 'done', failed: 2 })];
  context.mock.timers.tick(1000);
  await settled();
  await look();
  assert.deepEqual(cards(jobs), ['Exported with errors']);
  assert.deepEqual(toasts(), ['Export finished; 2 clips could not be written']);
});

test('an export that had ended before the page was opened is shown, but not announced', async (context) => {
  const { jobs } = await shown(context, [exportJob({ outcome: 'done' })]);
  assert.deepEqual(cards(jobs), ['Exported']);
  assert.deepEqual(toasts(), []);
});

test('stopping is asked of the server, and said once it has agreed', async (context) => {
  const { jobs, server } = await shown(context, [exportJob()], {
    'POST /api/runs/a/stop': exportJob({ stopping: true }),
  });
  press(jobs, 'stop');
  await settled();
  assert.ok(server.asked().includes('POST /api/runs/a/stop'));
  assert.match(toasts()[0] ?? '', /finished or discarded first/);
});

test('a stop that is refused is not announced', async (context) => {
  const { jobs } = await shown(context, [exportJob()], { 'POST /api/runs/a/stop': refusal(404, 'There is no run a.') });
  press(jobs, 'stop');
  await settled();
  assert.deepEqual(toasts(), ['There is no run a.']);
});

test('an export that was stopped goes on from where it was: the same request again, and the old card goes', async (context) => {
  const { jobs, server, state } = await shown(context, [], { 'POST /api/exports': { run: 'b' } });
  jobs.started('a', request);
  await settled();
  state.runs = [exportJob({ outcome: 'stopped', message: '1 clip written' })];
  await look();
  state.runs = [exportJob({ id: 'b' }), ...state.runs];
  press(jobs, 'again');
  await settled();
  assert.deepEqual(server.requests.find(({ line }) => line === 'POST /api/exports')?.body, request);
  assert.deepEqual(cards(jobs), ['Exporting']);
});

for (const [to, words] of [
  ['zip', 'Start again'],
  ['/clips', 'Resume'],
])
  test(`an export to ${to} that failed is offered as "${words}"`, async (context) => {
    const { jobs, state } = await shown(context, []);
    jobs.started('a', { ...request, to });
    await settled();
    state.runs = [exportJob({ outcome: 'failed' })];
    await look();
    assert.equal(jobs.element.querySelector('[data-action=again]')?.textContent, words);
  });

test('an export that was stopped is not offered again while another of the collection runs', async (context) => {
  const { jobs, state } = await shown(context, []);
  jobs.started('a', request);
  await settled();
  state.runs = [exportJob({ id: 'b' }), exportJob({ outcome: 'stopped' })];
  jobs.setOpen(true);
  await look();
  assert.deepEqual(cards(jobs), ['Exporting', 'Stopped']);
  assert(!jobs.element.querySelector('[data-action=again]'));
  state.runs = [exportJob({ id: 'b', outcome: 'done' }), exportJob({ outcome: 'stopped' })];
  await look();
  assert(jobs.element.querySelector('[data-action=again]'));
});

test('an export that has worked is not offered again', async (context) => {
  const { jobs, state } = await shown(context, []);
  jobs.started('a', request);
  await settled();
  state.runs = [exportJob({ outcome: 'done' })];
  await look();
  assert.deepEqual(cards(jobs), ['Exported']);
  assert(!jobs.element.querySelector('[data-action=again]'));
});

test('a hidden export stays hidden, also in the next page', async (context) => {
  const { jobs } = await shown(context, [exportJob({ outcome: 'done' })]);
  press(jobs, 'hide');
  assert.deepEqual(cards(jobs), []);
  const next = new ExportJobs({ onRunning: () => {}, show: () => {} });
  context.after(() => next.remove());
  next.setOpen(true);
  next.show(reel);
  await settled();
  assert.deepEqual(cards(next), []);
});

test('an open panel also shows earlier exports', async (context) => {
  const { jobs } = await shown(context, [
    exportJob({ id: 'b', outcome: 'done' }),
    exportJob({ id: 'a', outcome: 'failed', updated_at: 0 }),
  ]);
  assert.deepEqual(cards(jobs), ['Exported']);
  jobs.setOpen(true);
  assert.deepEqual(cards(jobs), ['Exported', 'Failed']);
  jobs.setOpen(false);
  assert.deepEqual(cards(jobs), ['Exported']);
});

test('what is on a card that has not changed stays the same element, so that a press on it is not lost', async (context) => {
  const { jobs } = await shown(context, [exportJob()]);
  const stop = jobs.element.querySelector('[data-action=stop]');
  context.mock.timers.tick(1000);
  await settled();
  assert.equal(jobs.element.querySelector('[data-action=stop]'), stop);
});

test('the focus stays on a button while its card is drawn again', async (context) => {
  const { jobs, state } = await shown(context, [exportJob()]);
  const stop = jobs.element.querySelector('[data-action=stop]');
  assert.ok(stop instanceof HTMLElement);
  stop.focus();
  state.runs = [exportJob({ progress: { fraction: 0.5 } })];
  context.mock.timers.tick(1000);
  await settled();
  const drawn = jobs.element.querySelector('[data-action=stop]');
  assert.notEqual(drawn, stop);
  assert(document.activeElement === drawn);
});
