import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../page.js';
import {
  attemptsText,
  confirmRemoval,
  failureSection,
  totalsRow,
  totalTimeText,
} from '../../../app/web/static/library/sections.js';

afterEach(() => document.body.replaceChildren());

test('the length of all videos is in minutes, then in hours, and ever less exact', () => {
  assert.deepEqual([0, 59, 3599, 3600, 9000, 3600 * 99.9, 3600 * 99.96, 3600 * 100.4].map(totalTimeText), [
    '0.0 s',
    '59.0 s',
    '59:59',
    '1.0 h',
    '2.5 h',
    '99.9 h',
    '100 h',
    '100 h',
  ]);
});

test('attempts are counted, and the last one dated', () => {
  assert.match(attemptsText({ attempts: 1, failed_at: '2024-05-17T12:00:00+00:00' }), /^tried once, .*2024/);
  assert.match(attemptsText({ attempts: 3, failed_at: '2024-05-17T12:00:00+00:00' }), /^tried 3 times, .*2024/);
  assert.equal(attemptsText({ attempts: 2, failed_at: '' }), 'tried 2 times, some time ago');
});

test('totals use the singular for one, and say that the size on disk is being counted', () => {
  const totals = { videos: 1, seconds: 12, shots: 1, segments: 1, source_bytes: 5e6 };
  const texts = totalsRow(totals, null).map((tile) => tile.textContent);
  assert.deepEqual(texts, ['1video', '12.0 sof video', '1shot', '…kept by prismsearch', '5.0 MBof your files']);
  assert.equal(totalsRow({ ...totals, videos: 2 }, 2e9)[0].textContent, '2videos');
  assert.equal(totalsRow(totals, 0)[3].textContent, '0 Bkept by prismsearch');
});

test('long shots that are searched in parts are explained', () => {
  const totals = { videos: 1, seconds: 12, shots: 3, segments: 3, source_bytes: 0 };
  assert.equal(totalsRow(totals, null)[2].title, '');
  assert.match(totalsRow({ ...totals, segments: 4 }, null)[2].title, /: 4 parts in total$/);
});

/** @param {number} count */
function failures(count) {
  return Array.from({ length: count }, (_, at) => ({
    path: `/videos/${at}.mp4`,
    folder: '/videos',
    name: `${at}.mp4`,
    reason: 'No video stream.',
    attempts: 1,
    failed_at: '',
    gone: at === 1,
  }));
}

/**
 * @param {number} count
 * @param {string[][]} [retried]
 */
function section(count, retried = []) {
  const host = document.createElement('div');
  host.append(...failureSection(failures(count), (paths) => retried.push(paths)));
  return host;
}

test('without failures there is no section', () => {
  assert.deepEqual(
    failureSection([], () => {}),
    [],
  );
});

test('a failure has its reason, and says where the file is gone', () => {
  const reasons = [...section(2).querySelectorAll('.ps-failure-reason')].map((each) => each.textContent);
  assert.deepEqual(reasons, ['No video stream.', 'No video stream. The file cannot be found now.']);
});

test('five failures are shown; of more, five and a button for all', () => {
  const shown = (/** @type {Element} */ host) => host.querySelectorAll('.ps-failure').length;
  assert.equal(shown(section(5)), 5);
  assert.equal(section(5).querySelector('.ps-link')?.hasAttribute('hidden'), true);
  const host = section(6);
  assert.equal(shown(host), 5);
  const more = host.querySelector('button.ps-link');
  assert.equal(more?.textContent, 'Show all 6');
  if (more instanceof HTMLElement) more.click();
  assert.equal(shown(host), 6);
});

test('one file is tried again, or all of them, also those that are not shown', () => {
  /** @type {string[][]} */
  const retried = [];
  const host = section(6, retried);
  const buttons = [...host.querySelectorAll('button')];
  buttons.find((button) => button.getAttribute('aria-label') === 'Retry 1.mp4')?.click();
  buttons.find((button) => button.textContent === 'Retry all')?.click();
  assert.deepEqual(retried[0], ['/videos/1.mp4']);
  assert.equal(retried[1].length, 6);
  assert.ok(!section(1).textContent.includes('Retry all'));
});

/**
 * @param {number} count
 * @param {() => void} [run]
 */
function asked(count, run = () => {}) {
  const videos = Array.from({ length: count }, (_, at) => ({ name: `${at}.mp4` }));
  confirmRemoval(videos, run);
  const dialog = document.querySelector('dialog');
  assert.ok(dialog);
  return dialog;
}

test('before videos are removed the person is asked, with their names', () => {
  const dialog = asked(2);
  assert.match(dialog.textContent, /Remove 2 videos from the library\?/);
  assert.match(dialog.textContent, /0\.mp41\.mp4/);
  dialog.remove();
  assert.match(asked(1).textContent, /Remove this video from the library\?/);
});

test('of many videos six are named, and the others counted', () => {
  const items = (/** @type {Element} */ dialog) => [...dialog.querySelectorAll('li')].map((item) => item.textContent);
  const six = asked(6);
  assert.equal(items(six).at(-1), '5.mp4');
  six.remove();
  assert.deepEqual(items(asked(9)).slice(5), ['5.mp4', 'and 3 more']);
});

test('the videos are removed where the person agrees, and kept where not', () => {
  let removed = 0;
  const press = (/** @type {string} */ name) => {
    const dialog = asked(1, () => {
      removed += 1;
    });
    [...dialog.querySelectorAll('button')].find((button) => button.textContent === name)?.click();
    assert(!document.querySelector('dialog'), 'the question is closed');
  };
  press('Cancel');
  assert.equal(removed, 0);
  press('Remove');
  assert.equal(removed, 1);
});

test('nothing is asked about no videos', () => {
  confirmRemoval([], () => {});
  assert(!document.querySelector('dialog'));
});
