import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  canDrop,
  clock,
  durationText,
  durationTimecode,
  formatTimecode,
  frameFromText,
  frameNumber,
  labelsPerFrame,
  parseTimecode,
  rateText,
  timebase,
  timecodeAt,
  timeText,
} from '../../../app/web/static/core/timecode.js';

const NTSC = 30000 / 1001;
const FILM = 24000 / 1001;

/**
 * The values that Python is held to as well.
 *
 * @type {{
 *   labels: {rate: [number, number], start: string, frame: number, code: string}[],
 *   read: {rate: [number, number], text: string, frames: number | null, drop?: boolean}[],
 *   times: {rate: [number, number], labels: number, frame: number, seconds: [number, number], time: string, start: string, code: string}[],
 * }}
 */
const TABLE = JSON.parse(readFileSync(new URL('../../timecode_table.json', import.meta.url), 'utf8'));

test('frames are labelled, and labels read back, as the table has it', () => {
  assert(TABLE.labels.length > 500);
  for (const row of TABLE.labels) {
    const rate = row.rate[0] / row.rate[1];
    assert.equal(timecodeAt(row.frame, rate, row.start), row.code, JSON.stringify(row));
    const typed = frameFromText(row.code, { now: 0, rate, timecode: row.start });
    assert(typed !== null);
    assert.equal(timecodeAt(typed, rate, row.start), row.code, JSON.stringify(row));
    const lastOfDay = parseTimecode(`23:59:59${row.code[8]}${timebase(rate) - 1}`, rate);
    assert(lastOfDay);
    assert.equal(Math.abs((typed - row.frame) % (lastOfDay.frames + 1)), 0, JSON.stringify(row));
  }
});

test('the start of a frame is one time and one label, as the table has it', () => {
  assert(TABLE.times.length > 80);
  for (const row of TABLE.times) {
    const rate = row.rate[0] / row.rate[1];
    const seconds = row.seconds[0] / row.seconds[1];
    assert.equal(clock(seconds), row.time, JSON.stringify(row));
    assert.equal(labelsPerFrame(rate), row.labels, JSON.stringify(row));
    assert.equal(frameNumber(seconds, rate), row.frame, JSON.stringify(row));
    assert.equal(timecodeAt(row.frame, rate, row.start), row.code, JSON.stringify(row));
    assert.equal(frameFromText(row.code, { now: 0, rate, timecode: row.start }), row.frame, JSON.stringify(row));
  }
});

test('at 12.5 frames a second, frames are counted once and labels twice', () => {
  assert.equal(durationTimecode(99, 12.5), '00:00:07:23');
  const at = { now: 186, rate: 12.5, timecode: '' };
  assert.equal(frameFromText('14:23', at), 186); // the second label of the frame
  assert.equal(frameFromText('+10', at), 196); // frames
  assert.equal(frameFromText('+1:00', at), 198); // a second, of 12.5: no frame that is not over yet
  assert.equal(frameFromText('-1:00', at), 174);
  assert.equal(frameFromText('#99', at), 99);
});

test('labels are read, or refused, as the table has it', () => {
  assert(TABLE.read.length > 10);
  for (const { rate, text, frames, drop } of TABLE.read) {
    const expected = frames === null ? null : { frames, drop };
    assert.deepEqual(parseTimecode(text, rate[0] / rate[1]), expected, text);
  }
});

test('every frame of ten drop-frame minutes has a label of its own, in order', () => {
  let before = '';
  for (let frame = 0; frame <= 17982; frame += 1) {
    const label = formatTimecode(frame, NTSC, true);
    assert(label > before, `${before} ${label}`);
    assert.equal(parseTimecode(label, NTSC)?.frames, frame);
    before = label;
  }
  assert.equal(before, '00:10:00;00');
});

test('four labels of a minute are left out at 59.94', () => {
  const rate = 60000 / 1001;
  assert.equal(formatTimecode(3599, rate, true), '00:00:59;59');
  assert.equal(formatTimecode(3600, rate, true), '00:01:00;04');
  assert.equal(formatTimecode(3600, rate, false), '00:01:00:00');
});

test('a label that drop-frame leaves out means the next one', () => {
  const next = parseTimecode('00:01:00;02', NTSC);
  assert.deepEqual(parseTimecode('00:01:00;00', NTSC), next);
  assert.deepEqual(parseTimecode('00:01:00;01', NTSC), next);
  assert.deepEqual(parseTimecode('00:10:00;00', NTSC), { frames: 17982, drop: true });
});

test('labels start again after a day, and run backwards before its start', () => {
  assert.equal(formatTimecode(24 * 3600 * 25, 25), '00:00:00:00');
  assert.equal(formatTimecode(-1, 25), '23:59:59:24');
  assert.equal(formatTimecode(-1, NTSC, true), '23:59:59;29');
  assert.equal(formatTimecode(10 * 24 * 3600 * 25 + 1, 25), '00:00:00:01');
});

test('drop-frame exists at 29.97 and 30, their multiples, and no other rate', () => {
  for (const rate of [NTSC, 29.97, 30, 60000 / 1001, 60, 120000 / 1001]) assert(canDrop(rate), String(rate));
  for (const rate of [29.96, 29.9, 25, 50, FILM, 24, 15, 0.5]) assert(!canDrop(rate), String(rate));
  assert.equal(formatTimecode(1800, 24, true), '00:01:15:00');
  assert.deepEqual(parseTimecode('00:01:00;00', 25), { frames: 1500, drop: false });
});

