import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changeOf,
  compare,
  fieldValue,
  readEdit,
  sameValue,
  writeEdit,
} from '../../../app/web/static/collections/edit.js';
import { subclip } from './subclips.js';

/** @typedef {import('../../../app/web/static/collections/edit.js').Edit} Edit */

/**
 * Return an edit of a name, from '' to 'mine'.
 *
 * @param {Partial<Edit>} [given]
 * @returns {Edit}
 */
function edit(given = {}) {
  return {
    clip: 1,
    collection: 1,
    field: 'name',
    value: 'mine',
    base: '',
    unanswered: [],
    label: 'film',
    state: 'typed',
    message: '',
    theirs: null,
    ...given,
  };
}

test('an edit can be sent while nobody else has changed its field', () => {
  assert.equal(compare(edit(), subclip({ name: '' })), 'send');
  assert.equal(compare(edit(), subclip({ name: '', note: 'theirs', revision: 9 })), 'send');
});

test('an edit is saved where the server has its value', () => {
  assert.equal(compare(edit(), subclip({ name: 'mine' })), 'saved');
});

test('a field that somebody else has changed is a conflict', () => {
  assert.equal(compare(edit(), subclip({ name: 'theirs' })), 'conflict');
});

test('a part of the text that the server may have got is ours, not a conflict', () => {
  assert.equal(compare(edit({ unanswered: ['mi'] }), subclip({ name: 'mi' })), 'send');
  assert.equal(compare(edit({ unanswered: ['mi'] }), subclip({ name: 'm' })), 'conflict');
});

test('the text from before is sent where the server may have got another meanwhile', () => {
  assert.equal(compare(edit({ value: '', unanswered: ['mi'] }), subclip({ name: '' })), 'send');
  assert.equal(compare(edit({ unanswered: ['mine'] }), subclip({ name: 'mine' })), 'saved');
});

test('ranges are compared by both ends', () => {
  const range = { start_pts: 10, end_pts: 20 };
  assert(sameValue(range, { ...range }));
  assert(!sameValue(range, { start_pts: 10, end_pts: 21 }));
  assert(!sameValue(range, { start_pts: 11, end_pts: 20 }));
  assert(!sameValue(range, '10'));
  const trimmed = edit({ field: 'range', base: range, value: { start_pts: 12, end_pts: 20 } });
  assert.equal(compare(trimmed, subclip(range)), 'send');
  assert.equal(compare(trimmed, subclip({ start_pts: 12, end_pts: 20 })), 'saved');
  assert.equal(compare(trimmed, subclip({ start_pts: 10, end_pts: 19 })), 'conflict');
});

test('values are taken from the subclip by field', () => {
  const clip = subclip({ name: 'a', note: 'b', start_pts: 1, end_pts: 2 });
  assert.equal(fieldValue(clip, 'name'), 'a');
  assert.equal(fieldValue(clip, 'note'), 'b');
  assert.deepEqual(fieldValue(clip, 'range'), { start_pts: 1, end_pts: 2 });
});

test('a request names a text by its field, and a range by its ends', () => {
  assert.deepEqual(changeOf(edit()), { name: 'mine' });
  assert.deepEqual(changeOf(edit({ field: 'note', value: '' })), { note: '' });
  const range = { start_pts: 1, end_pts: 2 };
  assert.deepEqual(changeOf(edit({ field: 'range', value: range, base: range })), range);
});

test('an edit that was stored is read again, as one that was only typed', () => {
  const stored = edit({ state: 'refused', message: 'too long', unanswered: ['m', 'mi'] });
  assert.deepEqual(readEdit(writeEdit(stored)), { ...stored, state: 'typed', message: '' });
  const range = { start_pts: 1, end_pts: 2 };
  const trimmed = edit({ field: 'range', value: { start_pts: 0, end_pts: 2 }, base: range });
  assert.deepEqual(readEdit(writeEdit(trimmed)), trimmed);
});

test('an edit of an earlier version is read', () => {
  const { clip, collection, field, value, base } = edit();
  assert.deepEqual(readEdit(JSON.stringify({ clip, collection, field, value, base })), edit({ label: '' }));
});

test('what is no edit is not read', () => {
  for (const text of ['', 'x', 'null', '1', '[]', '{}']) assert.equal(readEdit(text), null, text);
  const whole = JSON.parse(writeEdit(edit()));
  for (const wrong of [
    { clip: '1' },
    { clip: 1.5 },
    { collection: null },
    { field: 'rating' },
    { value: 5 },
    { value: { start_pts: 1, end_pts: 2 } },
    { base: null },
    { unanswered: 'mine' },
    { unanswered: [1] },
    { field: 'range' },
    { field: 'range', base: { start_pts: 1, end_pts: 2 }, value: null },
    { field: 'range', base: { start_pts: 1, end_pts: 2 }, value: { start_pts: 1 } },
    { field: 'range', base: { start_pts: 1, end_pts: 2 }, value: { start_pts: 'x', end_pts: 2 } },
  ]) {
    assert.equal(readEdit(JSON.stringify({ ...whole, ...wrong })), null, JSON.stringify(wrong));
  }
});
