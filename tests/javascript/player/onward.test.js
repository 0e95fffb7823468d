import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { withLater } from '../../../app/web/static/player/onward.js';
import { framesFrom } from './footage.js';

test('later frames are added after those that are known, each once', () => {
  assert.deepEqual(withLater(framesFrom(0, 10), framesFrom(8, 14)), framesFrom(0, 14));
  const known = framesFrom(0, 10);
  assert.equal(withLater(known, framesFrom(2, 8)), known);
});
