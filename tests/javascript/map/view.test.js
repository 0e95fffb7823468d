import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import '../page.js';
import { tray } from '../../../app/web/static/core/tray.js';
import { mount } from '../../../app/web/static/map/view.js';
import { NAMED, packed, scoresOf } from './map_points.js';

/** @typedef {import('../../../app/web/static/map/scores.js').MapScores} MapScores */
/** @typedef {import('./map_points.js').Shot} Shot */

/** @type {Shot[]} */
const SHOTS = [
  [10, -1, 0, 1],
  [11, 0, 0, 2],
  [12, 1, 0, 3],
];
const [WIDTH, HEIGHT] = [1000, 600];

const { fetch, ResizeObserver } = globalThis;
const { getContext } = HTMLCanvasElement.prototype;
/** @type {Record<string, {version: string, shots: Shot[]}>} */
let maps = {}; // by the encoder
/** @type {[string, unknown][]} */
let triggers = [];
/** @type {() => void} */
let resized = () => {};
let parent = document.createElement('div');
let unmount = () => {};

/** Let frames and promises pass. */
async function settle() {
  for (let turn = 0; turn < 10; turn += 1)
    await new Promise((done) => {
      setImmediate(done);
    });
}

/**
 * @param {string} encoder
 * @param {MapScores | null} [asked]
 */
async function show(encoder, asked = null) {
  unmount = mount({
    parentElement: parent,
    data: { encoder, shots: 9, asks: asked !== null, asked },
    setTriggerValue: (name, value) => triggers.push([name, value]),
  });
  await resize(WIDTH, HEIGHT);
}

/**
 * @param {number} width
 * @param {number} height
 */
async function resize(width, height) {
  for (const [name, value] of Object.entries({ clientWidth: width, clientHeight: height }))
    Object.defineProperty(stage(), name, { value, configurable: true });
  resized();
  await settle();
}

function stage() {
  const found = parent.querySelector('.ps-map-stage');
  assert.ok(found instanceof HTMLElement);
  return found;
}

/** The part of the view with a class, as a text. */
const text = (/** @type {string} */ name) => parent.querySelector(`.${name}`)?.textContent ?? '';

/** @param {string} key */
function press(key) {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true }));
}

beforeEach(() => {
  [triggers, maps] = [[], { e: { version: 'v', shots: SHOTS } }];
  mock.method(tray, 'watch', () => () => {});
  const context = {
    createImageData: (/** @type {number} */ width, /** @type {number} */ height) => ({
      data: new Uint8ClampedArray(4 * width * height),
    }),
    putImageData: () => {},
  };
  Object.assign(HTMLCanvasElement.prototype, { getContext: () => context });
  Object.assign(globalThis, {
    requestAnimationFrame: (/** @type {() => void} */ run) => setImmediate(run),
    ResizeObserver: class {
      constructor(/** @type {() => void} */ run) {
        resized = run;
      }

      observe() {}
      disconnect() {}
    },
  });
  globalThis.fetch = (address) => {
    const { pathname, searchParams } = new URL(String(address), 'http://localhost');
    const { version, shots } = maps[searchParams.get('encoder') ?? 'e'];
    if (pathname.endsWith('/points')) return Promise.resolve(new Response(packed(shots)));
    if (pathname.endsWith('/videos')) return Promise.resolve(Response.json(NAMED));
    if (pathname.startsWith('/api/segment'))
      return Promise.resolve(Response.json({ start: 5, end: 7, missing: false }));
    return Promise.resolve(Response.json({ version, current: true, making: false, share: 1, text: '', error: null }));
  };
  parent = document.createElement('div');
  document.body.replaceChildren(parent);
});
afterEach(() => {
  unmount();
  mock.restoreAll();
  Object.assign(HTMLCanvasElement.prototype, { getContext });
  Object.assign(globalThis, { fetch, ResizeObserver });
});

