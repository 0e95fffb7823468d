import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../page.js';
import { openPlayer } from '../../../app/web/static/player/player.js';
import { FakeServer, refusal, settled } from '../fake_server.js';
import { FRAMES, framesFrom, playableShot, SHOT } from './footage.js';

const TRAY = { id: 1, name: 'Tray', revision: 1, items: 0 };

/**
 * Open the player on the shot, paused at frame 250, its first.
 *
 * @param {import('node:test').TestContext} context
 * @param {object} [options]
 * @param {Record<string, unknown>} [options.answers]
 * @param {import('../../../app/web/static/player/player.js').PlayerCallbacks} [options.callbacks]
 * @param {import('../../../app/web/static/core/types.js').PlayerItem[]} [options.items]
 * @param {boolean} [options.stopped] Whether it is paused at its first frame.
 */
async function opened(
  context,
  { answers = {}, callbacks = {}, items = [{ id: 7, score: 0.5 }, { id: 8 }], stopped = true } = {},
) {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const server = new FakeServer({
    ...playableShot(),
    'GET /api/neighbours/7?before=8&after=8': {
      items: [
        { id: 6, start: 8, end: 10, number: 0 },
        { ...SHOT, number: 1 },
      ],
    },
    'GET /api/collections': { collections: [TRAY], tray: 1 },
    'GET /api/collections/1': { ...TRAY, subclips: [] },
    'POST /api/collections/1/subclips': { subclips: [] },
    ...answers,
  }).serve(context);
  const dialog = openPlayer(items, 0, callbacks);
  const video = dialog.querySelector('video');
  assert(video);
  Object.defineProperty(video, 'videoWidth', { value: 320 });
  await settled();
  video.dispatchEvent(new Event('loadeddata'));
  await settled();
  press('k');
  if (stopped) press('Home');
  if (stopped) server.asked();
  return { dialog, video, server };
}

/** @param {string} key */
function press(key, shiftKey = false) {
  document.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true }));
}

/** @param {string} selector */
function textOf(selector) {
  return document.querySelector(selector)?.textContent ?? null;
}

/** What was added to the tray. @param {FakeServer} server */
function added(server) {
  return server.requests.filter(({ line }) => line === 'POST /api/collections/1/subclips').map(({ body }) => body);
}

afterEach(() => {
  document.querySelector('dialog')?.close();
  for (const toast of document.querySelectorAll('.ps-toast')) toast.remove();
});

test('the player says which shot it shows, where it is, and leads to the whole video', async (context) => {
  const { dialog } = await opened(context);
  assert.equal(textOf('.ps-player-title'), 'a.mp4');
  assert.match(textOf('.ps-player-place') ?? '', /^00:00:10\.000 to 00:00:11\.000 · 1\.0 s · shot 2 · 320×180/);
  assert.equal(textOf('.ps-time strong'), '00:00:10:00');
  assert.equal(dialog.dataset.state, 'paused');
  assert.equal(dialog.querySelectorAll('.ps-neighbour').length, 2);
  assert.equal(dialog.querySelector('.ps-neighbour[aria-current=true]')?.textContent, '00:00:10.000');
});

test('keys step by frames and seconds, and to the ends of the shot', async (context) => {
  const { dialog } = await opened(context);
  for (const [key, shift, frame] of /** @type {[string, boolean, string][]} */ ([
    ['.', false, '251'],
    ['ArrowRight', true, '276'],
    ['ArrowLeft', true, '251'],
    [',', false, '250'],
    [',', false, '249'],
    ['End', false, '274'],
    ['Home', false, '250'],
  ])) {
    press(key, shift);
    assert.equal(dialog.dataset.frame, frame, key);
  }
});

test('a marked range is shown, goes to the tray with its score, and can be cleared', async (context) => {
  const { dialog, server } = await opened(context);
  press('.');
  press('i');
  press('.');
  press('o');
  assert.equal(textOf('.ps-marks'), 'in 00:00:10:01 (frame 251), out 00:00:10:03 (frame 253), 2 frames');
  press('s');
  await settled();
  assert.deepEqual(added(server), [{ items: [{ segment: 7, score: 0.5, start_pts: 10040, end_pts: 10120 }] }]);
  press('x');
  assert.equal(textOf('.ps-marks'), null);
  assert.equal(dialog.querySelector('.ps-strip-marked')?.getAttribute('hidden'), '');
});

