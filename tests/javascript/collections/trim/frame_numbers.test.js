import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  around,
  frameNumbers,
  lengthText,
  typedTime,
} from '../../../../app/web/static/collections/trim/frame_numbers.js';

const NTSC = 30000 / 1001;

test('in and out are numbered as edit lists count: out is the first frame after', () => {
  assert.deepEqual(frameNumbers({ from: 0, to: 1 }, 25), { in: 0, out: 25 });
  assert.deepEqual(frameNumbers({ from: 1001 / 30000, to: 10.01 }, NTSC), { in: 1, out: 300 });
});

test('a range shorter than a frame of the nominal rate still has one', () => {
  assert.deepEqual(frameNumbers({ from: 1, to: 1.01 }, 25), { in: 25, out: 26 });
});

test('a length is told as a label and in frames', () => {
  assert.equal(lengthText({ in: 10, out: 11 }, 25, ''), 'length 00:00:00:01 · 1 frame');
  assert.equal(lengthText({ in: 0, out: 1800 }, NTSC, '00:00:00;00'), 'length 00:01:00;02 · 1800 frames');
  assert.equal(lengthText({ in: 0, out: 1800 }, NTSC, ''), 'length 00:01:00:00 · 1800 frames');
});

const context = { now: 50, rate: 25, timecode: '', duration: 40 };

test('a time code, a distance or a number of a frame is read as a time', () => {
  for (const [text, seconds] of /** @type {[string, number][]} */ ([
    ['00:00:03:05', 3.2],
    ['+10', 2.4],
    ['-1:00', 1],
    ['#120', 4.8],
  ]))
    assert.deepEqual(typedTime(text, 'now', context), { seconds, problem: null });
});

test('labels count from the start code, in drop-frame where it does', () => {
  const tape = { now: 0, rate: NTSC, timecode: '01:00:00;00', duration: 120 };
  const { seconds } = typedTime('01:01:00;02', 'in', tape);
  assert.equal(seconds, 1800 / NTSC);
  assert.equal(typedTime('00:59:59;29', 'in', tape).problem, 'That is outside the video');
});

test('out may be the end of the video, in and the playhead only its last frame', () => {
  for (const which of /** @type {const} */ (['in', 'now'])) {
    assert.equal(typedTime('#1000', which, context).problem, 'That is outside the video');
    assert.equal(typedTime('#999', which, context).seconds, 39.96);
  }
  assert.equal(typedTime('#1000', 'out', context).seconds, 40);
  assert.equal(typedTime('#1001', 'out', context).problem, 'That is outside the video');
});

test('a distance before the first frame is outside the video', () => {
  assert.equal(typedTime('-51', 'in', context).problem, 'That is outside the video');
  assert.equal(typedTime('-50', 'in', context).seconds, 0);
});

test('what is no time is said to be none', () => {
  for (const text of ['', 'tape 4', '12:99'])
    assert.match(typedTime(text, 'in', context).problem ?? '', /is not a timecode/, text);
});

test('playing around a point stays within what is loaded', () => {
  assert.deepEqual(around(12, { first: 10, last: 30 }), { from: 11, to: 13 });
  assert.deepEqual(around(10.5, { first: 10, last: 11 }), { from: 10, to: 11 });
});