test('the map is loaded and coloured by folder, with a legend', async () => {
  await show('e');
  assert.match(text('ps-map-status'), /^3 shots · near/);
  assert.deepEqual(
    [...parent.querySelectorAll('.ps-chip')].map((chip) => chip.textContent),
    ['Folder', 'Video'],
  );
  assert.equal(text('ps-map-legend'), 'seaalps');
});

test('the button of a colouring keeps the focus', async () => {
  await show('e');
  /** @type {NodeListOf<HTMLElement>} */
  const [, chip] = parent.querySelectorAll('.ps-chip');
  chip.focus();
  chip.click();
  assert.equal(document.activeElement?.textContent, 'Video');
  assert.equal(document.activeElement?.getAttribute('aria-pressed'), 'true');
});

test('a search colours the map by its scores, once it is of this version', async () => {
  const asked = scoresOf([0, 65534, 65535], { high: 0.5 });
  await show('e', { ...asked, version: 'before' });
  assert.match(text('ps-map-status'), /^3 shots · near/);
  assert.deepEqual(triggers, [['made', 'v']]);
  await show('e', { ...asked, version: 'v' });
  assert.match(text('ps-map-status'), /^3 shots · 1 left out by filters · best score 0\.50/);
  assert.match(text('ps-map-legend'), /Score/);
  await show('e', null);
  assert.match(text('ps-map-status'), /^3 shots · near/);
});

test('all that is seen is chosen, the best first, and goes to the tray', async () => {
  const add = mock.method(tray, 'add', () => Promise.resolve([{}]));
  await show('e', scoresOf([100, 60000, 30000]));
  press('v');
  assert.match(text('ps-map-chosen'), /^3 selected/);
  const names = [...parent.querySelectorAll('.ps-map-chosen-item')].map((item) => item.getAttribute('title'));
  assert.deepEqual(names, ['b.mp4', 'c.mp4', 'a.mp4']);
  press('s');
  const items = add.mock.calls[0].arguments[0] ?? [];
  assert.deepEqual(
    items.map(({ segment }) => segment),
    [11, 12, 10],
  );
});

test('the keyboard aims at the shot in the middle, and colours by likeness to it', async () => {
  await show('e');
  stage().focus();
  assert.match(stage().getAttribute('aria-description') ?? '', /^In the middle: b\.mp4/);
  press('m');
  assert.equal(Reflect.get(Object(triggers[0][1]), 'segment'), 11);
});

test('a ring marks the shot in the middle, none before, and follows it to another size of the stage', async () => {
  await show('e');
  const ring = parent.querySelector('.ps-map-ring');
  assert(ring instanceof HTMLElement);
  assert(ring.hidden);
  stage().focus();
  assert(!ring.hidden);
  assert.equal(ring.style.transform, 'translate(500px, 300px)');
  await resize(800, 400);
  assert.equal(ring.style.transform, 'translate(400px, 200px)');
});

test('keys that arrive before the map do nothing', async () => {
  maps = { e: { version: '', shots: [] } };
  await show('e');
  stage().focus();
  for (const key of ['+', '0', 'ArrowLeft', 's', 'm', 'v', 'p', 'Enter', 'Escape']) press(key);
  assert.deepEqual(triggers, []);
});

test('another map takes the place of the first, and the shot that was aimed at is not taken for one of it', async () => {
  await show('e');
  stage().focus();
  maps.f = {
    version: 'w',
    shots: [
      [50, 5, 5, 1],
      [51, 6, 6, 1],
      [52, 7, 7, 1],
    ],
  };
  await show('f');
  press('m');
  assert.deepEqual(triggers, []);
});

test('a map that arrives after that of another encoder is not shown', async () => {
  maps.slow = { version: 'w', shots: [[50, 0, 0, 1]] };
  const answers = globalThis.fetch;
  /** @type {() => void} */
  let finish = () => {};
  globalThis.fetch = async (address, options) => {
    if (String(address).includes('/points?encoder=slow')) await new Promise((done) => (finish = () => done(null)));
    return await answers(address, options);
  };
  await show('slow');
  await show('e');
  finish();
  await settle();
  assert.match(text('ps-map-status'), /^3 shots/);
});
