import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { Deck } from '../../../app/web/static/player/deck.js';
import { FakeServer, refusal, settled } from '../fake_server.js';
import { FakeVideo } from './fake_video.js';
import { FRAMES, framesFrom, playableShot, SHOT } from './footage.js';

const PROXY = {
  state: 'ready',
  progress: 1,
  url: '/api/proxy/7/file',
  offset: 0.5,
  duration: 20,
  error: null,
};

/**
 * @param {import('node:test').TestContext} context
 * @param {object} [options]
 * @param {FakeVideo} [options.video]
 * @param {Record<string, unknown>} [options.answers]
 */
async function loaded(context, { video = new FakeVideo(), answers = playableShot() } = {}) {
  const server = new FakeServer(answers).serve(context);
  const deck = new Deck(video.element);
  await deck.load(7);
  video.arrive();
  return { deck, video, server };
}

/**
 * Let the element play from frame to frame.
 *
 * @param {FakeVideo} video
 * @param {number[]} frames
 */
function playThrough(video, frames) {
  for (const frame of frames) if (!video.paused) video.present(frame / 25);
}

test('a file that browsers play is played itself, with the frames ten seconds around the shot', async (context) => {
  const { deck, video, server } = await loaded(context);
  assert.equal(deck.status, 'ready');
  assert.equal(video.src, '/api/video/7');
  assert.deepEqual([deck.first, deck.last, deck.offset], [0, 21, 0]);
  assert.equal(deck.frames?.seconds.length, 525);
  assert.deepEqual(server.asked(), ['GET /api/segment/7', FRAMES]);
});

test('times count from the first frame, wherever the file says that its time begins', async (context) => {
  const { deck, video } = await loaded(context, { video: new FakeVideo({ start: 1.4 }) });
  deck.show(100);
  assert.equal(video.currentTime.toFixed(6), (4.02 + 1.4).toFixed(6));
  video.arrive(4 + 1.4);
  assert.equal(deck.index, 100);
});

test('a browser that never tells its first frame is taken to begin at 0', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const video = new FakeVideo();
  video.present = () => {};
  new FakeServer(playableShot()).serve(context);
  const deck = new Deck(video.element);
  const loading = deck.load(7);
  await settled();
  assert.equal(deck.status, 'loading');
  context.mock.timers.tick(1500);
  await loading;
  assert.equal(deck.status, 'ready');
  assert.equal(deck.offset, 0);
});

test('a file that browsers cannot play is played as a proxy, and the strip ends where that does', async (context) => {
  const answers = { ...playableShot(), 'GET /api/segment/7': { ...SHOT, playable: false }, 'POST /api/proxy/7': PROXY };
  const { deck, video, server } = await loaded(context, { answers });
  assert.equal(deck.status, 'ready');
  assert.equal(video.src, '/api/proxy/7/file');
  assert.deepEqual([deck.first, deck.last, deck.offset], [0.5, 20.5, 0.5]);
  assert.ok(!server.asked().includes('GET /api/video/7'));
  deck.show(100);
  assert.equal(video.currentTime.toFixed(6), '3.520000');
});

for (const playable of [true, null])
  test(`a file that this browser turns out not to play (${playable} was expected) is played as a proxy`, async (context) => {
    const answers = { ...playableShot(), 'GET /api/segment/7': { ...SHOT, playable }, 'POST /api/proxy/7': PROXY };
    const video = new FakeVideo({ plays: (address) => address.includes('proxy') });
    const { deck } = await loaded(context, { answers, video });
    assert.equal(deck.status, 'ready');
    assert.equal(video.src, '/api/proxy/7/file');
  });

test('sound without pictures does not count as playing', async (context) => {
  const video = new FakeVideo();
  video.load = () => queueMicrotask(() => video.dispatchEvent(new Event('loadeddata')));
  const { deck } = await loaded(context, { video, answers: { ...playableShot(), 'POST /api/proxy/7': PROXY } });
  assert.equal(deck.status, 'failed');
  assert.equal(deck.message, 'The copy made for the browser cannot be played either.');
});

