import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  belongs,
  currentText,
  endText,
  failuresOf,
  notesOf,
  progressText,
  resultText,
  runningText,
  shareOf,
  shownJobs,
  titleOf,
} from '../../../../app/web/static/collections/export/job.js';
import { exportJob } from './export_jobs.js';

/** @typedef {import('../../../../app/web/static/collections/export/job.js').Started} Started */

const reel = { id: 3, name: 'Reel' };

test('an export belongs to the collection that its command names', () => {
  assert.ok(belongs(exportJob(), reel, {}));
  assert.ok(belongs(exportJob({ arguments: ['export', '--collection=Reel'] }), reel, {}));
  assert.ok(belongs(exportJob({ arguments: ['--collection', 'Reel', '--to', 'zip'] }), reel, {}));
  for (const words of [
    [],
    ['Reel'],
    ['export', '--collection'],
    ['export', 'Reel'],
    ['export', '--collection', 'Reel 2'],
  ])
    assert.ok(!belongs(exportJob({ arguments: words }), reel, {}), words.join(' '));
  assert.ok(!belongs(exportJob({ kind: 'index' }), reel, {}));
});

test('an export that this browser started belongs to its collection under any name', () => {
  /** @type {Started} */
  const started = {
    a: {
      collection: 3,
      body: { collection: 3, mode: 'smart', handles_seconds: 0, name_pattern: '', audio: 'all', lists: [], to: 'zip' },
    },
  };
  assert.ok(belongs(exportJob({ arguments: ['export', '--collection', 'Old name'] }), reel, started));
  assert.ok(!belongs(exportJob(), { id: 4, name: 'Reel' }, started));
});

test('a closed panel shows what runs, and the last export for ten minutes', () => {
  const now = 1_800_000_000;
  const running = exportJob({ id: 'running', updated_at: now - 9999 });
  const last = exportJob({ id: 'last', outcome: 'done', updated_at: now - 599 });
  const earlier = exportJob({ id: 'earlier', outcome: 'done', updated_at: now - 599 });
  const old = exportJob({ id: 'old', outcome: 'done', updated_at: now - 600 });
  /** @type {(jobs: typeof running[], open?: boolean, hidden?: string[]) => string[]} */
  const shown = (jobs, open = false, hidden = []) =>
    shownJobs(jobs, { open, hidden: new Set(hidden), now }).map(({ id }) => id);
  assert.deepEqual(shown([last, earlier, running]), ['last', 'running']);
  assert.deepEqual(shown([running, last]), ['running']);
  assert.deepEqual(shown([old]), []);
  assert.deepEqual(shown([last, earlier, running], true), ['last', 'earlier', 'running']);
  assert.deepEqual(shown([last, earlier], false, ['last']), ['earlier']);
  assert.deepEqual(shown([running], false, ['running']), ['running']);
  assert.deepEqual(shown([]), []);
});

test('an open panel shows the latest five', () => {
  const jobs = ['f', 'e', 'd', 'c', 'b', 'a'].map((id) => exportJob({ id, outcome: 'done' }));
  assert.deepEqual(
    shownJobs(jobs, { open: true, hidden: new Set(), now: 0 }).map(({ id }) => id),
    ['f', 'e', 'd', 'c', 'b'],
  );
});

test('the bar is never below empty nor above full', () => {
  for (const [fraction, share] of [
    [null, 0],
    [-1, 0],
    [0.25, 0.25],
    [2, 1],
  ])
    assert.equal(shareOf(exportJob({ progress: { fraction } })), share);
});

test('the button tells the share that is done, rounded down so that it is not early', () => {
  assert.equal(runningText([]), null);
  assert.equal(runningText([exportJob({ outcome: 'done' })]), null);
  assert.equal(runningText([exportJob()]), 'Exporting …');
  assert.equal(runningText([exportJob({ progress: { fraction: 0.999 } })]), 'Exporting 99%');
  assert.equal(runningText([exportJob({ progress: { fraction: 0.29 } })]), 'Exporting 29%');
  assert.equal(
    runningText([exportJob({ outcome: 'failed' }), exportJob({ progress: { fraction: 0.5 } })]),
    'Exporting 50%',
  );
});

