import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import '../page.js';
import { mount } from '../../../app/web/static/library/view.js';
import { listed, listing } from './listing.js';

/** @typedef {import('../../../app/web/static/library/rows.js').Listing} Listing */

const { fetch } = globalThis;
/** @type {Listing | null} */
let library = null; // null where the server is not responding
let state = '';
/** @type {object[]} */
const runs = [];
/** @type {string[]} */
let requests = [];
/** @type {[string, unknown][]} */
let triggers = [];
let parent = document.createElement('div');
let unmount = () => {};

/** Let all promises settle. */
async function settle() {
  for (let turn = 0; turn < 5; turn += 1)
    await new Promise((done) => {
      setImmediate(done);
    });
}

/**
 * @param {string} token
 * @param {string | null} [said]
 */
async function show(token, said = null) {
  unmount = mount({
    parentElement: parent,
    data: { token, encoder: 'e', said },
    setTriggerValue: (name, value) => triggers.push([name, value]),
  });
  await settle();
}

beforeEach(async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  localStorage.clear();
  sessionStorage.clear();
  library = listing([
    listed({ id: 1, name: 'wave.mp4', folder: 1 }),
    listed({ id: 2, name: 'peak.mp4', folder: 0 }),
    listed({ id: 3, name: 'river.mp4', folder: 0, file: 'missing' }),
  ]);
  [state, requests, triggers] = ['1', [], []];
  globalThis.fetch = (address) => {
    requests.push(String(address));
    if (!library) return Promise.reject(new TypeError('no network'));
    const answers = {
      '/api/library': library,
      '/api/library/state': { state },
      '/api/library/disk': { bytes: 5e6 },
      '/api/runs': { runs },
    };
    return Promise.resolve(Response.json(Reflect.get(answers, String(address))));
  };
  parent = document.createElement('div');
  document.body.replaceChildren(parent);
  await show('a');
});
afterEach(() => {
  unmount();
  mock.timers.reset();
  globalThis.fetch = fetch;
});

/** Names of the videos that are shown, from top to bottom. */
function names() {
  return [...parent.querySelectorAll('.ps-lib-row .ps-lib-name')].map((name) => name.textContent);
}

/**
 * @param {string} selector
 * @param {MouseEventInit} [options]
 */
function click(selector, options = {}) {
  const target = parent.querySelector(selector);
  assert.ok(target, selector);
  target.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ...options }));
}

/** @param {number} id */
const row = (id) => `[data-video="${id}"]`;

/** Somebody comes back to the window. */
async function watch() {
  dispatchEvent(new Event('focus'));
  await settle();
}

test('the videos are listed by folder, with totals and the size on disk', () => {
  assert.deepEqual(names(), ['peak.mp4', 'river.mp4', 'wave.mp4']);
  assert.match(parent.querySelector('.ps-totals')?.textContent ?? '', /3videos.*5\.0 MBkept/);
  assert.equal(parent.querySelectorAll('.ps-lib-group').length, 2);
});

test('after a failure, the list comes back though it has not changed', async () => {
  const before = library;
  library = null;
  await show('b');
  assert.deepEqual(names(), []);
  assert.match(parent.textContent, /is not responding/);
  library = before;
  click('.ps-problem button');
  await settle();
  assert.deepEqual(names(), ['peak.mp4', 'river.mp4', 'wave.mp4']);
  assert.doesNotMatch(parent.textContent, /is not responding/);
});

test('what is filtered by is there again after a video was opened, and gone once it was emptied', async () => {
  /** @param {string} text */
  const typed = (text) => {
    const box = parent.querySelector('input');
    assert.ok(box instanceof HTMLInputElement);
    box.value = text;
    box.dispatchEvent(new Event('input'));
  };
  const again = async () => {
    unmount();
    parent = document.createElement('div');
    document.body.replaceChildren(parent);
    await show('a');
    return [parent.querySelector('input')?.value, names()];
  };
  typed('wave');
  assert.deepEqual(await again(), ['wave', ['wave.mp4']]);
  typed('');
  assert.deepEqual(await again(), ['', ['peak.mp4', 'river.mp4', 'wave.mp4']]);
});

test('a change by another process is shown, and one that came right after the first listing, too', async () => {
  library = listing([listed({ id: 9, name: 'new.mp4' })]);
  state = '2';
  await watch();
  assert.deepEqual(names(), ['new.mp4']);
});

test('while nothing changes, the listing is not requested again', async () => {
  state = '2';
  await show('b');
  requests = [];
  await watch();
  assert.deepEqual(requests, ['/api/library/state', '/api/runs']);
});

test('an answer that a later one has overtaken is not shown', async () => {
  /** @type {(response: Response) => void} */
  let finish = () => {};
  const answers = globalThis.fetch;
  const old = library;
  globalThis.fetch = (address) =>
    address === '/api/library' ? new Promise((done) => (finish = done)) : answers(address);
  await show('b');
  globalThis.fetch = answers;
  library = listing([listed({ id: 9, name: 'new.mp4' })]);
  await show('c');
  finish(Response.json(old));
  await settle();
  assert.deepEqual(names(), ['new.mp4']);
});

