import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import './page.js';
import { command } from '../../app/web/static/connection.js';
import { api } from '../../app/web/static/core/api.js';
import { FakeServer, settled } from './fake_server.js';

const HEALTH = 'GET /_stcore/health';
/** @type {FakeServer} */
let server;
/** @type {import('node:test').TestContext['mock']} */
let mock;

beforeEach((context) => {
  assert('mock' in context);
  mock = context.mock;
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  server = new FakeServer({ [HEALTH]: 'ok' }).serve(context);
});

afterEach(async () => {
  turn('visible');
  server.down = false;
  server.answers[HEALTH] = 'ok';
  tell('WEBSOCKET_CONNECTED');
  await pass(20_000);
  assert.equal(notice(), null);
  document.body.replaceChildren();
});

/**
 * Let time pass, second by second, with all that happens meanwhile.
 *
 * @param {number} milliseconds
 */
async function pass(milliseconds) {
  await settled();
  for (let gone = 0; gone < milliseconds; gone += 500) {
    mock.timers.tick(500);
    await settled();
  }
}

/** @param {string} type */
function tell(type) {
  dispatchEvent(Object.assign(new Event('message'), { source: window, data: { stCommVersion: 1, type } }));
}

/** @param {DocumentVisibilityState} state */
function turn(state) {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

/** @returns {HTMLElement | null} */
function notice() {
  return document.querySelector('div.ps-gone-dialog');
}

test('while the server is gone a dialog says what to do, and it goes away when the page is connected again', async () => {
  server.down = true;
  tell('WEBSOCKET_DISCONNECTED');
  await pass(2000);
  const dialog = notice();
  assert(dialog);
  assert(dialog.matches(':popover-open'));
  assert.equal(document.activeElement?.textContent, 'Close', 'nothing else had the focus');
  assert.equal(dialog.getAttribute('role'), 'alertdialog');
  for (const name of ['aria-labelledby', 'aria-describedby'])
    assert(dialog.querySelector(`#${dialog.getAttribute(name)}`), name);
  assert.match(dialog.textContent, /^prismsearch is not responding.*prismsearch ui.*reconnects by itself/);
  await pass(10_000);
  assert.equal(document.querySelectorAll('[role=alertdialog]').length, 1);
  server.down = false;
  await pass(2000);
  assert(notice(), 'it answers, but Streamlit has not connected yet');
  tell('WEBSOCKET_CONNECTED');
  await pass(1000);
  assert.equal(notice(), null);
  assert.match(document.body.textContent, /prismsearch is back/);
  server.asked();
  await pass(10_000);
  assert.deepEqual(server.asked(), [], 'nothing is asked while all is well');
});

test('a failed request of ours is enough, and a socket that comes back at once says nothing', async () => {
  server.down = true;
  await assert.rejects(api('/api/collections'), /not responding/);
  await pass(1500);
  assert(notice());
  server.down = false;
  await pass(1500);
  assert.equal(notice(), null);
  document.body.replaceChildren();
  tell('WEBSOCKET_DISCONNECTED');
  await pass(500);
  tell('WEBSOCKET_CONNECTED');
  await pass(2000);
  assert.equal(document.body.textContent, '');
});

test('one failure is not told: it may be that of a page being left', async () => {
  let times = 0;
  server.answers[HEALTH] = () => {
    times += 1;
    if (times === 1) throw new TypeError('Failed to fetch');
    return 'ok';
  };
  dispatchEvent(new Event('prismsearch-unreachable'));
  await pass(3000);
  assert.equal(times, 2);
  assert.equal(document.body.textContent, '');
});

test('a person may close it: it stays closed until the server has been back', async () => {
  server.down = true;
  tell('WEBSOCKET_DISCONNECTED');
  await pass(2000);
  const dialog = notice();
  [...(dialog?.querySelectorAll('button') ?? [])].find(({ textContent }) => textContent === 'Close')?.click();
  await pass(10_000);
  assert.equal(dialog?.matches(':popover-open'), false);
  server.down = false;
  tell('WEBSOCKET_CONNECTED');
  await pass(2000);
  server.down = true;
  tell('WEBSOCKET_DISCONNECTED');
  await pass(2000);
  assert(notice()?.matches(':popover-open'));
});

test('somebody who is typing goes on typing', async () => {
  const field = document.createElement('input');
  document.body.append(field);
  field.focus();
  server.down = true;
  tell('WEBSOCKET_DISCONNECTED');
  await pass(5000);
  const dialog = notice();
  assert(dialog);
  assert(dialog.matches(':popover-open'));
  assert(document.activeElement === field);
  assert.match(dialog.querySelector('[role=alert]')?.textContent ?? '', /Start it again/);
  server.down = false;
  tell('WEBSOCKET_CONNECTED');
  await pass(2000);
  assert.equal(notice(), null);
  assert(document.activeElement === field);
});

test('a redrawn page that took it away gets it again', async () => {
  server.down = true;
  tell('WEBSOCKET_DISCONNECTED');
  await pass(2000);
  document.body.replaceChildren();
  await pass(2000);
  assert(notice()?.matches(':popover-open'));
});

test('another server at the address, and one that this page cannot connect to, offer to load the page anew', async () => {
  server.answers[HEALTH] = () => Response.json({}, { status: 401 });
  tell('WEBSOCKET_DISCONNECTED');
  await pass(2000);
  assert.match(notice()?.textContent ?? '', /^Another prismsearch/);
  const reload = [...(notice()?.querySelectorAll('button') ?? [])].find(({ textContent }) => textContent === 'Reload');
  assert.equal(reload?.hidden, false);
  server.answers[HEALTH] = 'ok';
  await pass(30_000);
  assert.match(notice()?.textContent ?? '', /^This page cannot reconnect/);
});

test('a person who was logged out meanwhile is told so, and led to the log-in', async () => {
  server.answers[HEALTH] = () => Response.json({}, { status: 401, headers: { 'X-Prismsearch-Login': '1' } });
  tell('WEBSOCKET_DISCONNECTED');
  await pass(2000);
  assert.match(notice()?.textContent ?? '', /^You are logged out/);
  const shown = [...(notice()?.querySelectorAll('button, code') ?? [])].filter((each) => !each.hasAttribute('hidden'));
  assert.deepEqual(
    shown.map(({ textContent }) => textContent),
    ['Log in', 'Close'],
  );
});

test('while the server of the library is away that is told, however long, and it goes away with it', async () => {
  server.answers[HEALTH] = () => Response.json({}, { status: 503 });
  tell('WEBSOCKET_DISCONNECTED');
  await pass(60_000);
  assert.match(notice()?.textContent ?? '', /^The library cannot be reached/);
  const shown = [...(notice()?.querySelectorAll('button, code') ?? [])].filter((each) => !each.hasAttribute('hidden'));
  assert.deepEqual(
    shown.map(({ textContent }) => textContent),
    ['Close'],
  );
  server.answers[HEALTH] = 'ok';
  await pass(5000);
  tell('WEBSOCKET_CONNECTED');
  await pass(1000);
  assert.equal(notice(), null);
});

test('a hidden page waits until it is shown', async () => {
  server.down = true;
  turn('hidden');
  tell('WEBSOCKET_DISCONNECTED');
  await pass(2000);
  server.asked();
  await pass(60_000);
  assert.deepEqual(server.asked(), []);
  turn('visible');
  await pass(1500);
  assert(notice());
});

test('the command starts the server where this page looks for it', () => {
  assert.equal(command('8501'), 'prismsearch ui');
  assert.equal(command('8600'), 'prismsearch ui --port 8600');
});
