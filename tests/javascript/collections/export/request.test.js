import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  choiceFrom,
  exportRequest,
  LISTS,
  MODES,
  refusalOf,
  withFolder,
  withoutWords,
} from '../../../../app/web/static/collections/export/request.js';

/** @typedef {import('../../../../app/web/static/collections/export/request.js').Choice} Choice */

/** @type {Choice} */
const usual = {
  mode: 'smart',
  handles: '0',
  pattern: '',
  sound: 'all',
  tracks: '',
  lists: ['csv'],
  subtitles: 'none',
  wordsFrom: 'best',
  language: '',
  markers: false,
  to: 'zip',
  folder: '/home/me/clips',
};

test('the first export is a zip of smart clips with a CSV, and a folder is suggested', () => {
  assert.deepEqual(choiceFrom({}, '/home/me/clips'), usual);
});

test('the first export takes what the settings file says', () => {
  const fromFile = { mode: 'copy', handles: '1.5', lists: ['edl'], sound: 'numbers', tracks: '1,3' };
  assert.deepEqual(choiceFrom(fromFile, '/home/me/clips'), { ...usual, ...fromFile });
});

test('choices are remembered', () => {
  for (const [mode] of MODES)
    for (const to of /** @type {const} */ (['zip', 'folder'])) {
      const lists = LISTS.map(([name]) => name);
      const more = /** @type {const} */ ({ sound: 'numbers', tracks: '1,3', folder: '/x' });
      const words = /** @type {const} */ ({ subtitles: 'track', wordsFrom: 'speech', language: 'de', markers: true });
      const choice = { mode, handles: '1.5', pattern: '{rank}', lists, to, ...more, ...words };
      assert.deepEqual(choiceFrom({ ...choice }, '/home'), choice);
    }
  assert.deepEqual(choiceFrom({ ...usual, lists: [] }, '').lists, []);
});

test('a stored choice that there is no longer gives way to the usual one', () => {
  const stored = { mode: 'best', handles: 3, pattern: null, lists: ['csv', 'vhs', 7], to: 'tape', folder: {} };
  Object.assign(stored, { subtitles: 'above', wordsFrom: 'tag', language: 7, markers: 'yes' });
  assert.deepEqual(choiceFrom(stored, '/home/me/clips'), usual);
  assert.deepEqual(choiceFrom({ lists: 'csv,edl' }, '').lists, ['csv']);
});

test('the whole collection goes into a zip', () => {
  assert.deepEqual(exportRequest(usual, 3, null), {
    collection: 3,
    mode: 'smart',
    handles_seconds: 0,
    name_pattern: '',
    audio: 'all',
    lists: ['csv'],
    to: 'zip',
  });
});

test('a selection goes into the folder that was typed', () => {
  /** @type {Choice} */
  const choice = {
    ...usual,
    mode: 'copy',
    handles: '1.5',
    pattern: '{rank}',
    sound: 'numbers',
    tracks: ' 1, 3',
    lists: [],
    to: 'folder',
    folder: ' /home/me/cuts ',
  };
  assert.deepEqual(exportRequest(choice, 3, [{ id: 9 }, { id: 4 }]), {
    collection: 3,
    mode: 'copy',
    handles_seconds: 1.5,
    name_pattern: '{rank}',
    audio: '1, 3',
    lists: [],
    to: '/home/me/cuts',
    subclips: [9, 4],
  });
});

test('lists alone take neither handles nor a pattern, so that what was typed for clips cannot refuse them', () => {
  /** @type {Choice} */
  const choice = { ...usual, mode: 'none', handles: '900', pattern: '{wrong' };
  assert.equal(refusalOf(choice), null);
  const { handles_seconds, name_pattern } = exportRequest(choice, 3, null);
  assert.deepEqual([handles_seconds, name_pattern], [0, '']);
});

