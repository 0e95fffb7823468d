import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachesEnd } from '../../../app/web/static/player/bounds.js';

test('playing ends one frame before the last, so that the next shot never flashes', () => {
  assert.equal(reachesEnd(97, 96, 99), false);
  assert.equal(reachesEnd(98, 97, 99), true);
  assert.equal(reachesEnd(99, 98, 99), true);
});

test('playing that leaps over the last frames ends, however far it leaps', () => {
  assert.equal(reachesEnd(102, 96, 99), true);
  assert.equal(reachesEnd(140, 99, 99), true);
});

test('a person who has sought past the end may look on', () => {
  assert.equal(reachesEnd(104, 103, 99), false);
  assert.equal(reachesEnd(102, 100, 99), false);
  assert.equal(reachesEnd(101, 100, 99), true, 'this near it is taken for a late notice');
});

test('a shot of one frame ends at once', () => {
  assert.equal(reachesEnd(0, 0, 0), true);
});