test('words filter the list, and the count tells', () => {
  const filter = parent.querySelector('input[type=search]');
  assert.ok(filter instanceof HTMLInputElement);
  filter.value = 'alps';
  filter.dispatchEvent(new Event('input'));
  assert.deepEqual(names(), ['peak.mp4', 'river.mp4']);
  assert.match(parent.textContent, /2 of 3/);
  filter.value = 'nothing like this';
  filter.dispatchEvent(new Event('input'));
  assert.match(parent.textContent, /No videos match/);
});

test('a state shows its videos alone', () => {
  click('.ps-chip.ps-state-missing');
  assert.deepEqual(names(), ['river.mp4']);
  click('.ps-chip');
  assert.equal(names().length, 3);
});

test('a click on a folder closes and opens it', () => {
  click('.ps-lib-folder');
  assert.deepEqual(names(), ['wave.mp4']);
  assert.equal(parent.querySelector('.ps-lib-folder')?.getAttribute('aria-expanded'), 'false');
  click('.ps-lib-folder');
  assert.equal(names().length, 3);
});

test('the button of a column, of a state or of a folder keeps the focus', () => {
  for (const selector of ['.ps-lib-sort', '.ps-chip', '.ps-lib-folder']) {
    /** @type {HTMLElement | null} */
    const button = parent.querySelector(selector);
    button?.focus();
    click(selector);
    assert(document.activeElement === parent.querySelector(selector), selector);
  }
});

test('the order is remembered by this browser', async () => {
  click('.ps-lib-head .ps-lib-sort');
  assert.deepEqual(names(), ['wave.mp4', 'river.mp4', 'peak.mp4']);
  unmount();
  await show('b');
  assert.deepEqual(names(), ['wave.mp4', 'river.mp4', 'peak.mp4']);
});

test('a click opens a video; with Control it is left to the browser, which opens a tab', () => {
  click(`${row(2)} .ps-lib-name`, { ctrlKey: true });
  assert.equal(triggers.length, 0);
  click(`${row(2)} .ps-lib-name`);
  const [[name, value]] = triggers;
  assert.equal(name, 'open');
  assert.equal(Reflect.get(Object(value), 'video'), 2);
});

test('videos are chosen one by one, or with Shift up to another', () => {
  const bar = () => parent.querySelector('.ps-lib-bar')?.textContent ?? '';
  click(`${row(2)} .ps-lib-check`);
  assert.match(bar(), /^1 selected · 1:00 · 5\.0 MB/);
  click(`${row(1)} .ps-lib-check`, { shiftKey: true });
  assert.match(bar(), /^3 selected/);
  click(`${row(3)} .ps-lib-check`);
  assert.match(bar(), /^2 selected/);
});

test('a video that has left the library is no longer chosen', async () => {
  click(`${row(1)} .ps-lib-check`);
  library = listing([listed({ id: 2, name: 'peak.mp4' })]);
  await show('b');
  assert.equal(parent.querySelector('.ps-lib-bar')?.hasAttribute('hidden'), true);
});

test('one row is reached by Tab, also after the one that had the focus is filtered out', () => {
  const stops = () =>
    [...parent.querySelectorAll('.ps-lib-row[tabindex="0"]')].map((each) => each.getAttribute('data-video'));
  assert.deepEqual(stops(), ['2']);
  const last = parent.querySelector(row(1));
  if (last instanceof HTMLElement) last.focus();
  click('.ps-chip.ps-state-missing');
  assert.deepEqual(stops(), ['3']);
  click('.ps-chip');
  assert.deepEqual(stops(), ['1']);
});

test('a removal is asked about, and then left to the page', () => {
  click(`${row(3)} [data-action=remove]`);
  const dialog = document.querySelector('dialog');
  assert.match(dialog?.textContent ?? '', /river\.mp4/);
  [...(dialog?.querySelectorAll('button') ?? [])].find((button) => button.textContent === 'Remove')?.click();
  const [[name, value]] = triggers;
  assert.equal(name, 'remove');
  assert.deepEqual(Reflect.get(Object(value), 'ids'), [3]);
});

test('of several chosen videos, all are removed', () => {
  for (const id of [1, 3]) click(`${row(id)} .ps-lib-check`);
  click('.ps-lib-bar button');
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll('dialog button');
  [...buttons].find((button) => button.textContent === 'Remove')?.click();
  const [[name, value]] = triggers;
  assert.equal(name, 'remove');
  assert.deepEqual(Reflect.get(Object(value), 'ids'), [1, 3]);
});

test('what the page says is shown once', async () => {
  await show('b', 'Removed one video');
  assert.match(document.body.textContent, /Removed one video/);
});

test('once removed, nothing is requested any more', async () => {
  unmount();
  requests = [];
  await watch();
  assert.deepEqual(requests, []);
});
