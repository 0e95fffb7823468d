import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../page.js';
import { TrimRange } from '../../../../app/web/static/collections/trim/range.js';
import { FrameDeck } from '../../../../app/web/static/player/frame_deck.js';
import { FakeServer, refusal, settled } from '../../fake_server.js';
import { FakeVideo } from '../../player/fake_video.js';
import { framesFrom, SHOT } from '../../player/footage.js';

const LATER = 'GET /api/frames/7?from=19.999&to=40';
const EARLIER = 'GET /api/frames/7?from=0&to=5.001';

/**
 * A range over frames 125 to 499 of a video of 1000, at 25 a second; its own are 250 to 274.
 *
 * @param {import('node:test').TestContext} context
 * @param {Record<string, unknown>} [answers]
 */
async function opened(context, answers = {}) {
  const server = new FakeServer({
    'GET /api/segment/7': SHOT,
    'GET /api/frames/7?from=5&to=20': framesFrom(125, 500),
    [EARLIER]: framesFrom(0, 126),
    [LATER]: framesFrom(500, 1000),
    ...answers,
  }).serve(context);
  const video = new FakeVideo();
  const deck = new FrameDeck(video.element);
  const info = await deck.load(7, { from: 5, to: 20 });
  assert.ok(info);
  video.arrive();
  const range = new TrimRange(deck);
  range.take(info, { start_pts: 10000, end_pts: 11000 });
  server.asked();
  return { server, video, deck, range };
}

/** @param {TrimRange} range */
function names(range) {
  /** @type {string[]} */
  const seen = [];
  for (const name of ['change', 'commit']) range.addEventListener(name, () => seen.push(name));
  return seen;
}

test('nothing can be trimmed before a subclip is open, or without its frames', async (context) => {
  const { deck, range } = await opened(context);
  assert.ok(range.able);
  range.info = null;
  assert.ok(!range.able && !range.canWiden('later'));
  range.info = SHOT;
  deck.frames = null;
  assert.ok(!range.able);
  range.move('in', 30);
  range.nudge('in', 1);
  range.slip({ first: 0, last: 10 }, 1);
  assert.deepEqual(range.value, { start_pts: 10000, end_pts: 11000 });
});

test('in and out move by frames of the stretch, and each movement is told', async (context) => {
  const { range } = await opened(context);
  const seen = names(range);
  assert.deepEqual([range.first, range.last], [125, 149]);
  range.move('in', 130);
  range.move('out', 140);
  assert.deepEqual(range.value, { start_pts: 10200, end_pts: 10640 });
  range.nudge('out', -1);
  range.slip({ first: 130, last: 139 }, 2);
  assert.deepEqual(range.value, { start_pts: 10280, end_pts: 10680 });
  assert.deepEqual(seen, ['change', 'change', 'change', 'change']);
});

test('undo and reset are saved', async (context) => {
  const { range } = await opened(context);
  range.remember();
  range.move('in', 130);
  range.reset();
  assert.deepEqual(range.value, { start_pts: 10000, end_pts: 11000 });
  const seen = names(range);
  assert.ok(range.undo());
  assert.deepEqual(range.value, { start_pts: 10200, end_pts: 11000 });
  assert.ok(range.undo());
  assert.deepEqual(range.value, { start_pts: 10000, end_pts: 11000 });
  assert.ok(!range.undo());
  assert.deepEqual(seen, ['change', 'commit', 'change', 'commit']);
});

test('another subclip begins with nothing to undo', async (context) => {
  const { range } = await opened(context);
  range.remember();
  range.take(SHOT, { start_pts: 10400, end_pts: 11000 });
  assert.ok(!range.undo());
});

test('more of the video joins the frames that are known, and the range stays', async (context) => {
  const { server, deck, range } = await opened(context);
  assert.ok(await range.widen('later'));
  assert.ok(await range.widen('earlier'));
  assert.deepEqual(server.asked(), [LATER, EARLIER]);
  assert.deepEqual([deck.first, deck.last, deck.frames?.pts.length], [0, 40, 1000]);
  assert.deepEqual([range.first, range.last], [250, 274]);
  assert.ok(!range.canWiden('earlier') && !range.canWiden('later'));
  assert.ok(!(await range.widen('later')));
});

test('the frame that was sought stays the same when earlier ones are loaded before its picture arrives', async (context) => {
  const { deck, video, range } = await opened(context);
  deck.show(3); // 5.12 s
  await range.widen('earlier');
  assert.equal(deck.index, 128);
  assert.equal(deck.now, 5.12);
  video.arrive(5.12);
  assert.equal(deck.index, 128);
  range.move('in', deck.index);
  assert.equal(range.start_pts, 5120);
});