test('while a proxy is made, the deck says how far it is, and plays it once it is ready', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const making = { ...PROXY, state: 'making', url: null };
  const answers = {
    ...playableShot(),
    'GET /api/segment/7': { ...SHOT, playable: false },
    'POST /api/proxy/7': { ...making, progress: 0 },
    'GET /api/proxy/7': { ...making, progress: 0.426 },
  };
  new FakeServer(answers).serve(context);
  const deck = new Deck(new FakeVideo().element);
  const loading = deck.load(7);
  await settled();
  assert.equal(deck.message, 'Browsers cannot play this format; making a copy that plays …');
  context.mock.timers.tick(400);
  await settled();
  assert.equal(deck.message, 'Browsers cannot play this format; making a copy that plays … 43%');
  Object.assign(answers, { 'GET /api/proxy/7': PROXY });
  context.mock.timers.tick(400);
  await settled();
  await loading;
  assert.equal(deck.status, 'ready');
  assert.equal(deck.message, '');
});

/** @type {[string, unknown, string][]} */
const FAILURES = [
  ['failed', { ...PROXY, state: 'failed', url: null, error: 'ffmpeg is missing.' }, 'ffmpeg is missing.'],
  ['is gone again', { ...PROXY, state: 'none', url: null }, 'A copy for the browser could not be made.'],
  ['is refused', () => refusal(409, 'The file has changed.'), 'The file has changed.'],
];
for (const [what, answer, message] of FAILURES)
  test(`a proxy that ${what} is said to be the reason`, async (context) => {
    const segment = { ...SHOT, playable: false };
    const answers = { ...playableShot(), 'GET /api/segment/7': segment, 'POST /api/proxy/7': answer };
    const { deck } = await loaded(context, { answers });
    assert.equal(deck.status, 'failed');
    assert.equal(deck.message, message);
  });

test('a file that is not there is not opened', async (context) => {
  const answers = { 'GET /api/segment/7': { ...SHOT, missing: true, playable: null } };
  const { deck, video, server } = await loaded(context, { answers });
  assert.equal(deck.status, 'failed');
  assert.match(deck.message, /^The file cannot be found/);
  assert.equal(video.src, '');
  assert.deepEqual(server.asked(), ['GET /api/segment/7']);
});

test('a segment that is unknown leaves no deck that seems to load for ever', async (context) => {
  new FakeServer({ 'GET /api/segment/7': () => refusal(404, 'There is no such segment.') }).serve(context);
  const deck = new Deck(new FakeVideo().element);
  await assert.rejects(deck.load(7), { message: 'There is no such segment.' });
  assert.equal(deck.status, 'failed');
  assert.equal(deck.message, 'There is no such segment.');
});

for (const [what, frames] of /** @type {[string, unknown][]} */ ([
  ['are refused', () => refusal(409, 'The file has changed.')],
  ['are none', { pts: [], seconds: [] }],
]))
  test(`where the frames ${what}, they are counted by the rate`, async (context) => {
    const { deck, video } = await loaded(context, { answers: { 'GET /api/segment/7': SHOT, [FRAMES]: frames } });
    assert.equal(deck.status, 'ready');
    assert.equal(deck.frames, null);
    deck.show(260);
    assert.equal(deck.now, 10.4);
    assert.equal(deck.times.ptsOf(260), null);
    assert.equal(video.currentTime.toFixed(6), '10.420000');
  });

test('of two loads, only the later one counts', async (context) => {
  let answer = (/** @type {unknown} */ _) => {};
  const slow = new Promise((resolve) => {
    answer = resolve;
  });
  new FakeServer({
    ...playableShot(),
    'GET /api/segment/8': () => slow,
    'GET /api/frames/8?from=0&to=21': framesFrom(0, 3),
  }).serve(context);
  const video = new FakeVideo();
  const deck = new Deck(video.element);
  const first = deck.load(8);
  const second = deck.load(7);
  answer({ ...SHOT, id: 8 });
  assert.equal(await first, null);
  assert.equal((await second)?.id, 7);
  assert.equal(deck.info?.id, 7);
  assert.equal(video.src, '/api/video/7');
});

test('a load that fails late does not disturb the one that took its place', async (context) => {
  let fail = () => {};
  const slow = new Promise((_, reject) => {
    fail = () => reject(new TypeError('Failed to fetch'));
  });
  new FakeServer({ ...playableShot(), 'GET /api/segment/8': () => slow }).serve(context);
  const deck = new Deck(new FakeVideo().element);
  const first = deck.load(8);
  await deck.load(7);
  fail();
  assert.equal(await first, null);
  assert.equal(deck.status, 'ready');
});

test('steps go from frame to frame, and stay within the frames that are known', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(523);
  deck.step(1);
  assert.equal(deck.index, 524);
  deck.step(1);
  assert.equal(deck.index, 524, 'there is none after the last');
  assert.equal(video.currentTime.toFixed(6), '20.980000');
  deck.show(1);
  deck.step(-1);
  deck.step(-1);
  assert.equal(deck.index, 0);
  assert.equal(video.currentTime.toFixed(6), '0.020000');
});

