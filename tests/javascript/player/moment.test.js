import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../page.js';
import { Moments } from '../../../app/web/static/core/moments.js';
import { openPlayer } from '../../../app/web/static/player/player.js';
import { FakeServer, refusal, settled } from '../fake_server.js';
import { framesFrom, playableShot } from './footage.js';

const MOMENT = {
  start_seconds: 10.2,
  end_seconds: 10.6,
  start_pts: 10200,
  end_pts: 10600,
  is_whole: false,
  note: null,
  seconds: 8.14,
  preview: { from: 0.2, to: 0.6 },
};

/**
 * Open the player on the shot, as a hit of a search.
 *
 * @param {import('node:test').TestContext} context
 * @param {unknown} moment The server's answer.
 * @param {Moments | null} [moments]
 */
async function opened(context, moment, moments = new Moments('q=a+dog')) {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const server = new FakeServer({ ...playableShot(), 'GET /api/moment/7': moment }).serve(context);
  const dialog = openPlayer([{ id: 7 }, { id: 8 }], 0, { moments });
  const video = dialog.querySelector('video');
  assert(video);
  Object.defineProperty(video, 'videoWidth', { value: 320 });
  await settled();
  video.dispatchEvent(new Event('loadeddata'));
  await settled();
  press('k');
  return { dialog, server };
}

/** @param {string} key */
function press(key) {
  document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

/** @param {string} selector */
function textOf(selector) {
  return document.querySelector(selector)?.textContent ?? null;
}

/** @param {string} selector */
function styleOf(selector) {
  const found = document.querySelector(selector);
  assert(found instanceof HTMLElement);
  return found.hidden ? null : [found.style.left, found.style.width];
}

afterEach(() => {
  document.querySelector('dialog')?.close();
  for (const toast of document.querySelectorAll('.ps-toast')) toast.remove();
});

test('the moment of an opened hit is suggested, and E marks and plays it', async (context) => {
  const { dialog } = await opened(context, MOMENT);
  assert.equal(textOf('.ps-moment'), 'Moment of “a dog”: 00:00:10:05 to 00:00:10:15found in 8.1 s');
  assert.notEqual(styleOf('.ps-strip-moment'), null);
  assert.equal(textOf('.ps-marks'), null, 'a suggestion marks nothing');
  press('e');
  await settled();
  assert.equal(textOf('.ps-marks'), 'in 00:00:10:05 (frame 255), out 00:00:10:15 (frame 265), 10 frames');
  assert.equal(dialog.dataset.frame, '255');
  press('x');
  assert.equal(textOf('.ps-marks'), null);
  assert.notEqual(styleOf('.ps-strip-moment'), null, 'it stays suggested');
});

test('E waits for a moment that is still being found', async (context) => {
  /** @type {(moment: unknown) => void} */
  let answer = () => {};
  await opened(context, () => new Promise((resolve) => { answer = resolve; })); // biome-ignore format: short
  assert.equal(textOf('.ps-moment'), 'Finding the moment …');
  press('E');
  await settled();
  assert.equal(textOf('.ps-marks'), null);
  answer(MOMENT);
  await settled();
  assert.match(textOf('.ps-marks') ?? '', /^in 00:00:10:05 /);
});

test('what may run the other way is warned of, and what is all of the shot says so', async (context) => {
  await opened(context, { ...MOMENT, is_whole: true, note: 'may run the other way' });
  assert.match(textOf('.ps-moment') ?? '', /^Moment of “a dog”: all of 00:00:10:05 to /);
  assert.equal(textOf('.ps-moment .ps-warning'), 'May run the other way');
});

test('a moment beyond the frames that are loaded has them loaded when it is marked', async (context) => {
  const far = { ...MOMENT, start_seconds: 10.2, end_seconds: 30, end_pts: 30000 };
  const { dialog, server } = await opened(context, far);
  server.answers['GET /api/frames/7?from=10&to=30'] = framesFrom(250, 750);
  press('e');
  await settled();
  dialog.querySelector('video')?.dispatchEvent(new Event('loadeddata'));
  await settled();
  assert.match(textOf('.ps-marks') ?? '', /out 00:00:30:00 \(frame 750\), 495 frames$/);
});

test('without a moment the player says why, and goes on', async (context) => {
  await opened(context, refusal(503, 'The weights are not here.'));
  assert.equal(textOf('.ps-moment'), 'No moment: The weights are not here.');
  assert.equal(styleOf('.ps-strip-moment'), null);
  press('e');
  await settled();
  assert.equal(textOf('.ps-marks'), null);
});

test('where no search found the shot, nothing is asked for, and E says what to do', async (context) => {
  const { dialog, server } = await opened(context, MOMENT, null);
  assert.ok(!server.asked().some((line) => line.includes('/api/moment')));
  assert.ok(![...dialog.querySelectorAll('kbd')].some(({ textContent }) => textContent === 'E'));
  press('e');
  assert.match(textOf('.ps-toast') ?? '', /^Moments are those of hits/);
});

test('a moment is given up when the next hit is opened or the player is closed', async (context) => {
  /** @type {AbortSignal[]} */
  const signals = [];
  const moments = new Moments('q=a');
  context.mock.method(moments, 'find', (/** @type {number} */ _, /** @type {AbortSignal} */ signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  const { dialog } = await opened(context, MOMENT, moments);
  press('ArrowDown');
  assert.deepEqual([signals.length, signals[0]?.aborted], [1, true]);
  dialog.close();
  assert.equal(textOf('.ps-moment'), null);
});
