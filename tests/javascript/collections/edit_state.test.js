import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { editState, goneText, stateText } from '../../../app/web/static/collections/edit_state.js';
import { Edits } from '../../../app/web/static/collections/edits.js';
import { notices, sentence } from '../../../app/web/static/collections/notices.js';
import { subclip } from './subclips.js';

/** @typedef {import('../../../app/web/static/collections/edit.js').Edit} Edit */

/**
 * @param {Partial<Edit>} given
 * @returns {Edit}
 */
function edit(given) {
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

const range = { start_pts: 1, end_pts: 2 };

test('an edit that is on its way needs no explanation', () => {
  for (const state of /** @type {const} */ (['typed', 'sending', 'gone'])) {
    assert.equal(stateText(edit({ state })), null);
    assert.equal(editState(edit({ state }), new Edits()), null);
  }
});

test('a state says what is not saved, and why', () => {
  assert.match(stateText(edit({ state: 'waiting', field: 'note' })) ?? '', /^This note is kept in this browser/);
  assert.match(stateText(edit({ state: 'waiting', field: 'range', value: range })) ?? '', /^This range is kept/);
  assert.equal(stateText(edit({ state: 'refused', message: 'Too long.' })), 'This name is not saved: Too long.');
});

test('a conflict says what the other tab wrote', () => {
  assert.equal(stateText(edit({ state: 'conflict', theirs: 'a' })), 'Another tab has changed this name to “a”.');
  assert.equal(stateText(edit({ state: 'conflict', theirs: '' })), 'Another tab has deleted this name.');
  const trimmed = edit({ state: 'conflict', field: 'range', value: range, theirs: range });
  assert.equal(stateText(trimmed), 'Another tab has set another range.');
});

test('a conflict offers both ways, each of which ends it', () => {
  for (const [label, left] of /** @type {const} */ ([
    ['Keep mine', 'typed'],
    ['Use theirs', undefined],
  ])) {
    const edits = new Edits();
    edits.learn(subclip({ name: 'theirs' }));
    edits.put(subclip(), 'name', 'mine');
    const open = edits.of(1, 'name') ?? assert.fail('no edit');
    Object.assign(open, { state: 'conflict', theirs: 'theirs' });
    edits.closed = true;
    edits.send = () => Promise.resolve();
    const line = editState(open, edits);
    [...(line?.querySelectorAll('button') ?? [])].find((each) => each.textContent === label)?.click();
    assert.equal(edits.of(1, 'name')?.state, left, label);
  }
});

test('a subclip that was taken out leaves the text that was typed, or the range that was set', () => {
  assert.equal(goneText(edit({})), '“film” has been removed. The name you typed, “mine”, is not saved.');
  const trimmed = edit({ field: 'range', value: range });
  assert.equal(goneText(trimmed), '“film” has been removed. The range you set is not saved.');
});

const quiet = { failed: null, stored: true, edits: [], shown: 1 };

test('while all is well there are no notices', () => {
  assert.deepEqual(notices(quiet), []);
  assert.deepEqual(notices({ ...quiet, edits: [edit({}), edit({ state: 'sending' })] }), []);
});

test('a server that is away is reported, and that what was typed is kept', () => {
  assert.equal(notices({ ...quiet, failed: 'no answer' })[0].text, 'No answer.');
  const [{ text }] = notices({ ...quiet, failed: 'Away.', edits: [edit({})] });
  assert.match(text, /^Away\. What you typed is kept/);
});

test('a browser that stores nothing is reported', () => {
  assert.match(notices({ ...quiet, stored: false })[0].text, /Unsaved text is lost/);
});

test('rows explain the edits of the collection that is shown, notices those of others', () => {
  for (const state of /** @type {const} */ (['conflict', 'refused'])) {
    assert.deepEqual(notices({ ...quiet, edits: [edit({ state })] }), []);
    const [notice] = notices({ ...quiet, shown: 2, edits: [edit({ state })] });
    assert.equal(notice.text, 'In “film” in another collection:');
  }
  assert.deepEqual(notices({ ...quiet, shown: 2, edits: [edit({ state: 'waiting' })] }), []);
  assert.equal(notices({ ...quiet, shown: null, edits: [edit({ state: 'conflict' })] }).length, 1);
});

test('a notice whose explanation changes is another one', () => {
  const of = (/** @type {Partial<Edit>} */ given) => notices({ ...quiet, shown: 2, edits: [edit(given)] })[0];
  const refused = of({ state: 'refused', message: 'Too long.' });
  const met = of({ state: 'conflict', theirs: 'a' });
  assert.equal(refused.text, met.text);
  assert.notEqual(refused.token, met.token);
});

test('a subclip that was taken out is reported wherever it was', () => {
  for (const shown of [1, 2, null])
    assert.equal(notices({ ...quiet, shown, edits: [edit({ state: 'gone' })] }).length, 1);
});

test('a sentence has a capital and one end', () => {
  assert.equal(sentence('the library is busy'), 'The library is busy.');
  assert.equal(sentence('Still running?'), 'Still running?');
  assert.equal(sentence('Stop!'), 'Stop!');
  assert.equal(sentence('été'), 'Été.');
});
