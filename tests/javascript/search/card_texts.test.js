import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardTexts } from '../../../app/web/static/search/card_texts.js';

const HIT = {
  id: 7,
  name: 'peak.mp4',
  folder: '/videos/alps',
  score: 0.4567,
  share: 0.8349,
  start: 3725.5,
  end: 3728.75,
  missing: false,
};

test('a hit has its length, its place in the video and its score', () => {
  assert.deepEqual(cardTexts(HIT), {
    length: '3.3 s',
    when: '01:02:05',
    score: '0.46',
    bar: '83%',
    title: '/videos/alps/peak.mp4',
    label: 'peak.mp4, at 01:02:05.500, 3.3 s, score 0.46',
  });
});

test('a hit of a plain list has no score and no bar', () => {
  const texts = cardTexts({ ...HIT, score: null, share: null });
  assert.equal(texts.score, '');
  assert.equal(texts.bar, null);
  assert.equal(texts.label, 'peak.mp4, at 01:02:05.500, 3.3 s');
});

test('a score of zero is a score, and a bar of no length a bar', () => {
  const texts = cardTexts({ ...HIT, score: 0, share: 0 });
  assert.equal(texts.score, '0.00');
  assert.equal(texts.bar, '0%');
  assert.match(texts.label, /score 0\.00$/);
});

test('a file that is not there now is said to be so', () => {
  assert.match(cardTexts({ ...HIT, missing: true }).label, /, file not there now$/);
});

test('a hit at the start of a video is at zero', () => {
  assert.equal(cardTexts({ ...HIT, start: 0, end: 60 }).when, '00:00:00');
  assert.equal(cardTexts({ ...HIT, start: 0, end: 60 }).length, '1:00');
});
