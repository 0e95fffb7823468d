import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countText, drawnText, placeText } from '../../../app/web/static/questions/texts.js';

const LINE = {
  key: 'k',
  question: 'a dog',
  file: 'a.mp4',
  path: '/films/a.mp4',
  start: 1.5,
  end: 4,
  segment: 3,
  trouble: '',
};

test('questions are counted, those about what is not there apart', () => {
  assert.equal(countText({ questions: 0, none: 0 }), 'No questions yet');
  assert.equal(countText({ questions: 1, none: 0 }), '1 question');
  assert.equal(countText({ questions: 1200, none: 2 }), '1,200 questions, and 2 about what is not there');
  assert.equal(countText({ questions: 0, none: 1 }), '0 questions, and 1 about what is not there');
});

test('a line says where its answer is, or why there is none', () => {
  assert.equal(placeText(LINE), 'a.mp4 · 00:00:01.500 · 2.5 s');
  assert.equal(placeText({ ...LINE, start: null, end: null, trouble: 'It has gone.' }), 'It has gone.');
  assert.equal(placeText({ ...LINE, file: '', start: null, end: null }), 'Not in this library');
  assert.equal(placeText({ ...LINE, start: null }), 'a.mp4');
});

test('the shot that was drawn is one of how many', () => {
  assert.equal(drawnText({ number: 3, count: 1204 }), 'Shot 3 of 1,204, in random order');
});
