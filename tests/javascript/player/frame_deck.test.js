import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { FrameDeck } from '../../../app/web/static/player/frame_deck.js';
import { FakeServer } from '../fake_server.js';
import { FakeVideo } from './fake_video.js';
import { playableShot } from './footage.js';

/** @param {import('node:test').TestContext} context */
async function loaded(context) {
  new FakeServer(playableShot()).serve(context);
  const video = new FakeVideo();
  const deck = new FrameDeck(video.element);
  await deck.load(7);
  video.arrive();
  return { deck, video };
}

test('while it is paused, the deck is at the frame that was sought, whatever picture arrives', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(260);
  video.arrive(260 / 25 - 0.0004); // a browser that rounds down
  assert.equal(deck.now, 10.4);
  video.present(261 / 25);
  assert.equal(deck.now, 10.4);
  assert.equal(deck.index, 260);
});

test('pausing rests on a frame, not between two', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(260);
  await deck.play();
  assert.equal(deck.asked, null);
  video.present(265 / 25);
  deck.pause();
  assert.equal(deck.index, 265);
  assert.equal(deck.asked, 265 / 25);
  assert.equal(video.currentTime.toFixed(6), '10.620000');
});

test('pausing what is paused does not seek', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(260);
  const { length } = video.sought;
  deck.pause();
  assert.equal(video.sought.length, length);
});

test('outside the frames that are known, the nearest one is sought', async (context) => {
  const { deck } = await loaded(context);
  deck.show(-3);
  assert.equal(deck.asked, 0);
  deck.show(1000);
  assert.equal(deck.asked, 524 / 25);
  assert.equal(deck.index, 524);
});

test('playing begins at the frame that was sought, though a still is being looked up elsewhere', async (context) => {
  const { deck, video } = await loaded(context);
  deck.show(260);
  deck.away = true;
  video.currentTime = 3;
  await deck.play();
  assert.equal(video.sought.at(-1)?.toFixed(6), '10.420000');
});

test('each seek and each start is counted, so that looking up a still notices them', async (context) => {
  const { deck } = await loaded(context);
  const { seeks } = deck;
  deck.show(3);
  assert.equal(deck.seeks, seeks + 1);
  await deck.play();
  assert.equal(deck.seeks, seeks + 2);
  deck.unload();
  assert.ok(deck.seeks > seeks + 2);
});

test('a range that ends with the video loops each time from its start', async (context) => {
  const { deck, video } = await loaded(context);
  deck.stop = { from: 20, to: 21 };
  deck.loop = true;
  deck.show(524);
  await deck.play();
  for (let time = 0; time < 2; time += 1) {
    assert.equal(deck.index, 500);
    assert.equal(video.sought.length, time + 2);
    video.arrive(500 / 25);
    video.present(510 / 25);
    video.time = 21;
    await video.end();
    assert.equal(deck.paused, false);
    assert.equal(video.sought.at(-1)?.toFixed(6), '20.020000');
  }
});