test('without marks, the whole shot goes to the tray', async (context) => {
  const { server } = await opened(context);
  press('S');
  await settled();
  assert.deepEqual(added(server), [{ items: [{ segment: 7, score: 0.5 }] }]);
});

test('a marked range whose frames are not known is not kept as something else', async (context) => {
  /** @type {unknown[]} */
  const searched = [];
  const onRange = (/** @type {unknown} */ range) => searched.push(range);
  const { server } = await opened(context, { answers: { [FRAMES]: refusal(409, 'Changed.') }, callbacks: { onRange } });
  press('i');
  for (const key of ['s', 'f']) {
    press(key);
    await settled();
    assert.match(textOf('.ps-toast') ?? '', /^The frames of this file could not be read/);
    document.querySelector('.ps-toast')?.remove();
  }
  assert.deepEqual(added(server), []);
  assert.deepEqual(searched, []);
});

test('F searches with the marked range, and closes the player; without marks it says what to do', async (context) => {
  /** @type {unknown[]} */
  const searched = [];
  const { dialog } = await opened(context, { callbacks: { onRange: (range) => searched.push(range) } });
  press('f');
  assert.match(textOf('.ps-toast') ?? '', /^Mark a range first/);
  assert.equal(dialog.open, true);
  press('o');
  press('f');
  assert.deepEqual(searched, [{ segment: 7, start_pts: 10000, end_pts: 10040 }]);
  assert.equal(dialog.open, false);
});

test('M and N hand the shot over; a page that takes none has neither buttons nor keys for it', async (context) => {
  /** @type {[string, number][]} */
  const told = [];
  const onLike = (/** @type {number} */ segment) => told.push(['like', segment]);
  const { dialog } = await opened(context, { callbacks: { onLike } });
  press('n');
  assert.equal(dialog.open, true);
  assert.ok(![...dialog.querySelectorAll('button')].some((each) => each.textContent?.startsWith('Less like')));
  press('m');
  assert.deepEqual(told, [['like', 7]]);
  assert.equal(dialog.open, false);
});

test('Up and Down go through the results, and say where they end', async (context) => {
  const next = { ...SHOT, id: 8, start: 11, end: 12 };
  const { dialog, server } = await opened(context, { answers: { 'GET /api/segment/8': next } });
  press('ArrowUp');
  assert.match(textOf('.ps-toast') ?? '', /first result/);
  assert.deepEqual(server.asked(), []);
  press('ArrowDown');
  await settled();
  assert.ok(server.asked().includes('GET /api/segment/8'));
  assert.equal(dialog.querySelector('video')?.getAttribute('src'), '/api/video/8');
  press('ArrowDown');
  assert.match(textOf('.ps-toast') ?? '', /last result/);
});

test('a shot that cannot be loaded says so, and does not seem to load for ever', async (context) => {
  const { dialog } = await opened(context, {
    answers: { 'GET /api/segment/7': refusal(404, 'There is no such segment.') },
  });
  assert.equal(dialog.dataset.state, 'failed');
  assert.equal(textOf('.ps-player-status'), 'There is no such segment.');
});

test('closing gives the focus back, and tells the shot that was shown last', async (context) => {
  const button = document.body.appendChild(document.createElement('button'));
  button.focus();
  /** @type {unknown[]} */
  const closed = [];
  const { dialog } = await opened(context, { callbacks: { onClose: (segment) => closed.push(segment) } });
  press('Escape');
  assert.equal(dialog.isConnected, false);
  assert.deepEqual(closed, [7]);
  assert(document.activeElement === button);
  press('.'); // its keys are gone
  button.remove();
});

test('whoever opened the player may give the focus to the shot that was shown last', async (context) => {
  const [card, last] = [document.createElement('button'), document.createElement('button')];
  document.body.append(card, last);
  card.focus();
  await opened(context, { callbacks: { onClose: () => last.focus() } });
  press('Escape');
  assert(document.activeElement === last);
  card.remove();
  last.remove();
});

test('R loops the shot, and a second press ends it', async (context) => {
  const { dialog, video } = await opened(context);
  const button = [...dialog.querySelectorAll('button')].find((each) => each.textContent?.startsWith('Loop'));
  press('r');
  assert.equal(button?.getAttribute('aria-pressed'), 'true');
  assert.equal(video.paused, false);
  press('r');
  assert.equal(button?.getAttribute('aria-pressed'), 'false');
  assert.equal(video.paused, false);
});

