import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../page.js';
import { TrimRange } from '../../../../app/web/static/collections/trim/range.js';
import { TrimStrip } from '../../../../app/web/static/collections/trim/strip.js';
import { FrameDeck } from '../../../../app/web/static/player/frame_deck.js';
import { FakeServer } from '../../fake_server.js';
import { FakeVideo } from '../../player/fake_video.js';
import { framesFrom, SHOT } from '../../player/footage.js';

/**
 * A strip of 1500 pixels for the seconds 5 to 20: four pixels are a frame. What a person does on it is told.
 *
 * @param {import('node:test').TestContext} context
 */
async function opened(context) {
  new FakeServer({ 'GET /api/segment/7': SHOT, 'GET /api/frames/7?from=5&to=20': framesFrom(125, 500) }).serve(context);
  const deck = new FrameDeck(new FakeVideo().element);
  const info = await deck.load(7, { from: 5, to: 20 });
  assert.ok(info);
  const range = new TrimRange(deck);
  /** @type {unknown[][]} */
  const done = [];
  const tell =
    (/** @type {string} */ name) =>
    (/** @type {unknown[]} */ ...values) => {
      done.push([name, ...values]);
    };
  const strip = new TrimStrip(range, {
    scrub: tell('scrub'),
    grab: tell('grab'),
    drag: (point, index) => {
      done.push(['drag', point, index]);
      range.move(point, index);
    },
    slip: tell('slip'),
    release: tell('release'),
    widen: tell('widen'),
  });
  document.body.append(strip.element);
  context.after(() => strip.element.remove());
  const box = (/** @type {number} */ left, /** @type {number} */ width) => () => new DOMRect(left, 0, width, 40);
  strip.track.getBoundingClientRect = box(100, 1500);
  strip.handles.in.getBoundingClientRect = box(600 - 6, 12); // 10 s
  strip.handles.out.getBoundingClientRect = box(700 - 6, 12); // 11 s
  for (const each of [strip.track, strip.handles.in, strip.handles.out]) each.setPointerCapture = () => {};
  range.take(info, { start_pts: 10000, end_pts: 11000 });
  strip.draw((point) => `${point} point`);
  return { deck, range, strip, done };
}

/**
 * @param {Element} target
 * @param {string} name
 * @param {number} x
 * @param {{shiftKey?: boolean}} [more]
 */
function pointer(target, name, x, more = {}) {
  target.dispatchEvent(
    new PointerEvent(`pointer${name}`, { clientX: x, pointerId: 1, bubbles: true, cancelable: true, ...more }),
  );
}

test('the strip shows the range and its handles where they are', async (context) => {
  const { strip, range } = await opened(context);
  assert.equal(Number.parseFloat(strip.handles.in.style.left).toFixed(6), '33.333333');
  assert.equal(strip.handles.out.style.left, '40%');
  assert.equal(strip.handles.out.getAttribute('aria-valuetext'), 'out point');
  assert.equal(strip.handles.out.getAttribute('aria-valuenow'), '275');
  range.set({ start_pts: 10000, end_pts: 30000 });
  strip.draw(() => '');
  assert.ok(strip.handles.out.hidden && !strip.handles.in.hidden);
});

test('a handle moves from edge to edge of frames, under the pointer where it was grabbed', async (context) => {
  const { strip, done } = await opened(context);
  const handle = strip.handles.in;
  pointer(handle, 'down', 603); // three pixels right of its middle
  pointer(handle, 'move', 604);
  pointer(handle, 'move', 606);
  pointer(handle, 'up', 606);
  pointer(handle, 'move', 700); // released
  assert.deepEqual(done, [['grab'], ['drag', 'in', 125], ['drag', 'in', 126], ['release']]);
  assert.equal(strip.focused, 'in');
});

test('out moves to the end of a frame, and not past in', async (context) => {
  const { strip, done, range } = await opened(context);
  const handle = strip.handles.out;
  pointer(handle, 'down', 700);
  pointer(handle, 'move', 696);
  pointer(handle, 'move', 300);
  pointer(handle, 'cancel', 300);
  assert.deepEqual(done, [['grab'], ['drag', 'out', 148], ['drag', 'out', 125], ['release']]);
  assert.deepEqual(range.value, { start_pts: 10000, end_pts: 10040 });
});

test('a press on the strip seeks, and goes on seeking while it is dragged', async (context) => {
  const { strip, done } = await opened(context);
  pointer(strip.track, 'down', 100);
  pointer(strip.track, 'move', 850);
  pointer(strip.track, 'up', 850);
  assert.deepEqual(done, [
    ['scrub', 5],
    ['scrub', 12.5],
  ]);
});

test('the whole range is dragged with Shift, by frames from where it was', async (context) => {
  const { strip, done } = await opened(context);
  pointer(strip.band, 'down', 650, { shiftKey: true });
  pointer(strip.track, 'move', 658);
  pointer(strip.track, 'move', 642);
  pointer(strip.track, 'up', 642);
  const from = { first: 125, last: 149 };
  assert.deepEqual(done, [['grab'], ['slip', from, 2], ['slip', from, -2], ['release']]);
});

test('a range that reaches beyond the strip is not dragged as a whole: its far end would be lost', async (context) => {
  const { strip, done, range } = await opened(context);
  range.set({ start_pts: 10000, end_pts: 30000 });
  pointer(strip.band, 'down', 850, { shiftKey: true });
  assert.deepEqual(done, [['scrub', 12.5]]);
});

test('nothing is dragged where the frames are not known', async (context) => {
  const { strip, done, deck } = await opened(context);
  deck.frames = null;
  pointer(strip.handles.in, 'down', 600);
  pointer(strip.handles.in, 'move', 700);
  assert.deepEqual(done, []);
});

test('there is a button for more of the video at either side, as long as there is more', async (context) => {
  const { strip, done, deck } = await opened(context);
  strip.later.click();
  assert.deepEqual(done, [['widen', 'later']]);
  deck.last = 40;
  strip.draw(() => '');
  assert.ok(strip.later.disabled && !strip.earlier.disabled);
});

test('cuts are marked on the strip', async (context) => {
  const { strip } = await opened(context);
  strip.drawCuts([{ start: 0 }, { start: 8 }, { start: 20 }]);
  assert.deepEqual(
    [...strip.cuts.children].map((each) => /** @type {HTMLElement} */ (each).style.left),
    ['20%'],
  );
});
