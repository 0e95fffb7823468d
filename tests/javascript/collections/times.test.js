import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentText, framesText, selectionText } from '../../../app/web/static/collections/summary.js';
import { clipTimes, totalLength } from '../../../app/web/static/collections/times.js';
import { subclip } from './subclips.js';

/** @typedef {import('../../../app/web/static/core/types.js').Subclip} Subclip */

/**
 * Return a subclip of these frames.
 *
 * @param {number} in_frame
 * @param {number} out_frame
 * @param {Partial<Subclip>} [more]
 * @returns {Subclip}
 */
function frames(in_frame, out_frame, more = {}) {
  const [rate, scale] = more.rate ?? [25, 1];
  return subclip({ start: (in_frame * scale) / rate, end: (out_frame * scale) / rate, in_frame, out_frame, ...more });
}

/** @param {Subclip} clip */
function codes(clip) {
  const times = clipTimes(clip);
  return [times.in.code, times.out.code, times.length.code];
}

test('in, out and length are labels of the rate', () => {
  assert.deepEqual(codes(frames(50, 100)), ['00:00:02:00', '00:00:04:00', '00:00:02:00']);
  assert.deepEqual(codes(frames(47, 96, { rate: [24, 1] })), ['00:00:01:23', '00:00:04:00', '00:00:02:01']);
  assert.deepEqual(codes(frames(47, 96, { rate: [24000, 1001] })), ['00:00:01:23', '00:00:04:00', '00:00:02:01']);
  assert.deepEqual(codes(frames(59, 121, { rate: [60, 1] })), ['00:00:00:59', '00:00:02:01', '00:00:01:02']);
});

test('frames are counted from the first one of the file, and labels from its start code', () => {
  const times = clipTimes(frames(25, 75, { timecode: '10:00:00:00' }));
  assert.deepEqual(times.in, { code: '10:00:01:00', frames: 25 });
  assert.deepEqual(times.out, { code: '10:00:03:00', frames: 75 });
  assert.deepEqual(times.length, { code: '00:00:02:00', frames: 50 });
});

test('drop-frame labels leave out the first two of a minute; lengths count the same way', () => {
  const clip = frames(0, 1800, { rate: [30000, 1001], timecode: '00:00:00;00' });
  assert.deepEqual(codes(clip), ['00:00:00;00', '00:01:00;02', '00:01:00;02']);
  const plain = frames(0, 1800, { rate: [30000, 1001], timecode: '00:00:00:00' });
  assert.deepEqual(codes(plain), ['00:00:00:00', '00:01:00:00', '00:01:00:00']);
});

test('a subclip of one frame has a length of one', () => {
  assert.deepEqual(clipTimes(frames(3, 4)).length, { code: '00:00:00:01', frames: 1 });
});

test('lengths add up where the rate is the same', () => {
  const total = totalLength([frames(0, 30), frames(100, 150), frames(0, 20)]);
  assert.deepEqual(total, { seconds: 4, frames: 100, code: '00:00:04:00' });
});

test('lengths of different rates add up in seconds only', () => {
  const total = totalLength([frames(0, 25), frames(0, 30, { rate: [30, 1] })]);
  assert.equal(total.code, null);
  assert.equal(total.seconds, 2);
  assert.equal(totalLength([frames(0, 24, { rate: [24, 1] }), frames(0, 24, { rate: [24000, 1001] })]).code, null);
});

test('nothing has no length', () => {
  assert.deepEqual(totalLength([]), { seconds: 0, frames: 0, code: null });
});

test('a total is drop-frame only where every subclip counts so, in whatever order they are', () => {
  const drop = frames(0, 1800, { rate: [30000, 1001], timecode: '01:00:00;00' });
  const plain = frames(0, 1800, { rate: [30000, 1001], timecode: '01:00:00:00' });
  assert.equal(totalLength([drop, drop]).code, '00:02:00;04');
  assert.equal(totalLength([drop, plain]).code, '00:02:00:00');
  assert.equal(totalLength([plain, drop]).code, '00:02:00:00');
});

test('a total of more than a day goes on counting hours', () => {
  const hour = frames(0, 25 * 3600);
  assert.equal(totalLength(Array(25).fill(hour)).code, '25:00:00:00');
  const drop = frames(0, 107892, { rate: [30000, 1001], timecode: '00:00:00;00' });
  assert.equal(totalLength(Array(49).fill(drop)).code, '49:00:00;00');
});

test('a collection says how much is in it', () => {
  assert.equal(contentText([]), 'empty');
  assert.equal(contentText([frames(0, 1)]), '1 subclip · 00:00:00:01 (1 frame)');
  assert.equal(contentText([frames(0, 25 * 60), frames(0, 25)]), '2 subclips · 00:01:01:00 (1,525 frames)');
});

test('a collection of several rates says its length on the clock', () => {
  const clips = [frames(0, 25), frames(0, 15, { rate: [30, 1] })];
  assert.equal(contentText(clips), '2 subclips · 00:00:01.500, mixed frame rates');
  assert.equal(selectionText(clips), '2 selected · 00:00:01.500');
});

test('a collection says how many of its files are missing', () => {
  const clips = [frames(0, 25, { missing: true }), frames(0, 25), frames(0, 25, { missing: true })];
  assert.equal(contentText(clips), '3 subclips · 00:00:03:00 (75 frames) · 2 offline');
});

test('a selection says its number and length', () => {
  assert.equal(selectionText([frames(0, 25), frames(50, 60)]), '2 selected · 00:00:01:10');
});

test('one frame is not plural', () => {
  assert.equal(framesText(0), '0 frames');
  assert.equal(framesText(1), '1 frame');
  assert.equal(framesText(12345), '12345 frames');
});
