import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowSelection } from '../../../app/web/static/collections/selection.js';

/** @param {number[]} order */
function among(...order) {
  const selection = new RowSelection();
  selection.update(order);
  return selection;
}

test('at first nothing is selected, and keys apply to the first row', () => {
  const selection = among(7, 8, 9);
  assert.deepEqual(selection.ordered, []);
  assert.equal(selection.current, 7);
  assert.equal(selection.anchor, 7);
});

test('a list without rows has no current row', () => {
  const selection = among();
  assert.equal(selection.current, null);
  assert.equal(selection.beside(1), null);
  assert.equal(selection.beside(Infinity), null);
  assert.equal(selection.clear(), false);
  selection.chooseAll();
  assert.deepEqual(selection.ordered, []);
});

test('a click selects one row alone', () => {
  const selection = among(1, 2, 3);
  selection.choose(3);
  selection.choose(2);
  assert.deepEqual(selection.ordered, [2]);
  assert.equal(selection.current, 2);
});

test('a range runs from the anchor in either direction, and shrinks again', () => {
  const selection = among(1, 2, 3, 4, 5);
  selection.choose(3);
  selection.chooseTo(5);
  assert.deepEqual(selection.ordered, [3, 4, 5]);
  selection.chooseTo(1);
  assert.deepEqual(selection.ordered, [1, 2, 3]);
  selection.chooseTo(3);
  assert.deepEqual(selection.ordered, [3]);
  assert.equal(selection.anchor, 3);
  selection.chooseTo(4);
  assert.equal(selection.current, 4);
});

test('a range goes on from its anchor after the list was drawn again', () => {
  const selection = among(1, 2, 3, 4);
  selection.choose(1);
  selection.chooseTo(4);
  selection.update([1, 2, 3, 4, 5]);
  selection.chooseTo(2);
  assert.deepEqual(selection.ordered, [1, 2]);
});

test('without a click before, a range runs from the first row', () => {
  const selection = among(1, 2, 3);
  selection.chooseTo(2);
  assert.deepEqual(selection.ordered, [1, 2]);
});

test('a range with Ctrl adds to the selection', () => {
  const selection = among(1, 2, 3, 4, 5);
  selection.choose(1);
  selection.toggle(4);
  selection.chooseTo(5, true);
  assert.deepEqual(selection.ordered, [1, 4, 5]);
});

test('Ctrl adds a row and takes it away, in the order of the list', () => {
  const selection = among(1, 2, 3);
  selection.choose(3);
  selection.toggle(1);
  assert.deepEqual(selection.ordered, [1, 3]);
  selection.toggle(3);
  assert.deepEqual(selection.ordered, [1]);
  assert.equal(selection.current, 3);
  assert.equal(selection.anchor, 3);
});

test('all can be selected, and none', () => {
  const selection = among(1, 2, 3);
  selection.chooseAll();
  assert.deepEqual(selection.ordered, [1, 2, 3]);
  assert.equal(selection.clear(), true);
  assert.deepEqual(selection.ordered, []);
  assert.equal(selection.clear(), false);
  selection.choose(2);
  assert.equal(selection.clear(), true);
});

test('the focus moves without selecting', () => {
  const selection = among(1, 2, 3);
  selection.choose(1);
  selection.focus(3);
  assert.deepEqual(selection.ordered, [1]);
  assert.equal(selection.current, 3);
  assert.equal(selection.anchor, 1);
});

test('rows that went are no longer selected; the next one takes the place of the current', () => {
  const selection = among(1, 2, 3, 4);
  selection.choose(2);
  selection.toggle(3);
  selection.update([1, 2, 4]);
  assert.deepEqual(selection.ordered, [2]);
  assert.equal(selection.current, 4);
  assert.equal(selection.anchor, 4);
});

test('after the last row went, the one above becomes current', () => {
  const selection = among(1, 2, 3);
  selection.choose(3);
  selection.update([1, 2]);
  assert.equal(selection.current, 2);
  selection.update([]);
  assert.equal(selection.current, null);
  selection.update([5, 6]);
  assert.equal(selection.current, 5);
});

test('selection and current row stay with their rows in another order', () => {
  const selection = among(1, 2, 3);
  selection.choose(1);
  selection.update([3, 2, 1]);
  assert.deepEqual(selection.ordered, [1]);
  assert.equal(selection.current, 1);
  selection.update([3, 2]); // its place was the last
  assert.equal(selection.current, 2);
});

test('steps end at the first and the last row', () => {
  const selection = among(1, 2, 3);
  selection.focus(2);
  assert.equal(selection.beside(0), 2);
  assert.equal(selection.beside(1), 3);
  assert.equal(selection.beside(-1), 1);
  assert.equal(selection.beside(5), 3);
  assert.equal(selection.beside(-5), 1);
  assert.equal(selection.beside(Infinity), 3);
  assert.equal(selection.beside(-Infinity), 1);
});