test('progress is told as far as it is known', () => {
  assert.equal(progressText(exportJob()), '');
  assert.equal(progressText(exportJob({ progress: { phase: 'start' } })), 'preparing');
  assert.equal(progressText(exportJob({ progress: { files_total: 4 } })), '0 of 4');
  assert.equal(
    progressText(exportJob({ progress: { files_done: 3, files_total: 12, eta_seconds: 65, speed: 2.25 } })),
    '3 of 12 · about 1:05 left · 2.3× real time',
  );
  assert.equal(progressText(exportJob({ progress: { eta_seconds: 4.26 } })), 'about 4.3 s left');
});

test('what is cut now is named by its file, on any system; else the phase is told', () => {
  const current = ['/films/a.mp4', 'C:\\films\\b.mp4', 'Take two'];
  assert.equal(currentText(exportJob({ progress: { current, text: 'clip 2 of 9' } })), 'a.mp4, b.mp4, Take two');
  assert.equal(currentText(exportJob({ progress: { text: 'putting it together' } })), 'putting it together');
});

test('a title tells what has become of an export', () => {
  for (const [given, title] of /** @type {const} */ ([
    [{}, 'Exporting'],
    [{ stopping: true }, 'Stopping'],
    [{ outcome: 'done' }, 'Exported'],
    [{ outcome: 'done', failed: 1 }, 'Exported with errors'],
    [{ outcome: 'stopped', stopping: true }, 'Stopped'],
    [{ outcome: 'failed' }, 'Failed'],
    [{ outcome: 'interrupted' }, 'Interrupted'],
  ]))
    assert.equal(titleOf(exportJob(given)), title);
});

test('a result counts clips and lists', () => {
  /** @type {(report: object, outcome?: 'done' | 'stopped') => string} */
  const text = (report, outcome = 'done') => resultText(exportJob({ outcome, report, updated_at: 0 }));
  assert.equal(text({ written: 1, lists: ['/a.csv'] }), '1 clip · 1 list');
  assert.equal(text({ written: 12, lists: ['/a.csv', '/a.edl'] }), '12 clips · 2 lists');
  assert.equal(text({ written: 0, lists: ['/a.csv'] }), '1 list');
  assert.equal(text({ written: 0 }, 'stopped'), '0 clips');
  assert.equal(text({}), '');
});

test('a result has a date', () => {
  assert.match(resultText(exportJob({ outcome: 'done', report: { written: 2 } })), /^2 clips · .*2027/);
});

test('the end of an export is announced, with the number of clips that failed', () => {
  assert.deepEqual(endText(exportJob({ outcome: 'done' })), { text: 'Export finished', kind: 'info' });
  assert.equal(endText(exportJob({ outcome: 'failed' }))?.kind, 'error');
  assert.equal(endText(exportJob({ outcome: 'stopped' })), null);
  assert.equal(
    endText(exportJob({ outcome: 'done', failed: 1 }))?.text,
    'Export finished; 1 clip could not be written',
  );
});

test('all failures are counted, though the server lists only the first of them', () => {
  const failures = Array.from({ length: 20 }, (_, at) => ({ path: `/films/${at}.mp4`, reason: 'it is damaged' }));
  const job = exportJob({ outcome: 'done', failures, failed: 57 });
  assert.equal(endText(job)?.text, 'Export finished; 57 clips could not be written');
  const { shown, more } = failuresOf(job);
  assert.deepEqual(shown[0], { name: '0.mp4', reason: 'it is damaged' });
  assert.equal(shown.length + more, 57);
  assert.deepEqual(failuresOf(exportJob()), { shown: [], more: 0 });
  assert.equal(failuresOf(exportJob({ failures: failures.slice(0, 8), failed: 8 })).more, 0);
});

test('notes of lists come before those of clips; a clip without a file has none', () => {
  const clips = [
    { file: '/clips/001.mp4', note: 'without its sound' },
    { file: null, note: 'lost' },
    { file: '/clips/003.mp4', note: null },
    { file: '/clips/004.mp4', note: '' },
  ];
  assert.deepEqual(notesOf({ notes: ['The EDL has 8 letters of each name'], clips }), {
    shown: ['The EDL has 8 letters of each name', '001.mp4: without its sound'],
    count: 2,
  });
  assert.deepEqual(notesOf({}), { shown: [], count: 0 });
  const many = notesOf({ notes: Array.from({ length: 50 }, (_, at) => `note ${at}`) });
  assert.deepEqual([many.shown.length, many.count], [40, 50]);
});
