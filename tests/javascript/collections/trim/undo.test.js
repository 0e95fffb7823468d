import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RangeHistory, sameRange } from '../../../../app/web/static/collections/trim/undo.js';

const [a, b, c] = [1, 2, 3].map((start) => ({ start_pts: start, end_pts: 10 }));

test('undo goes back change by change, to the first range', () => {
  const history = new RangeHistory();
  history.remember(a);
  history.remember(b);
  assert.deepEqual(history.undo(c), b);
  assert.deepEqual(history.undo(b), a);
  assert.equal(history.undo(a), null);
});

test('nothing has changed at first', () => {
  assert.equal(new RangeHistory().undo(a), null);
});

test('a drag that moved nothing costs no step', () => {
  const history = new RangeHistory();
  history.remember(a); // then b
  history.remember(b); // a drag that ends where it began
  history.remember(b); // another
  assert.deepEqual(history.undo(b), a);
  history.remember(a);
  assert.equal(history.undo(a), null);
});

test('what is remembered is the range as it was then', () => {
  const history = new RangeHistory();
  const moving = { start_pts: 1, end_pts: 10, other: 'facts' };
  history.remember(moving);
  moving.start_pts = 5;
  assert.deepEqual(history.undo(moving), a);
});

test('two hundred changes can be undone, the latest ones', () => {
  const history = new RangeHistory();
  for (let start = 0; start < 300; start += 1) history.remember({ start_pts: start, end_pts: 1000 });
  let steps = 0;
  for (let now = 300; ; steps += 1) {
    const before = history.undo({ start_pts: now, end_pts: 1000 });
    if (!before) break;
    assert.equal(before.start_pts, now - 1);
    now = before.start_pts;
  }
  assert.equal(steps, 200);
});

test('ranges are the same by in and out', () => {
  assert.ok(sameRange(a, { ...a }));
  assert.ok(!sameRange(a, b));
  assert.ok(!sameRange(a, { ...a, end_pts: 11 }));
});
