import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeText } from '../../../app/web/static/core/timecode.js';
import { tickStep, ticks } from '../../../app/web/static/video/ticks.js';

test('labels have 76 pixels each, and no more steps than that are left out', () => {
  assert.equal(tickStep(1, 760), 0.1);
  assert.equal(tickStep(1, 759), 0.2);
  assert.equal(tickStep(5, 1000), 0.5);
  assert.equal(tickStep(10, 1000), 1);
  assert.equal(tickStep(60, 1000), 5);
  assert.equal(tickStep(3600, 1000), 300);
  assert.equal(tickStep(36000, 1000), 3600);
});

test('the longest step is four hours', () => {
  assert.equal(tickStep(1e7, 500), 14400);
});

test('ticks are the multiples of the step, ends included', () => {
  assert.deepEqual(ticks(0, 20, 5), [0, 5, 10, 15, 20]);
  assert.deepEqual(ticks(3, 19, 5), [5, 10, 15]);
  assert.deepEqual(ticks(6, 9, 5), []);
  assert.deepEqual(ticks(5, 5, 5), [5]);
});

test('steps of tenths give labels of tenths, to the last one', () => {
  const times = ticks(0.7, 1.7, 0.1);
  assert.equal(times.length, 11);
  assert.deepEqual(times.map((time) => timeText(time, 0.1)).slice(-3), ['0:01.5', '0:01.6', '0:01.7']);
});

test('far into a long video, ticks lie where they should', () => {
  const times = ticks(359_990, 360_000, 0.1);
  assert.equal(times.length, 101);
  assert.equal(times.at(-1)?.toFixed(6), '360000.000000');
});

test('an end that rounding has moved past its tick still has one', () => {
  const from = 0.1 + 0.2; // a little more than 0.3
  const to = 0.7; // divided by 0.1 a little less than 7
  assert.deepEqual(
    ticks(from, to, 0.1).map((time) => time.toFixed(6)),
    ['0.300000', '0.400000', '0.500000', '0.600000', '0.700000'],
  );
});
