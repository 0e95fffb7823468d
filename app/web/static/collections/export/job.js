// Exports as the server's journals have them: their types, which of them are shown, and what is said of each.

import { splitPath } from '../../core/paths.js';
import { durationText } from '../../core/timecode.js';

const FRESH_SECONDS = 600;
const MOST_SHOWN = 5;
const MOST_FAILURES = 8;
const MOST_NOTES = 40;

/**
 * The progress of a job, as far as known.
 *
 * @typedef {object} JobProgress
 * @property {number | null} fraction 0 to 1.
 * @property {number | null} eta_seconds
 * @property {number | null} speed Seconds of video a second.
 * @property {string} phase 'start': not begun yet.
 * @property {string} text
 * @property {number} files_done
 * @property {number} files_total
 * @property {string[]} current Paths, or names of clips.
 */

/**
 * The result of an export; empty until there is one.
 *
 * @typedef {object} ExportReport
 * @property {number} [written] Clips.
 * @property {string[]} [lists]
 * @property {string | null} [folder]
 * @property {string | null} [zip]
 * @property {string[]} [notes]
 * @property {{file: string | null, note: string | null}[]} [clips]
 */

/**
 * A job, as `/api/runs` lists it.
 *
 * @typedef {object} Job
 * @property {string} id
 * @property {string} kind 'export' and others.
 * @property {string[]} arguments The equivalent command.
 * @property {number} updated_at Unix seconds.
 * @property {'done' | 'stopped' | 'failed' | 'interrupted' | null} outcome null: it runs.
 * @property {JobProgress} progress
 * @property {{path: string, reason: string}[]} failures The first of them.
 * @property {number} failed The number of all.
 * @property {ExportReport} report
 * @property {string} message One sentence, at the end.
 * @property {boolean} stopping
 * @property {boolean} downloadable
 */

/** @typedef {import('./request.js').ExportRequest} ExportRequest */
/** @typedef {Record<string, {collection: number, body: ExportRequest}>} Started Jobs that this browser started, by id. */

/**
 * Return whether a job exports this collection: this browser started it, or its command names the collection.
 *
 * @param {Job} job
 * @param {{id: number, name: string}} collection
 * @param {Started} started
 * @returns {boolean}
 */
export function belongs(job, collection, started) {
  if (job.kind !== 'export') return false;
  const own = started[job.id];
  if (own) return own.collection === collection.id;
  const at = job.arguments.indexOf('--collection');
  return (
    (at >= 0 && job.arguments[at + 1] === collection.name) || job.arguments.includes(`--collection=${collection.name}`)
  );
}

/**
 * Return the jobs that are shown. While the panel is closed: those that run, and the last one if it ended a short while ago.
 *
 * @param {Job[]} jobs The latest first.
 * @param {object} context
 * @param {boolean} context.open Whether the panel is.
 * @param {ReadonlySet<string>} context.hidden Ids of jobs that a person has put away; one that runs is shown even so.
 * @param {number} context.now Unix seconds.
 * @returns {Job[]}
 */
export function shownJobs(jobs, { open, hidden, now }) {
  return jobs
    .filter((job) => !job.outcome || !hidden.has(job.id))
    .filter((job, at) => open || !job.outcome || (at === 0 && now - job.updated_at < FRESH_SECONDS))
    .slice(0, MOST_SHOWN);
}

/**
 * Return the progress of a job.
 *
 * @param {Job} job
 * @returns {number} 0 to 1.
 */
export function shareOf({ progress }) {
  return Math.min(1, Math.max(0, progress.fraction ?? 0));
}

/**
 * Return a few words on the jobs that run; null where none does.
 *
 * @param {Job[]} jobs The latest first.
 * @returns {string | null}
 */
export function runningText(jobs) {
  const job = jobs.find((each) => !each.outcome);
  if (!job) return null;
  const share = shareOf(job);
  return share ? `Exporting ${Math.floor(share * 100 + 1e-9)}%` : 'Exporting …';
}

/**
 * Return what is known of a job that runs: the clips done, the time left, the speed.
 *
 * @param {Job} job
 * @returns {string}
 */
export function progressText({ progress }) {
  return joined([
    progress.files_total ? `${progress.files_done} of ${progress.files_total}` : '',
    progress.phase === 'start' ? 'preparing' : '',
    progress.eta_seconds ? `about ${durationText(progress.eta_seconds)} left` : '',
    progress.speed ? `${progress.speed.toFixed(1)}× real time` : '',
  ]);
}

/**
 * Return the names of the clips that are being cut, or else what the job does.
 *
 * @param {Job} job
 * @returns {string}
 */
export function currentText({ progress }) {
  return progress.current.map((path) => splitPath(path).name).join(', ') || progress.text;
}

/**
 * Return the title of a job.
 *
 * @param {Job} job
 * @returns {string}
 */
export function titleOf({ outcome, stopping, failed }) {
  if (outcome === null) return stopping ? 'Stopping' : 'Exporting';
  if (outcome === 'done') return failed ? 'Exported with errors' : 'Exported';
  return { stopped: 'Stopped', failed: 'Failed', interrupted: 'Interrupted' }[outcome];
}

/**
 * Return what an export that has ended has written, and when it ended.
 *
 * @param {Job} job
 * @returns {string}
 */
export function resultText({ outcome, report, updated_at }) {
  const { written, lists = [] } = report;
  return joined([
    written || (written === 0 && outcome !== 'done') ? counted(written, 'clip') : '',
    lists.length ? counted(lists.length, 'list') : '',
    updated_at ? new Date(updated_at * 1000).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }) : '',
  ]);
}

/**
 * Return the message at the end of a job that this page saw running; null where a person knows already: they stopped it.
 *
 * @param {Job} job
 * @returns {{text: string, kind: 'info' | 'error'} | null}
 */
export function endText({ outcome, failed }) {
  if (outcome === 'failed') return { text: 'Export failed', kind: 'error' };
  if (outcome !== 'done') return null;
  return failed
    ? { text: `Export finished; ${counted(failed, 'clip')} could not be written`, kind: 'error' }
    : { text: 'Export finished', kind: 'info' };
}

/**
 * Return the first failures of a job, by the name of the file, and the number of those left out.
 *
 * @param {Job} job
 * @returns {{shown: {name: string, reason: string}[], more: number}}
 */
export function failuresOf({ failures, failed }) {
  const shown = failures.slice(0, MOST_FAILURES).map(({ path, reason }) => ({ name: splitPath(path).name, reason }));
  return { shown, more: Math.max(failed, failures.length) - shown.length };
}

/**
 * Return the first notes on what was written, those of the lists before those of clips, and the number of all.
 *
 * @param {ExportReport} report
 * @returns {{shown: string[], count: number}}
 */
export function notesOf({ notes = [], clips = [] }) {
  const ofClips = clips.flatMap(({ file, note }) => (file && note ? [`${splitPath(file).name}: ${note}`] : []));
  const all = [...notes, ...ofClips];
  return { shown: all.slice(0, MOST_NOTES), count: all.length };
}

/**
 * Format a number of things.
 *
 * @param {number} number
 * @param {string} noun
 * @returns {string}
 */
export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** @param {string[]} facts Those that are blank are left out. */
function joined(facts) {
  return facts.filter(Boolean).join(' · ');
}