test('a step that a person takes while more is loaded counts', async (context) => {
  const { deck, range } = await opened(context);
  deck.show(3);
  const widening = range.widen('earlier');
  deck.step(2);
  await widening;
  assert.equal(deck.now, 5.2);
  assert.equal(deck.index, 130);
});

test('who asks for more while some is loaded waits for that', async (context) => {
  const { server, deck, range } = await opened(context);
  assert.deepEqual(await Promise.all([range.widen('later'), range.widen('later')]), [true, true]);
  assert.deepEqual(server.asked(), [LATER]);
  assert.equal(deck.last, 40);
});

test('a time far off is reached, though a load at the other side is under way', async (context) => {
  const { deck, range } = await opened(context);
  const widening = range.widen('earlier');
  await range.reach(35);
  await widening;
  assert.deepEqual([deck.first, deck.last], [0, 40]);
});

test('a load that fails is an error once, and can be tried again', async (context) => {
  const { server, deck, range } = await opened(context, { [LATER]: refusal(500, 'The drive is gone.') });
  await assert.rejects(range.widen('later'), /The drive is gone/);
  assert.equal(deck.last, 20);
  server.answers[LATER] = framesFrom(500, 1000);
  assert.ok(await range.widen('later'));
});

test('frames that arrive after another subclip was opened are dropped', async (context) => {
  const { deck, range } = await opened(context);
  const widening = range.widen('later');
  range.take({ ...SHOT, id: 8 }, { start_pts: 10000, end_pts: 11000 });
  assert.ok(!(await widening));
  assert.equal(deck.frames?.pts.length, 375);
});

test('out follows the last frame of what is known only once more is', async (context) => {
  const { range } = await opened(context);
  range.move('out', 374);
  assert.equal(range.end_pts, 499 * 40);
  await range.widen('later');
  range.move('out', 374);
  assert.equal(range.end_pts, 500 * 40);
  range.move('out', 9999);
  assert.equal(range.end_pts, 40000);
});

test('a point outside the stretch is not nudged', async (context) => {
  const { range } = await opened(context);
  range.set({ start_pts: 10000, end_pts: 30000 });
  assert.ok(range.reaches('in') && !range.reaches('out'));
  range.nudge('out', 1);
  assert.equal(range.end_pts, 30000);
  range.nudge('in', 1);
  assert.equal(range.start_pts, 10040);
});

test('past the end of a proxy, that of the next shot is loaded', async (context) => {
  const proxy = { state: 'ready', progress: 1, url: '/api/proxy/7/file', offset: 5, duration: 15, error: null };
  const next = { ...SHOT, id: 8, start: 20, end: 25, start_pts: 20000, end_pts: 25000, playable: false };
  const { server, deck, range, video } = await opened(context, {
    'GET /api/segment/7': { ...SHOT, playable: false },
    'POST /api/proxy/7': proxy,
    'GET /api/neighbours/7?before=40&after=40': {
      items: [
        { id: 6, start: 0, end: 10, number: 0 },
        { id: 7, start: 10, end: 20, number: 1 },
        { id: 8, start: 20, end: 25, number: 2 },
      ],
    },
    'GET /api/segment/8': next,
    'GET /api/frames/8?from=10&to=35': framesFrom(250, 875),
    'POST /api/proxy/8': { ...proxy, url: '/api/proxy/8/file', offset: 10, duration: 25 },
  });
  assert.ok(range.proxied);
  const widening = range.widen('later');
  await settled();
  video.arrive();
  assert.ok(await widening);
  assert.ok(server.asked().includes('POST /api/proxy/8'));
  assert.equal(deck.info?.id, 8);
  assert.equal(deck.now, 20); // where the other one ended
  assert.deepEqual([range.first, range.last], [0, 24]);
});

for (const [when, items, leaves] of /** @type {const} */ ([
  ['after the last shot', [{ id: 7, start: 10, end: 20, number: 0 }], false],
  ['of a subclip that was left meanwhile', [{ id: 8, start: 20, end: 25, number: 1 }], true],
]))
  test(`the proxy stays, and nothing is widened, ${when}`, async (context) => {
    const { server, deck, range, video } = await opened(context, {
      'GET /api/segment/7': { ...SHOT, playable: false },
      'POST /api/proxy/7': {
        state: 'ready',
        progress: 1,
        url: '/api/proxy/7/file',
        offset: 5,
        duration: 15,
        error: null,
      },
      'GET /api/neighbours/7?before=40&after=40': { items },
    });
    const widening = range.widen('later');
    if (leaves) range.take({ ...SHOT, id: 9 }, { start_pts: 10000, end_pts: 11000 });
    await settled();
    video.arrive();
    assert.equal(await widening, false);
    assert.deepEqual(server.asked(), ['GET /api/neighbours/7?before=40&after=40']);
    assert.deepEqual([deck.info?.id, deck.last], [7, 20]);
  });
