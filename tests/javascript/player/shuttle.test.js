import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fasterThan } from '../../../app/web/static/player/shuttle.js';

test('each press doubles the speed, up to eight times', () => {
  const speeds = [0];
  for (let press = 0; press < 6; press += 1) speeds.push(fasterThan(speeds[press]));
  assert.deepEqual(speeds, [0, 1, 2, 4, 8, 8, 8]);
});

test('from a slow speed, the next press doubles it as well', () => {
  assert.equal(fasterThan(0.5), 1);
});
