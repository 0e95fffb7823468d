import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../page.js';
import { openCompare } from '../../../app/web/static/player/compare.js';
import { FakeServer, settled } from '../fake_server.js';
import { framesFrom, SHOT } from './footage.js';

const TRAY = { id: 1, name: 'Tray', revision: 1, items: 0 };

/** @param {import('node:test').TestContext} context @param {number} [count] */
async function opened(context, count = 2) {
  const ids = Array.from({ length: count }, (_, at) => 7 + at);
  const server = new FakeServer({
    ...Object.fromEntries(
      ids.flatMap((id) => [
        [`GET /api/segment/${id}`, { ...SHOT, id, name: `take${id}.mp4` }],
        [`GET /api/frames/${id}?from=0&to=21`, framesFrom(0, 525)],
      ]),
    ),
    'GET /api/collections': { collections: [TRAY], tray: 1 },
    'GET /api/collections/1': { ...TRAY, subclips: [] },
    'POST /api/collections/1/subclips': { subclips: [] },
  }).serve(context);
  const dialog = openCompare(ids.map((id) => ({ id, label: `Take ${id}` })));
  const videos = [...dialog.querySelectorAll('video')];
  for (const video of videos) Object.defineProperty(video, 'videoWidth', { value: 320 });
  await settled();
  for (const video of videos) video.dispatchEvent(new Event('loadeddata'));
  await settled();
  return { dialog, videos, server };
}

/** @param {string} key */
function press(key) {
  document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

afterEach(() => {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
});

test('each take has its picture, its name and its place, and no more than four are shown', async (context) => {
  const { dialog, videos } = await opened(context, 6);
  assert.equal(videos.length, 4);
  assert.equal(dialog.querySelector('.ps-compare-sides')?.getAttribute('data-count'), '4');
  const captions = [...dialog.querySelectorAll('figcaption')].map((each) => each.textContent);
  assert.match(captions[0] ?? '', /^Take 7take7\.mp4 · 00:00:10\.000/);
  assert.equal(dialog.getAttribute('aria-label'), 'Takes side by side');
});

test('a number chooses whose sound is heard', async (context) => {
  const { dialog, videos } = await opened(context, 3);
  const pressed = () =>
    [...dialog.querySelectorAll('figcaption button')].map((each) => each.getAttribute('aria-pressed'));
  assert.deepEqual(pressed(), ['true', 'false', 'false']);
  press('3');
  assert.deepEqual(pressed(), ['false', 'false', 'true']);
  assert.deepEqual(
    videos.map(({ muted }) => muted),
    [true, true, false],
  );
  const [first] = dialog.querySelectorAll('figcaption button');
  if (first instanceof HTMLElement) first.click();
  assert.deepEqual(pressed(), ['true', 'false', 'false']);
});

test('one clock moves with keys, and the slider says where it is', async (context) => {
  const { dialog } = await opened(context);
  press('Home');
  const slider = dialog.querySelector('[role=slider]');
  assert.equal(slider?.getAttribute('aria-valuetext'), '00:00:00.000 of 00:00:01.000');
  press('.');
  assert.equal(slider?.getAttribute('aria-valuetext'), '00:00:00.040 of 00:00:01.000');
  press('End');
  assert.equal(slider?.getAttribute('aria-valuetext'), '00:00:00.960 of 00:00:01.000');
  assert.equal(dialog.dataset.state, 'paused');
});

test('the take that is heard goes to the tray', async (context) => {
  const { server } = await opened(context);
  press('2');
  press('s');
  await settled();
  const added = server.requests.find(({ line }) => line === 'POST /api/collections/1/subclips');
  assert.match(JSON.stringify(added?.body), /"segment":8/);
});

test('closed, it leaves its videos and gives its keys back', async (context) => {
  const { dialog, videos } = await opened(context);
  press('Escape');
  dialog.dispatchEvent(new Event('close'));
  assert.equal(dialog.isConnected, false);
  assert(videos.every((video) => !video.hasAttribute('src')));
});