test('a drag on the strip goes to the time under the pointer', async (context) => {
  const { dialog } = await opened(context);
  const strip = /** @type {HTMLElement} */ (dialog.querySelector('.ps-strip'));
  context.mock.method(strip, 'getBoundingClientRect', () => new DOMRect(100, 0, 210, 20));
  strip.setPointerCapture = () => {};
  strip.dispatchEvent(new PointerEvent('pointerdown', { clientX: 130 }));
  assert.equal(dialog.dataset.frame, '75');
  strip.dispatchEvent(new PointerEvent('pointermove', { clientX: 500 }));
  assert.equal(dialog.dataset.frame, '524');
  strip.dispatchEvent(new PointerEvent('pointerup', { clientX: 500 }));
  strip.dispatchEvent(new PointerEvent('pointermove', { clientX: 100 }));
  assert.equal(dialog.dataset.frame, '524');
});

const WORDS = {
  'GET /api/segment/7': { ...SHOT, has_text: true },
  'GET /api/segment/9': { ...SHOT, id: 9, start: 30, end: 31, has_text: true },
  'GET /api/frames/9?from=20&to=40': framesFrom(500, 1000),
  'GET /api/neighbours/9?before=8&after=8': { items: [] },
  'GET /api/text/3': { sources: [{ id: 1, kind: 'chapter', language: '', lines: 2 }] },
  'GET /api/text/3/lines?sources=1&from=0': {
    lines: [
      { id: 1, source: 1, start: 12, end: 35, text: 'Near', segment: 7 },
      { id: 2, source: 1, start: 35, end: 40, text: 'Far', segment: 9 },
    ],
    next: null,
  },
};

/** @param {number} id */
function playLine(id) {
  document.querySelector(`#ps-line-${id}`)?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
}

test('words of the video stand beside it; a line is played from its start, also one of another shot', async (context) => {
  const { dialog, video, server } = await opened(context, { answers: WORDS });
  assert.equal(dialog.classList.contains('ps-with-text'), true);
  assert.equal(dialog.querySelector('.ps-transcript')?.nextElementSibling?.className, 'ps-neighbours');
  assert.equal(dialog.querySelectorAll('.ps-strip-chapter').length, 1); // the other one lies beyond the strip
  playLine(1);
  await settled();
  assert.equal(dialog.dataset.frame, '300');
  assert.deepEqual(server.asked(), []);
  playLine(2);
  await settled();
  video.dispatchEvent(new Event('loadeddata'));
  await settled();
  assert.deepEqual([dialog.dataset.segment, dialog.dataset.frame], ['9', '875']);
  assert.deepEqual(
    server.asked().filter((each) => each.includes('/api/text')),
    [],
  );
  press('w');
  assert.equal(dialog.querySelector('.ps-transcript'), null);
  press('/');
  assert.equal(document.activeElement?.className, 'ps-transcript-box');
});

test('a hit of words is played from the word on, and its own track stands beside it', async (context) => {
  const sources = [
    { id: 1, kind: 'subtitle', language: 'en', title: '', origin: '', engine: '', lines: 1 },
    { id: 2, kind: 'subtitle', language: 'de', title: '', origin: '', engine: '', lines: 1 },
  ];
  const line = { id: 5, source: 2, start: 11.9, end: 14, text: 'Motor an', segment: 7 };
  const { dialog, server } = await opened(context, {
    answers: {
      'GET /api/segment/7': { ...SHOT, has_text: true },
      'GET /api/text/3': { sources },
      'GET /api/text/3/lines?sources=2&from=0': { lines: [line], next: null },
    },
    items: [{ id: 7, from: 12, source: 2 }, { id: 8 }],
    stopped: false,
  });
  assert.equal(dialog.dataset.frame, '300');
  assert.equal(dialog.querySelector('.ps-now .ps-line-text')?.textContent, 'Motor an');
  assert.deepEqual(
    server.requests.map((each) => each.line).filter((each) => each.includes('/lines')),
    ['GET /api/text/3/lines?sources=2&from=0'],
  );
  press('Home');
  assert.equal(dialog.dataset.frame, '250', 'the start of the shot is one key away');
});

test('without words there is no transcript, and nothing is asked for', async (context) => {
  const { dialog, server } = await opened(context);
  press('w');
  press('/');
  await settled();
  assert.equal(dialog.classList.contains('ps-with-text'), false);
  assert.equal(dialog.querySelector('.ps-transcript'), null);
  assert.equal([...dialog.querySelectorAll('button')].find((each) => each.title === 'Transcript (W)')?.hidden, true);
  assert.deepEqual(server.asked(), []);
});
