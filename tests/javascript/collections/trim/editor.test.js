import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../../page.js';
import { Edits } from '../../../../app/web/static/collections/edits.js';
import { TrimEditor } from '../../../../app/web/static/collections/trim/editor.js';
import { Moments } from '../../../../app/web/static/core/moments.js';
import { FakeServer, settled } from '../../fake_server.js';
import { framesFrom, SHOT } from '../../player/footage.js';
import { subclip } from '../subclips.js';

const CLIP = subclip({
  segment: 7,
  start: 10,
  end: 11,
  start_pts: 10000,
  end_pts: 11000,
  video_end_pts: 40000,
  time_base: [1, 1000],
});
const MOMENT = { start_pts: 10200, end_pts: 10600, start_seconds: 10.2, end_seconds: 10.6, seconds: 3, note: null };

/**
 * Open the trim window on a subclip of the shot.
 *
 * @param {import('node:test').TestContext} context
 * @param {Moments | null} moments
 */
async function opened(context, moments) {
  const server = new FakeServer({
    'GET /api/segment/7': SHOT,
    'GET /api/frames/7': framesFrom(200, 325),
    'GET /api/neighbours/7': { items: [] },
    'GET /api/moment/7': MOMENT,
    'PATCH /api/subclips/1': { ...CLIP, revision: 2 },
  }).serve(context);
  const canvas = { fillRect() {}, drawImage() {}, clearRect() {} };
  context.mock.method(HTMLCanvasElement.prototype, 'getContext', () => canvas);
  const edits = new Edits();
  const editor = new TrimEditor([CLIP], 0, { collection: 1, edits, onClose: () => edits.close(), moments });
  const video = editor.parts.video;
  Object.defineProperty(video, 'videoWidth', { value: 320 });
  await settled();
  video.dispatchEvent(new Event('loadeddata'));
  await settled();
  await settled();
  return { server, editor };
}

/** @param {string} key */
function press(key) {
  document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

afterEach(() => {
  document.querySelector('dialog')?.close();
  for (const toast of document.querySelectorAll('.ps-toast')) toast.remove();
});

test("E sets in and out to the moment of the tab's search, which U takes back", async (context) => {
  const { server, editor } = await opened(context, new Moments('q=a+dog'));
  assert.ok(editor.range.able);
  assert.ok(!server.asked().some((line) => line.includes('/api/moment')), 'nobody has asked for it yet');
  press('e');
  await settled();
  assert.deepEqual(editor.range.value, { start_pts: 10200, end_pts: 10600 });
  assert.match(editor.moment.root.textContent ?? '', /^Moment of “a dog”: 00:00:10:05 to 00:00:10:15/);
  press('u');
  assert.deepEqual(editor.range.value, { start_pts: 10000, end_pts: 11000 });
});

test('without a search, E says what to do and changes nothing', async (context) => {
  const { editor } = await opened(context, null);
  press('e');
  await settled();
  assert.match(document.querySelector('.ps-toast')?.textContent ?? '', /^Moments are those of a search/);
  assert.deepEqual(editor.range.value, { start_pts: 10000, end_pts: 11000 });
});
