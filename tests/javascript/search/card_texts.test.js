import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { cardTexts } from '../../../app/web/static/search/card_texts.js';

const HIT = {
  id: 7,
  name: 'peak.mp4',
  folder: '/videos/alps',
  score: 0.4567,
  share: 0.8349,
  strength: null,
  alike: [],
  start: 3725.5,
  end: 3728.75,
  part: 1,
  part_count: 1,
  missing: false,
};

test('a hit has its length, its place in the video and its score', () => {
  assert.deepEqual(cardTexts(HIT), {
    length: '3.3 s',
    when: '01:02:05.500',
    score: '0.46',
    meaning: 'Score 0.46 (cosine)',
    level: '',
    bar: '83%',
    stack: '',
    takes: '',
    alike: '',
    take: '',
    title: '/videos/alps/peak.mp4',
    label: 'peak.mp4, at 01:02:05.500, 3.3 s, score 0.46',
  });
});

test('a part of a long shot says which', () => {
  const texts = cardTexts({ ...HIT, part: 2, part_count: 5 });
  assert.equal(texts.when, '01:02:05.500 · part 2 of 5');
  assert.equal(texts.label, 'peak.mp4, at 01:02:05.500, 3.3 s, part 2 of 5, score 0.46');
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

test('a quick hit says that motion waits', () => {
  assert.match(cardTexts({ ...HIT, quick: true }).label, /, quick: motion waits for the full pass$/);
});

test('a file that is not there now is said to be so', () => {
  assert.match(cardTexts({ ...HIT, missing: true }).label, /, offline$/);
});

test('a hit at the start of a video is at zero', () => {
  assert.equal(cardTexts({ ...HIT, start: 0, end: 60 }).when, '00:00:00.000');
  assert.equal(cardTexts({ ...HIT, start: 0, end: 60 }).length, '1:00');
});

test('a strength takes the place of the score: a word, a bar of its level, and a sentence', () => {
  /** @type {(chance: number, level: 'strong' | 'likely' | 'weak') => ReturnType<typeof cardTexts>} */
  const texts = (chance, level) => cardTexts({ ...HIT, strength: { value: 4, chance, level } });
  assert.deepEqual(
    [texts(1 / 257, 'strong'), texts(0.03, 'likely'), texts(0.4, 'weak')].map(({ score, level }) => [score, level]),
    [
      ['Strong', 'strong'],
      ['Likely', 'likely'],
      ['Weak', 'weak'],
    ],
  );
  assert.equal(
    texts(1 / 257, 'strong').meaning,
    'Strong match: fewer than 1 in 100 unrelated searches find a shot this close. Score 0.46 (cosine).',
  );
  assert.equal(
    texts(0.4, 'weak').meaning,
    'Weak match: 40 in 100 unrelated searches find a shot this close. Score 0.46 (cosine).',
  );
  assert.match(texts(0.03, 'likely').label, /, likely match$/);
  const guessed = cardTexts({ ...HIT, strength: { value: 2, chance: 0.03, level: 'likely', estimated: true } });
  assert.match(guessed.meaning, /^Likely match: an estimated 3 in 100 unrelated searches/);
});

test('bars of levels meet where the levels do, whatever the search', () => {
  const bars = [1, 0.05, 0.01, 0.004, 1e-12].map(
    (chance) => cardTexts({ ...HIT, strength: { value: 1, chance, level: 'weak' } }).bar,
  );
  assert.deepEqual(bars, ['0%', '33%', '67%', '100%', '100%']);
});

test('a stack is counted with the hit in front', () => {
  assert.equal(cardTexts({ ...HIT, alike: [8, 9] }).alike, '3 alike');
  assert.match(cardTexts({ ...HIT, alike: [8, 9] }).label, /, 3 alike$/);
  assert.equal(cardTexts(HIT).alike, '');
  const take = { number: 2, count: 4 };
  const takes = [
    { number: 1, ids: [3] },
    { number: 3, ids: [5, 6] },
  ];
  const texts = cardTexts({ ...HIT, alike: [8], take, takes });
  assert.deepEqual([texts.takes, texts.alike, texts.take], ['3 takes', '2 alike', 'Take 2 of 4']);
  assert.match(texts.label, /, 3 takes, 2 alike$/);
  const named = cardTexts({ ...HIT, alike: [8], take, takes, set_up: 'Kitchen' });
  assert.equal(named.takes, 'Kitchen: 3 takes');
  assert.match(named.label, /, Kitchen: 3 takes, 2 alike$/);
  assert.match(cardTexts({ ...HIT, take, set_up: 'Kitchen' }).label, /, Kitchen, take 2 of 4$/);
});

test('a hit of words alone says so where others have a strength, and has no bar', () => {
  /** @type {import('../../../app/web/static/search/found_line.js').Found} */
  const found = {
    channels: ['said'],
    line: { time: 61, from: 61, source: 1, pieces: [['engine', true]] },
    lines: 1,
  };
  const texts = cardTexts({ ...HIT, score: null, share: null, found });
  assert.equal(texts.score, 'By words');
  assert.match(texts.meaning, /not by its picture/);
  assert.equal(texts.bar, null);
  assert.match(texts.label, /, found by: said at 00:01:01\.000: engine$/);
  const both = cardTexts({
    ...HIT,
    strength: { value: 4, chance: 0.001, level: 'strong' },
    found: { ...found, channels: ['picture', 'said'] },
  });
  assert.deepEqual([both.score, both.level], ['Strong', 'strong']);
});
