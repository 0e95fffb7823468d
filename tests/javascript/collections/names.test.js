import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipName, isTaken, nameToSave } from '../../../app/web/static/collections/names.js';
import { subclip } from './subclips.js';

test('a subclip is called by its name, else by its file', () => {
  assert.equal(clipName(subclip({ name: 'Opening', title: 'Opening' })), 'Opening');
  assert.equal(clipName(subclip({ title: 'film' })), 'film');
  assert.equal(clipName(subclip({ title: '' })), 'film.mp4');
});

test('blanks around a name are not saved', () => {
  assert.equal(nameToSave('  Rushes ', 'Tray'), 'Rushes');
  assert.equal(nameToSave('two  words', ''), 'two  words');
});

test('nothing is saved of blanks alone, or of the name from before', () => {
  assert.equal(nameToSave('', 'Tray'), null);
  assert.equal(nameToSave(' \t\n', 'Tray'), null);
  assert.equal(nameToSave('Tray', 'Tray'), null);
  assert.equal(nameToSave(' Tray ', 'Tray'), null);
  assert.equal(nameToSave('tray', 'Tray'), 'tray');
});

test('a name is taken in any spelling of upper and lower case', () => {
  const all = [
    { id: 1, name: 'Straße' },
    { id: 2, name: 'Caf\u00e9' },
  ];
  assert(isTaken('straße', 3, all));
  assert(isTaken('STRASSE', 3, all));
  assert(isTaken('CAFE\u0301', 3, all));
  assert(!isTaken('Cafe', 3, all));
  assert(!isTaken('Straße 2', 3, all));
  assert(!isTaken('x', 3, []));
});

test('what has a name can change how it is spelled', () => {
  const all = [
    { id: 1, name: 'beach' },
    { id: 2, name: 'forest' },
  ];
  assert(!isTaken('Beach', 1, all));
  assert(isTaken('Beach', 2, all));
});