test('a second has at least one label', () => {
  assert.deepEqual([0.2, 1, FILM, NTSC, 25, 59.94, 120].map(timebase), [1, 1, 24, 30, 25, 60, 120]);
  assert.equal(formatTimecode(61, 0.5), '00:01:01:00');
});

test('frames of three digits are written and read', () => {
  assert.equal(formatTimecode(119, 120), '00:00:00:119');
  assert.deepEqual(parseTimecode('00:00:00:119', 120), { frames: 119, drop: false });
  assert.equal(parseTimecode('00:00:00:120', 120), null);
});

test('a start code that is no label counts from zero', () => {
  for (const start of ['', 'tape 4', '25:00:00:00', undefined]) assert.equal(timecodeAt(26, 25, start), '00:00:01:01');
});

test('a duration is counted as the video is, whatever its start code', () => {
  assert.equal(durationTimecode(1800, NTSC, '01:00:00;00'), '00:01:00;02');
  assert.equal(durationTimecode(1800, NTSC, '01:00:00:00'), '00:01:00:00');
  assert.equal(durationTimecode(1800, NTSC), '00:01:00:00');
  assert.equal(durationTimecode(0, 25, '10:00:00:00'), '00:00:00:00');
});

test('the frame at a time is the nearest one, halfway the later one', () => {
  assert.deepEqual(
    [0.5, 1.5, 2.5, 3.5, -0.5, -1.5, 0.49, 0.51].map((at) => frameNumber(at, 1)),
    [1, 2, 3, 4, 0, -1, 0, 1],
  );
  assert.equal(frameNumber(0, 25), 0);
  for (const rate of [FILM, NTSC, 25, 60000 / 1001, 12.5]) {
    for (const frame of [1, 2, 999, 86399, 10 ** 7]) assert.equal(frameNumber(frame / rate, rate), frame);
  }
});

/** @type {[string, number | null][]} */
const TYPED = [
  ['12:05', 12 * 25 + 5],
  ['1205', 12 * 25 + 5],
  ['5', 10 * 25 + 5],
  [' 01:00:12:05 ', 12 * 25 + 5],
  ['1:00:12.05', 12 * 25 + 5],
  ['01001205', 12 * 25 + 5],
  ['1001205', 12 * 25 + 5],
  ['00:59:59:24', 24 * 90000 - 1], // of the next day
  ['+10', 260],
  ['-1:00', 225],
  ['- 20:00', -250],
  ['+1:00:00', 250 + 1500],
  ['#120', 120],
  ['# 0', 0],
  ['120 f', 120],
  ['120F', 120],
  ['12:25', null],
  ['12:61:00', null],
  ['123456789', null],
  ['1:2:3:4:5', null],
  ['+', null],
  ['++5', null],
  ['1.5 s', null],
  ['frame', null],
  ['', null],
];
for (const [text, frame] of TYPED) {
  test(`“${text}” is read from where a person is: ${frame}`, () => {
    assert.equal(frameFromText(text, { now: 250, rate: 25, timecode: '01:00:00:00' }), frame);
  });
}

test('what is typed counts as drop-frame where the video does', () => {
  const context = { now: 0, rate: NTSC, timecode: '00:00:00;00' };
  assert.equal(frameFromText('1:00:02', context), 1800);
  assert.equal(frameFromText('1:00:00', context), 1800);
  assert.equal(frameFromText('1:00:00', { ...context, timecode: '' }), 1800);
  assert.equal(frameFromText('10:00:00', context), 17982);
  assert.equal(frameFromText('10:00:00', { ...context, timecode: '' }), 18000);
});

test('a time reads as hh:mm:ss.mmm, from zero on', () => {
  assert.deepEqual([0, -3, 0.0004, 59.9996, 3599.9994, 3723.045, 360000].map(clock), [
    '00:00:00.000',
    '00:00:00.000',
    '00:00:00.000',
    '00:00:59.999',
    '00:59:59.999',
    '01:02:03.045',
    '100:00:00.000',
  ]);
});

test('a duration reads at a glance, and never as 60 seconds or 60 minutes', () => {
  assert.deepEqual([0, 3.24, 59.94, 59.96, 60, 65, 3599.4, 3599.7, 3725].map(durationText), [
    '0.0 s',
    '3.2 s',
    '59.9 s',
    '1:00',
    '1:00',
    '1:05',
    '59:59',
    '1:00:00',
    '1:02:05',
  ]);
});

test('an axis shows tenths where its marks are closer than a second', () => {
  assert.deepEqual(
    [0, 4.5, 59.96, 65, 3725.04].map((seconds) => timeText(seconds, 0.5)),
    ['0:00.0', '0:04.5', '1:00.0', '1:05.0', '1:02:05.0'],
  );
  assert.deepEqual(
    [0, 4.5, 59.6, 65, 3599.5, 3725].map((seconds) => timeText(seconds)),
    ['0:00', '0:05', '1:00', '1:05', '1:00:00', '1:02:05'],
  );
});

test('a rate has three decimals at most', () => {
  assert.deepEqual([25, FILM, NTSC, 12.5].map(rateText), ['25', '23.976', '29.97', '12.5']);
});
