import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../page.js';
import {
  folded,
  hasAll,
  partsOf,
  shownText,
  termsOf,
  textOfLines,
} from '../../../../app/web/static/player/transcript/words.js';

test('a search is words and phrases, whatever their case and accents', () => {
  assert.deepEqual(termsOf('  Café "Brick  WALL" café x'), ['cafe', 'brick wall', 'x']);
  assert.deepEqual(termsOf('“not closed'), ['not closed']);
  assert.deepEqual(termsOf('""  '), []);
  assert.equal(hasAll(folded('The Brick wall of the CAFÉ'), termsOf('cafe "brick wall"')), true);
  assert.equal(hasAll(folded('A wall of brick, a cafe'), termsOf('cafe "brick wall"')), false);
});

test('found words are marked where they stand, and the text stays as it is', () => {
  /** @type {[string, string, string[]][]} */
  const cases = [
    ['Cafe\u0301 crème, CAFÉ', 'cafe', ['Cafe\u0301', 'CAFÉ']],
    ['a brick\nwall', '"brick wall"', ['brick\nwall']],
    ['penguins', 'pen guin', ['penguin']],
    ['😀 penguin 😀', 'penguin', ['penguin']],
    ['ΟΔΟΣ οδος', 'οδος', ['ΟΔΟΣ', 'οδος']],
    ['한국어', '국', ['국']],
    ['nothing', 'x', []],
  ];
  for (const [text, typed, expected] of cases) {
    const parts = partsOf(text, termsOf(typed));
    assert.equal(parts.map((part) => part.text).join(''), text);
    assert.deepEqual(
      parts.filter(({ found }) => found).map((part) => part.text),
      expected,
      text,
    );
  }
});

test('characters that reorder a text are left out', () => {
  assert.equal(shownText('Photo \u202egpj.exe\u202c \u2067x'), 'Photo gpj.exe x');
});

test('lines are copied as text, one a row', () => {
  const lines = [
    { id: 1, source: 1, start: 1.5, end: 2, text: 'Two\nrows', segment: null },
    { id: 2, source: 1, start: 3600, end: 3601, text: '\u202eOne', segment: null },
  ];
  assert.equal(textOfLines(lines), '00:00:01.500\tTwo rows\n01:00:00.000\tOne');
});