test('handles must be from 0 to an hour, as in settings files; none typed is none', () => {
  for (const handles of ['', '0', '0.5', '3600']) assert.equal(refusalOf({ ...usual, handles }), null);
  for (const handles of ['-1', '3600.1', 'x', 'Infinity'])
    assert.equal(refusalOf({ ...usual, handles })?.field, 'handles', handles);
  assert.equal(exportRequest({ ...usual, handles: '' }, 3, null).handles_seconds, 0);
});

test('numbers of sound tracks are numbers from 1, where they are asked for', () => {
  /** @type {(tracks: string) => string | undefined} */
  const refused = (tracks) => refusalOf({ ...usual, sound: 'numbers', tracks })?.field;
  assert.deepEqual(['1', '1,3', ' 2 4, 11 ', '999'].map(refused), [undefined, undefined, undefined, undefined]);
  for (const tracks of ['', ',', '0', '1,0', 'all', '1;2', '1000', '-1'])
    assert.equal(refused(tracks), 'tracks', tracks);
  assert.equal(refusalOf({ ...usual, tracks: 'x' }), null);
  assert.equal(refusalOf({ ...usual, mode: 'none', sound: 'numbers', tracks: 'x' }), null);
  assert.equal(exportRequest({ ...usual, mode: 'none', sound: 'none' }, 3, null).audio, 'all');
  assert.equal(exportRequest({ ...usual, sound: 'first', tracks: '7' }, 3, null).audio, 'first');
});

test('lists alone need a list; clips need none', () => {
  assert.equal(refusalOf({ ...usual, mode: 'none', lists: [] })?.field, 'lists');
  assert.equal(refusalOf({ ...usual, lists: [] }), null);
});

test('a folder has a name, except where a zip is made', () => {
  assert.equal(refusalOf({ ...usual, to: 'folder', folder: '  ' })?.field, 'folder');
  assert.equal(refusalOf({ ...usual, to: 'zip', folder: '' }), null);
});

test('the last folders are suggested, each once, the latest first', () => {
  assert.deepEqual(withFolder('/b', ['/a', '/b', '/c']), ['/b', '/a', '/c']);
  assert.deepEqual(withFolder('/a', []), ['/a']);
  const many = Array.from({ length: 20 }, (_, at) => `/${at}`);
  assert.deepEqual(withFolder('/new', many), ['/new', ...many.slice(0, 7)]);
});

test('what is said goes along only where it goes anywhere', () => {
  const words = /** @type {const} */ ({ wordsFrom: 'speech', language: 'de' });
  const named = (/** @type {Partial<Choice>} */ given) => {
    const { subtitles, words_from, language, markers } = exportRequest({ ...usual, ...words, ...given }, 3, null);
    return [subtitles, words_from, language, markers];
  };
  assert.deepEqual(named({}), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(named({ subtitles: 'track' }), ['track', 'speech', 'de', false]);
  assert.deepEqual(named({ markers: true }), ['none', 'speech', 'de', true]);
  assert.deepEqual(named({ mode: 'none', subtitles: 'file' }), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(named({ mode: 'none', subtitles: 'file', markers: true }), ['none', 'speech', 'de', true]);
  assert.deepEqual(named(withoutWords({ ...usual, subtitles: 'burn', markers: true })), [...Array(4)]);
});

test('words are drawn into pictures that are encoded again only, and marked in lists that are written', () => {
  for (const mode of /** @type {const} */ (['smart', 'copy']))
    assert.deepEqual(refusalOf({ ...usual, subtitles: 'burn', mode })?.field, 'words');
  assert.equal(refusalOf({ ...usual, subtitles: 'burn', mode: 'exact' }), null);
  assert.equal(refusalOf({ ...usual, subtitles: 'burn', mode: 'none' }), null);
  assert.equal(refusalOf({ ...usual, markers: true, lists: [] })?.field, 'words');
  assert.equal(refusalOf({ ...usual, markers: true }), null);
});
