import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAnswer, refusalOf } from '../../../app/web/static/search/example_file.js';

const GB = 1024 ** 3;

test('files of up to 1 GB are taken', () => {
  for (const size of [1, 4096, GB]) assert.equal(refusalOf({ name: 'a.mp4', size }, false), null);
});

test('a larger file is refused, with its size and what to do instead', () => {
  assert.match(
    refusalOf({ name: 'a.mp4', size: 2.5 * GB }, false) ?? '',
    /^a\.mp4 is 2\.5 GB; the limit is 1 GB\. Trim/,
  );
  assert.match(refusalOf({ name: 'a.mp4', size: GB + 1 }, false) ?? '', /is 1\.1 GB/, 'not 1.0 GB, which is allowed');
});

test('an empty file is refused', () => {
  assert.equal(refusalOf({ name: 'a.mp4', size: 0 }, false), 'a.mp4 is empty');
});

test('a folder is refused as one, whatever size browsers give it', () => {
  for (const size of [0, 4096, 2 * GB])
    assert.match(refusalOf({ name: 'alps', size }, true) ?? '', /^alps is a folder\./);
});

test('a file that the server took is an example', () => {
  const example = { token: 't', name: 'a.mp4', kind: 'video' };
  assert.deepEqual(readAnswer(200, JSON.stringify(example)), { example, problem: null });
  assert.deepEqual(readAnswer(201, JSON.stringify(example)).example, example);
});

test('a refusal is in the words of the server, or in ours where it sends none', () => {
  assert.equal(readAnswer(413, '{"error": "Too large."}').problem, 'Too large.');
  assert.equal(readAnswer(502, '<html>').problem, 'The file was not accepted (502)');
  assert.equal(readAnswer(500, '').problem, 'The file was not accepted (500)');
  assert.equal(readAnswer(200, 'null').problem, 'The file was not accepted (200)');
  assert.equal(readAnswer(304, '{}').problem, 'The file was not accepted (304)');
});

test('a server that does not answer is said to be gone', () => {
  assert.match(readAnswer(0, '').problem ?? '', /is prismsearch still running\?$/);
});
