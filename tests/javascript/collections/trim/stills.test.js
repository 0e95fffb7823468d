import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../page.js';
import { TrimRange } from '../../../../app/web/static/collections/trim/range.js';
import { TrimStills } from '../../../../app/web/static/collections/trim/stills.js';
import { element } from '../../../../app/web/static/core/dom.js';
import { FrameDeck } from '../../../../app/web/static/player/frame_deck.js';
import { FakeServer, settled } from '../../fake_server.js';
import { FakeVideo } from '../../player/fake_video.js';
import { framesFrom, SHOT } from '../../player/footage.js';

/**
 * The stills of frames 250 and 274 of a video, which is paused at the first of them. Each drawing is told: the width of its
 * canvas, and the time of the picture.
 *
 * @param {import('node:test').TestContext} context
 */
async function opened(context) {
  new FakeServer({ 'GET /api/segment/7': SHOT, 'GET /api/frames/7?from=5&to=20': framesFrom(125, 500) }).serve(context);
  const video = new FakeVideo();
  video.videoWidth = 320;
  /** @type {number[]} */
  const drawn = [];
  /** @type {number[]} */
  const cleared = [];
  const drawing = {
    drawImage: () => drawn.push(video.time),
    clearRect: () => cleared.push(video.time),
  };
  context.mock.method(HTMLCanvasElement.prototype, 'getContext', () => drawing);
  const deck = new FrameDeck(video.element);
  const range = new TrimRange(deck);
  const inputs = { in: element('input'), out: element('input') };
  const stills = new TrimStills(deck, range, element('div'), inputs, { go: () => {} });
  const info = await deck.load(7, { from: 5, to: 20 });
  assert.ok(info);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  range.take(info, { start_pts: 10000, end_pts: 11000 });
  deck.show(range.first);
  video.arrive(10);
  video.sought.length = 0;
  drawn.length = 0;
  cleared.length = 0;
  return { video, deck, range, stills, drawn, cleared };
}

/** @param {number[]} times */
function rounded(times) {
  return times.map((each) => Number(each.toFixed(6)));
}

test('the picture that is shown is taken at once, the other is looked up once the range rests', async (context) => {
  const { video, deck, stills, drawn } = await opened(context);
  assert.deepEqual(stills.stale, ['out']);
  assert(stills.freeze.hidden, 'nothing covers the video');
  stills.update();
  context.mock.timers.tick(139);
  assert.deepEqual(video.sought, []);
  context.mock.timers.tick(1);
  assert.deepEqual(rounded(video.sought), [10.98]); // the middle of frame 274
  assert.ok(!stills.freeze.hidden && deck.away);
  video.arrive(10.96);
  await settled();
  assert.deepEqual(rounded(video.sought), [10.98, 10.02]); // and back
  assert.equal(drawn.length, 2); // the cover, and the still
  video.arrive(10);
  await settled();
  assert.ok(stills.freeze.hidden && !deck.away);
  assert.deepEqual(stills.stale, []);
  assert.equal(deck.now, 10);
});

test('in a proxy, which begins later than the video, a still is looked up at the proxy’s own time', async (context) => {
  const { video, deck, stills } = await opened(context);
  deck.offset = 4;
  stills.update();
  context.mock.timers.tick(140);
  assert.deepEqual(rounded(video.sought), [6.98]); // the middle of frame 274, 4 s into the video
});

test('a point that moves again before it rests is looked up once, where it is then', async (context) => {
  const { video, range, stills } = await opened(context);
  for (const last of [140, 141, 142]) {
    range.move('out', last);
    stills.update();
    context.mock.timers.tick(100);
  }
  context.mock.timers.tick(40);
  assert.deepEqual(rounded(video.sought), [10.7]); // frame 267
});

test('a person who goes on meanwhile comes first: the cover goes, and nothing is sought back', async (context) => {
  const { video, deck, stills } = await opened(context);
  stills.update();
  context.mock.timers.tick(140);
  deck.step(1);
  video.arrive(10.04);
  await settled();
  assert.deepEqual(rounded(video.sought), [10.98, 10.06]);
  assert.ok(stills.freeze.hidden && !deck.away);
  assert.equal(deck.now, 10.04);
});

test('only one look-up runs at a time', async (context) => {
  const { video, range, stills } = await opened(context);
  stills.update();
  context.mock.timers.tick(140);
  video.seeking = false; // the seek is over, its picture is not there yet
  range.move('out', 140);
  stills.update();
  context.mock.timers.tick(140);
  assert.deepEqual(rounded(video.sought), [10.98]);
});

test('a picture that never comes leaves its still empty', async (context) => {
  const { video, stills, cleared } = await opened(context);
  stills.update();
  context.mock.timers.tick(140);
  context.mock.timers.tick(3000);
  await settled();
  assert.equal(cleared.length, 1);
  assert.deepEqual(stills.stale, []);
  assert.deepEqual(rounded(video.sought), [10.98, 10.02]);
});

test('a point whose frames are not known has no still, rather than that of another frame', async (context) => {
  const { video, range, stills, cleared } = await opened(context);
  range.set({ start_pts: 10000, end_pts: 30000 });
  stills.update();
  assert.equal(cleared.length, 1);
  assert.deepEqual(stills.stale, []);
  context.mock.timers.tick(1000);
  assert.deepEqual(video.sought, []);
});

test('nothing is taken while it plays', async (context) => {
  const { video, stills, range, deck } = await opened(context);
  await deck.play();
  range.move('in', 130);
  stills.update();
  context.mock.timers.tick(1000);
  video.present(10.2);
  assert.deepEqual(stills.stale, ['in', 'out']);
  assert.deepEqual(video.sought, []);
});

test('another subclip begins with empty stills', async (context) => {
  const { stills, cleared } = await opened(context);
  stills.update();
  stills.clear();
  assert.equal(cleared.length, 2);
  assert.deepEqual(stills.stale, ['in', 'out']);
  context.mock.timers.tick(1000); // no look-up is left over
  assert.ok(stills.freeze.hidden);
});