test('the last frame is sought even where it begins shortly before the end of the stretch', async (context) => {
  const info = { ...SHOT, end: 10.97 };
  const answers = { 'GET /api/segment/7': info, 'GET /api/frames/7?from=0&to=20.97': framesFrom(0, 525) };
  const { deck, video } = await loaded(context, { answers });
  deck.show(524);
  assert.equal(deck.times.indexAt(video.currentTime), 524);
});

test('steps that follow each other quickly add up, though the pictures come late', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(250);
  for (let press = 0; press < 3; press += 1) deck.step(1);
  assert.equal(deck.index, 253);
  video.present(251 / 25);
  assert.equal(deck.index, 253, 'the picture of an earlier seek');
  assert.equal(deck.now, 253 / 25);
  video.arrive(253 / 25);
  assert.equal(deck.index, 253);
  deck.step(1);
  assert.equal(deck.index, 254);
});

test('single steps go on in a file whose times are rounded, and whose frames are not known', async (context) => {
  const info = { ...SHOT, rate: [30000, 1001] };
  const { deck, video } = await loaded(context, { answers: { 'GET /api/segment/7': info } });
  deck.show(0);
  video.arrive(0);
  for (let frame = 1; frame < 40; frame += 1) {
    deck.step(1);
    video.arrive(Math.round((frame * 1001) / 30) / 1000);
    assert.equal(deck.index, frame);
  }
});

test('a time is the frame shown at it, within the stretch', async (context) => {
  const { deck } = await loaded(context);
  deck.seekTo(10.03);
  assert.equal(deck.index, 250);
  deck.seekTo(-4);
  assert.equal(deck.index, 0);
  deck.seekTo(1000);
  assert.equal(deck.index, 524);
});

test('playing stops on the last frame of the shot, and the next shot is not shown', async (context) => {
  const { deck, video } = await loaded(context);
  deck.stop = { from: 10, to: 11 };
  deck.show(250);
  await deck.play();
  playThrough(video, [250, 251, 260, 272]);
  assert.equal(deck.paused, false);
  playThrough(video, [273, 274, 275, 276]);
  assert.equal(deck.paused, true);
  assert.equal(deck.index, 274);
});

test('playing at eight times the speed does not leap over the end of the shot', async (context) => {
  const { deck, video } = await loaded(context);
  deck.stop = { from: 10, to: 11 };
  deck.show(250);
  await deck.play(8);
  playThrough(video, [256, 264, 272, 280, 288]);
  assert.equal(deck.paused, true);
  assert.equal(deck.index, 274);
});

test('at the last frame, playing begins again at the first frame that begins within the shot', async (context) => {
  const { deck, video } = await loaded(context);
  deck.stop = { from: 10.01, to: 11 };
  deck.show(274);
  video.arrive(274 / 25);
  await deck.play();
  assert.equal(deck.index, 251);
  assert.equal(video.currentTime.toFixed(6), '10.060000');
});

test('a loop begins again, also where the shot ends with the video', async (context) => {
  const { deck, video } = await loaded(context);
  deck.stop = { from: 10, to: 11 };
  deck.loop = true;
  deck.show(270);
  await deck.play();
  playThrough(video, [271, 272, 273]);
  assert.equal(deck.index, 250);
  assert.equal(deck.paused, false);
  playThrough(video, [250, 260, 272]);
  await video.end();
  assert.equal(deck.paused, false);
});

test('without a loop, the end of the video is the end', async (context) => {
  const { deck, video } = await loaded(context);
  deck.stop = { from: 10, to: 11 };
  deck.show(260);
  await deck.play();
  await video.end();
  assert.equal(deck.paused, true);
});

test('a person who has gone past the end of the shot may look on', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(300);
  await deck.play();
  playThrough(video, [300, 301]);
  deck.stop = { from: 10, to: 11 };
  playThrough(video, [302, 303]);
  assert.equal(deck.paused, false);
});

test('a browser without frame callbacks stops at the end as well, also the second time', async (context) => {
  const { deck, video } = await loaded(context, { video: new FakeVideo({ callbacks: false }) });
  deck.stop = { from: 10, to: 11 };
  deck.show(250);
  for (let time = 0; time < 2; time += 1) {
    await deck.play();
    assert.equal(deck.index, 250);
    for (const frame of [256, 262, 268, 274, 280]) {
      if (video.paused) break;
      video.time = frame / 25;
      video.dispatchEvent(new Event('timeupdate'));
    }
    assert.equal(deck.paused, true);
    assert.equal(deck.index, 274);
    await settled();
    video.arrive();
  }
});

