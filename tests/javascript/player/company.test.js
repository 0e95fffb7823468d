import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { Company } from '../../../app/web/static/player/company.js';
import { Deck } from '../../../app/web/static/player/deck.js';
import { FakeServer } from '../fake_server.js';
import { FakeVideo } from './fake_video.js';
import { framesFrom, SHOT } from './footage.js';

const LONG = { ...SHOT, id: 8, video: 4, start: 20, end: 22, start_pts: 20000, end_pts: 22000 };

/**
 * A shot of one second from 10 on, and one of two seconds from 20 on, each in its deck, at their first frames.
 *
 * @param {import('node:test').TestContext} context
 * @param {object} [options]
 * @param {boolean} [options.broken] Whether the longer one cannot be played.
 */
async function company(context, { broken = false } = {}) {
  new FakeServer({
    'GET /api/segment/7': SHOT,
    'GET /api/segment/8': LONG,
    'GET /api/frames/7?from=0&to=21': framesFrom(0, 525),
    'GET /api/frames/8?from=10&to=32': framesFrom(250, 800),
  }).serve(context);
  const videos = [new FakeVideo(), new FakeVideo({ plays: () => !broken })];
  const decks = videos.map(({ element }) => new Deck(element));
  for (const [at, deck] of decks.entries()) {
    await deck.load(7 + at).catch(() => {});
    if (deck.info) deck.stop = { from: deck.info.start, to: deck.info.end };
  }
  const together = new Company(decks);
  together.seek(0);
  for (const [at, video] of videos.entries()) if (decks[at].status === 'ready') video.arrive();
  return { together, decks, videos };
}

/** @param {Deck[]} decks The frames that they show, counted from the starts of their shots. */
function frames(decks) {
  return decks.map((deck) => deck.index - deck.times.indexFrom(deck.info?.start ?? 0));
}

test('the longest shot leads, and the clock counts from the start of every shot', async (context) => {
  const { together, decks } = await company(context);
  assert.equal(together.leader, decks[1]);
  assert.equal(together.length, 2);
  together.seek(0.4);
  assert.deepEqual(frames(decks), [10, 10]);
  assert.equal(together.now.toFixed(3), '0.400');
  together.seek(1.6);
  assert.deepEqual(frames(decks), [24, 40], 'a shorter shot stays at its last frame');
  together.seek(9);
  assert.deepEqual(frames(decks), [24, 49]);
  together.seek(-1);
  assert.deepEqual(frames(decks), [0, 0]);
});

test('all play and pause together, and are at one time again when paused', async (context) => {
  const { together, decks, videos } = await company(context);
  assert.equal(together.paused, true);
  await together.play();
  assert.deepEqual([together.paused, ...videos.map(({ paused }) => paused)], [false, false, false]);
  videos[0].present(10.12);
  videos[1].present(20.2);
  together.toggle();
  assert.deepEqual(
    videos.map(({ paused }) => paused),
    [true, true],
  );
  assert.deepEqual(frames(decks), [5, 5]);
});

test('frames are stepped together and stay within the longest shot', async (context) => {
  const { together, decks } = await company(context);
  together.step(3);
  assert.deepEqual(frames(decks), [3, 3]);
  together.step(-9);
  assert.deepEqual(frames(decks), [0, 0]);
  together.seek(0.96);
  together.step(1);
  assert.deepEqual(frames(decks), [24, 25]);
  together.step(99);
  assert.deepEqual(frames(decks), [24, 49]);
});

test('a deck that is behind hurries, one that is ahead waits, and one far off jumps', async (context) => {
  const { together, videos } = await company(context);
  await together.play();
  videos[0].present(10.2);
  videos[1].present(20.32);
  assert.equal(videos[0].playbackRate.toFixed(2), '1.10');
  videos[0].present(10.48);
  videos[1].present(20.36);
  assert.equal(videos[0].playbackRate.toFixed(2), '0.90');
  videos[0].present(10.4);
  videos[1].present(20.4);
  assert.equal(videos[0].playbackRate, 1);
  videos[1].present(20.8);
  assert.equal(videos[0].sought.at(-1)?.toFixed(2), '10.82');
  assert.equal(videos[1].playbackRate, 1, 'the leader keeps its pace');
});

test('a shot that has ended is not played again before the others have', async (context) => {
  const { together, decks, videos } = await company(context);
  together.seek(1.2);
  for (const video of videos) video.arrive();
  await together.play();
  assert.deepEqual(
    videos.map(({ paused }) => paused),
    [true, false],
  );
  together.seek(2);
  together.pause();
  await together.play();
  assert.equal(videos[0].paused, false, 'from the start, once all have ended');
  assert.deepEqual(frames(decks), [0, 0]);
});

test('one is heard, the first until another is chosen', async (context) => {
  const { together, videos } = await company(context);
  const muted = () => videos.map((video) => video.muted);
  assert.deepEqual(muted(), [false, true]);
  let told = 0;
  together.addEventListener('state', () => {
    told += 1;
  });
  together.listen(1);
  assert.deepEqual(muted(), [true, false]);
  assert(told > 0);
  together.listen(5);
  assert.deepEqual([together.chosen, ...muted()], [1, true, false], 'there is no such shot');
});

test('what cannot be played stops nobody else', async (context) => {
  const { together, decks, videos } = await company(context, { broken: true });
  assert.equal(decks[1].status, 'failed');
  assert.equal(together.leader, decks[0]);
  await together.play();
  assert.equal(videos[0].paused, false);
  together.pause();
  together.step(1);
  assert.equal(together.length, 1);
});

test('without any that plays, nothing happens', async () => {
  const together = new Company([new Deck(new FakeVideo().element), new Deck(new FakeVideo().element)]);
  await together.play();
  together.step(1);
  together.seek(3);
  assert.deepEqual([together.now, together.length, together.paused, together.leader], [0, 0, true, null]);
});
