import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  clipFileName,
  exampleName,
  PatternError,
  TOKENS,
} from '../../../../app/web/static/collections/export/naming.js';
import { subclip } from '../subclips.js';

/** @typedef {string | (string | [string, number])[]} Text A string, or strings and pairs (string, how often). */
/**
 * @typedef {object} Row
 * @property {Text} pattern
 * @property {Text} name The right one.
 * @property {number} [rank]
 * @property {number} [total]
 * @property {Text} [source]
 * @property {Text} [label]
 * @property {Text} [collection]
 * @property {number} [score]
 * @property {[number, number]} [start] Seconds, as a fraction.
 * @property {[number, number]} [end]
 * @property {string} [suffix]
 */
/** @type {{names: Row[], refused: Text[]}} Also held against the export (tests/test_clip_name_table.py). */
const table = JSON.parse(readFileSync(new URL('../../../clip_name_table.json', import.meta.url), 'utf8'));

/** @param {Text} text */
function writtenOut(text) {
  const parts = typeof text === 'string' ? [text] : text;
  return parts.map((each) => (typeof each === 'string' ? each : each[0].repeat(each[1]))).join('');
}

test('the page names clips as the table, and so the export, does', () => {
  for (const row of table.names) {
    const { rank = 7, total = 12, source = 'film', label = '', collection = '', score = null } = row;
    const { start = [1248, 100], end = [16, 1], suffix = '.mp4' } = row;
    const facts = {
      rank,
      total,
      source: writtenOut(source),
      start: start[0] / start[1],
      end: end[0] / end[1],
      label: writtenOut(label),
      collection: writtenOut(collection),
      score,
    };
    assert.equal(clipFileName(facts, suffix, writtenOut(row.pattern)), writtenOut(row.name), JSON.stringify(row));
  }
});

test('the page refuses the patterns that the export refuses', () => {
  const facts = { rank: 1, total: 1, source: 'a', start: 0, end: 1, label: '', collection: '', score: null };
  for (const pattern of table.refused)
    assert.throws(() => clipFileName(facts, '.mp4', writtenOut(pattern)), PatternError, JSON.stringify(pattern));
});

const context = { number: 7, total: 12, collection: 'Reel', mode: 'smart', handles: 0 };

test('a blank pattern is the usual one', () => {
  for (const pattern of ['', '  '])
    assert.equal(
      exampleName(pattern, subclip({ start: 12.48, end: 16 }), context).name,
      '007_film_00h00m12.480s-00h00m16.000s.mp4',
    );
});

test('a field that is offered can be used', () => {
  for (const [field] of TOKENS) assert.equal(exampleName(`a{${field}}`, subclip(), context).problem, null);
});

test('a pattern that cannot be used has a sentence that says why, and no name', () => {
  for (const [pattern, words] of [
    ['{title}', 'There is no {title}'],
    ['{rank', 'a { without a }'],
    ['rank}', 'a } without a {'],
    ['x'.repeat(201), '1 to 200 characters'],
  ]) {
    const { name, problem } = exampleName(pattern, subclip(), context);
    assert.equal(name, '');
    assert.ok(problem?.includes(words), `${pattern}: ${problem}`);
  }
});

test('nothing to export has neither a name nor a problem', () => {
  assert.deepEqual(exampleName('{', undefined, context), { name: '', problem: null });
});

test('handles move the times in a name, but not beyond the video', () => {
  const clip = subclip({ start: 1, end: 58.5 }); // of a minute
  assert.equal(
    exampleName('{start}-{end}', clip, { ...context, handles: 0.5 }).name,
    '00h00m00.500s-00h00m59.000s.mp4',
  );
  assert.equal(exampleName('{start}-{end}', clip, { ...context, handles: 5 }).name, '00h00m00.000s-00h01m00.000s.mp4');
});

test('the source is the file’s name without its suffix', () => {
  for (const [fileName, name] of [
    ['a.b.mp4', 'a.b.mp4'],
    ['.hidden', 'hidden.mp4'],
    ['plain', 'plain.mp4'],
  ])
    assert.equal(exampleName('{source}', subclip({ fileName }), context).name, name);
});

test('copies stay in their container where the export can write it, others become Matroska; encoded clips MP4', () => {
  for (const [fileName, copied] of [
    ['film.MOV', '.mov'],
    ['film.m2ts', '.m2ts'],
    ['film.webm', '.webm'],
    ['film.avi', '.mkv'],
    ['film', '.mkv'],
  ]) {
    const clip = subclip({ fileName });
    assert.equal(exampleName('{rank}', clip, { ...context, mode: 'copy' }).name, `007${copied}`);
    for (const mode of ['smart', 'exact'])
      assert.equal(exampleName('{rank}', clip, { ...context, mode }).name, '007.mp4');
  }
});