test('L plays, and faster with each press; playing anew is at the nominal speed', async (context) => {
  const { deck, video } = await loaded(context);
  const speeds = [];
  for (let press = 0; press < 5; press += 1) {
    deck.shuttle(1);
    speeds.push(video.playbackRate);
  }
  assert.deepEqual(speeds, [1, 2, 4, 8, 8]);
  deck.pause();
  deck.toggle();
  assert.equal(video.playbackRate, 1);
  deck.toggle();
  assert.equal(deck.paused, true);
});

test('J steps backwards, faster with each press, until K', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { deck, video } = await loaded(context);
  deck.show(260);
  video.arrive(260 / 25);
  deck.shuttle(-1);
  assert.equal(deck.paused, false);
  assert.equal(deck.index, 259);
  context.mock.timers.tick(40);
  assert.equal(deck.index, 259, 'the picture before is still on its way');
  video.arrive(259 / 25);
  context.mock.timers.tick(40);
  assert.equal(deck.index, 258);
  deck.shuttle(-1);
  assert.equal(deck.reverse?.speed, 2);
  video.arrive(deck.now);
  const before = deck.index;
  context.mock.timers.tick(20);
  assert.equal(deck.index, before - 1);
  deck.pause();
  video.arrive(deck.now);
  context.mock.timers.tick(1000);
  assert.equal(deck.index, before - 1);
  assert.equal(deck.paused, true);
});

test('J pauses at the first frame, also where the stretch begins between two', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const info = { ...SHOT, start: 12.01, end: 13 };
  const answers = { 'GET /api/segment/7': info, [`GET /api/frames/7?from=${12.01 - 10}&to=23`]: framesFrom(51, 575) };
  const { deck, video } = await loaded(context, { answers });
  deck.show(2);
  deck.shuttle(-1);
  for (let turn = 0; turn < 5; turn += 1) {
    video.arrive(deck.now);
    context.mock.timers.tick(40);
  }
  assert.equal(deck.now, 51 / 25);
  assert.equal(deck.paused, true);
});

test('L after J plays forwards at the nominal speed', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(260);
  deck.shuttle(-1);
  deck.shuttle(-1);
  deck.shuttle(1);
  assert.equal(deck.reverse, null);
  assert.equal(video.playbackRate, 1);
  assert.equal(video.paused, false);
});

test('one deck plays at a time', async (context) => {
  const one = await loaded(context);
  const other = await loaded(context);
  await one.deck.play();
  await other.deck.play();
  assert.equal(one.deck.paused, true);
  assert.equal(other.deck.paused, false);
  other.deck.unload();
});

test('a browser that lets nothing sound yet plays without sound', async (context) => {
  const { deck, video } = await loaded(context);
  video.silentOnly = true;
  await deck.play();
  assert.equal(video.muted, true);
  assert.equal(deck.paused, false);
});

test('a deck that is not ready does not play', async (context) => {
  const { deck, video } = await loaded(context);
  deck.unload();
  await deck.play();
  assert.equal(video.paused, true);
  assert.equal(deck.info, null);
  assert.equal(deck.status, 'empty');
});

test('another frame and another state are told', async (context) => {
  const { deck, video } = await loaded(context);
  /** @type {string[]} */
  const told = [];
  for (const name of ['frame', 'state']) deck.addEventListener(name, () => told.push(name));
  deck.show(260);
  assert.deepEqual(told.splice(0), ['frame']);
  await deck.play();
  assert.ok(told.splice(0).includes('state'));
  video.present(261 / 25);
  assert.deepEqual(told.splice(0), ['frame']);
  deck.fail('Broken.');
  assert.deepEqual(told, ['state']);
  deck.unload();
});

test('frames have the numbers that edit lists count', async (context) => {
  const { deck } = await loaded(context, { answers: { 'GET /api/segment/7': { ...SHOT, rate: [30000, 1001] } } });
  assert.equal(deck.numberOf(deck.times.timeOf(1234)), 1234);
});

test('a phone plays the video within the page, and not over all of it', () => {
  const video = new FakeVideo();
  const deck = new Deck(video.element);
  assert(deck.video.playsInline);
});
