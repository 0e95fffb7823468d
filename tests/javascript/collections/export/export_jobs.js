// Exports to test with.

/** @typedef {import('../../../../app/web/static/collections/export/job.js').Job} Job */
/** @typedef {import('../../../../app/web/static/collections/export/job.js').JobProgress} JobProgress */

/**
 * Return an export of the collection Reel that runs.
 *
 * @param {Omit<Partial<Job>, 'progress'> & {progress?: Partial<JobProgress>}} [given]
 * @returns {Job}
 */
export function exportJob({ progress = {}, ...given } = {}) {
  return {
    id: 'a',
    kind: 'export',
    arguments: ['export', '--collection', 'Reel', '--to', '/clips'],
    updated_at: 1_800_000_000,
    outcome: null,
    progress: {
      fraction: null,
      eta_seconds: null,
      speed: null,
      phase: 'export',
      text: '',
      files_done: 0,
      files_total: 0,
      current: [],
      ...progress,
    },
    failures: [],
    failed: 0,
    report: {},
    message: '',
    stopping: false,
    downloadable: false,
    ...given,
  };
}
