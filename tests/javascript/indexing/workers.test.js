import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { mount } from '../../../app/web/static/indexing/workers.js';
import { FakeServer, refusal, settled } from '../fake_server.js';

const RENDER = { machine: 'render-1', work: 'indexing a.mp4', place: 'process 7 of prismsearch 1, for 3:20' };
const OTHER = { machine: '<b>two</b>', work: 'transcribing b.mp4', place: 'process 8 of prismsearch 1, for 7s' };

/**
 * @param {import('node:test').TestContext} context
 * @param {object[]} workers
 */
async function shown(context, workers) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const state = { workers };
  const server = new FakeServer({ 'GET /api/workers': () => ({ workers: state.workers }) }).serve(context);
  const parentElement = document.createElement('div');
  document.body.replaceChildren(parentElement);
  const unmount = mount({ parentElement, data: {}, setTriggerValue: () => {} });
  context.after(unmount);
  await settled();
  const later = async () => {
    context.mock.timers.tick(3000);
    await settled();
  };
  return { server, state, parentElement, unmount, later };
}

/** @param {HTMLElement} parent */
function lines(parent) {
  return [...parent.querySelectorAll('section:not([hidden]) li')].map((item) =>
    [...item.children].map((part) => part.textContent).join(' | '),
  );
}

test('workers come and go, and nothing is shown without any', async (context) => {
  const { state, parentElement, later } = await shown(context, []);
  assert.deepEqual(lines(parentElement), []);
  state.workers = [RENDER, OTHER];
  await later();
  assert.deepEqual(lines(parentElement), [
    'render-1 | indexing a.mp4 | process 7 of prismsearch 1, for 3:20',
    '<b>two</b> | transcribing b.mp4 | process 8 of prismsearch 1, for 7s',
  ]);
  state.workers = [OTHER];
  await later();
  assert.deepEqual(lines(parentElement), ['<b>two</b> | transcribing b.mp4 | process 8 of prismsearch 1, for 7s']);
});

test('the list stays while the server is away', async (context) => {
  const { server, parentElement, later } = await shown(context, [RENDER]);
  server.answers['GET /api/workers'] = () => refusal(503, 'The library cannot be reached.');
  await later();
  assert.equal(lines(parentElement).length, 1);
});

test('nothing is asked while the page is hidden, nor once it is left', async (context) => {
  const { server, unmount, later } = await shown(context, [RENDER]);
  server.asked();
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  for (let at = 0; at < 5; at += 1) await later();
  assert.deepEqual(server.asked(), []);
  Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
  await settled();
  assert.deepEqual(server.asked(), ['GET /api/workers']);
  unmount();
  for (let at = 0; at < 5; at += 1) await later();
  assert.deepEqual(server.asked(), []);
});

test('an answer that comes after the page was left asks for no other', async (context) => {
  const { server, unmount, later } = await shown(context, [RENDER]);
  /** @type {(answer: unknown) => void} */
  let answer = () => {};
  server.answers['GET /api/workers'] = () =>
    new Promise((done) => {
      answer = done;
    });
  await later();
  unmount();
  server.asked();
  answer({ workers: [RENDER] });
  await settled();
  for (let at = 0; at < 5; at += 1) await later();
  assert.deepEqual(server.asked(), []);
});
