import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { HitCard } from '../../../app/web/static/search/card.js';
import { cardTexts } from '../../../app/web/static/search/card_texts.js';
import { chainCard } from '../../../app/web/static/search/chain_card.js';
import { opinionNodes, opinionTexts } from '../../../app/web/static/search/opinions.js';

/** @typedef {import('../../../app/web/static/search/opinions.js').Opinion} Opinion */

/** @type {import('../../../app/web/static/search/strength.js').Strength} */
const STRONG = { value: 4.2, chance: 0.004, level: 'strong' };

/** @type {Opinion[]} */
const TWO = [
  { encoder: 'base', strength: STRONG, quick: false },
  { encoder: 'PE-Core-B-16', strength: { value: 0.4, chance: 0.3, level: 'weak' }, quick: true },
];

const HIT = {
  id: 7,
  name: 'peak.mp4',
  folder: '/videos',
  score: 2.4567,
  share: 1,
  strength: STRONG,
  alike: [],
  start: 1,
  end: 3,
  part: 1,
  part_count: 1,
  missing: false,
};

/** @param {Opinion[]} opinions */
function shown(opinions) {
  return opinionNodes(opinions).map((each) => each.textContent);
}

test('of several encoders, a hit says what each thinks', () => {
  assert.deepEqual(shown(TWO), ['base Strong', 'PE-Core-B-16 Weak']);
  assert.deepEqual(opinionTexts(TWO), ['base: strong', 'PE-Core-B-16: weak, by a few frames']);
});

test('the opinion of one encoder is the strength of the hit', () => {
  assert.deepEqual(shown(TWO.slice(1)), []);
  assert.deepEqual(opinionTexts(TWO.slice(1)), []);
});

test('an encoder without a calibration has no word for it', () => {
  assert.deepEqual(shown([{ ...TWO[0], strength: null }, TWO[1]])[0], 'base –');
  assert.equal(opinionTexts([{ ...TWO[0], strength: null }, TWO[1]])[0], 'base: not calibrated');
});

test('a card shows opinions, and drops them with the next hit', () => {
  const card = new HitCard(7);
  card.fill({ ...HIT, opinions: TWO });
  assert.equal(card.opinions.hidden, false);
  assert.equal(card.opinions.querySelectorAll('.ps-opinion').length, 2);
  card.fill(HIT);
  assert.equal(card.opinions.hidden, true);
  assert.equal(card.opinions.childElementCount, 0);
});

test('the score of several encoders is not called a cosine', () => {
  assert.match(cardTexts(HIT).meaning, /cosine/);
  assert.doesNotMatch(cardTexts({ ...HIT, opinions: TWO }).meaning, /cosine/);
  assert.equal(cardTexts({ ...HIT, strength: null, opinions: TWO }).meaning, 'Score 2.46');
  assert.match(
    cardTexts({ ...HIT, opinions: TWO }).label,
    /strong match, base: strong, PE-Core-B-16: weak, by a few frames$/,
  );
});

test('a shot of a chain says what each encoder thinks of it', () => {
  const card = chainCard({
    rank: 1,
    score: 1,
    strength: null,
    name: 'peak.mp4',
    folder: '/videos',
    missing: false,
    start: 1,
    end: 3,
    start_pts: 0,
    end_pts: 1,
    first: 7,
    alike: 0,
    parts: [{ ...HIT, step: 1, opinions: TWO }],
  });
  const part = card.querySelector('.ps-chain-part');
  assert.match(part?.getAttribute('title') ?? '', /base: strong\nPE-Core-B-16: weak, by a few frames$/);
});
