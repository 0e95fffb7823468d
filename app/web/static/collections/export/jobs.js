// Exports of a collection: the progress of each job, a button that stops it, and the place of its files. All of it comes from the server's
// journals, so that a reloaded page, or another tab, shows the same.

import { api } from '../../core/api.js';
import { element } from '../../core/dom.js';
import { runs } from '../../core/runs.js';
import { loadStored, saveStored } from '../../core/storage.js';
import { attempt, toast } from '../../core/toast.js';
import {
  belongs,
  counted,
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
} from './job.js';

const STARTED = 'prismsearch.export.runs';
const HIDDEN = 'prismsearch.export.hidden';
const MOST_REMEMBERED = 50;

/** @typedef {import('../../core/types.js').Collection} Collection */
/** @typedef {import('./job.js').Job} Job */
/** @typedef {import('./request.js').ExportRequest} ExportRequest */

/** A list of cards, one a job. */
export class ExportJobs {
  /**
   * @param {object} callbacks
   * @param {(text: string | null) => void} callbacks.onRunning Called with the jobs as they are now.
   * @param {() => void} callbacks.show Opens the panel.
   */
  constructor({ onRunning, show }) {
    this.onRunning = onRunning;
    this.reveal = show;
    this.element = element('div', { class: 'ps-runs', role: 'list', 'aria-label': 'Exports of this collection' });
    /** @type {Map<string, HTMLElement>} */
    this.cards = new Map();
    /** @type {Set<string>} */
    this.watched = new Set(); // ids of jobs that this page saw running: it reports their end
    /** @type {Set<number>} */
    this.begun = new Set(); // collections of jobs that this page started and the server has not listed yet
    this.open = false; // whether the panel is open: then earlier jobs are shown too
    /** @type {Job[]} */
    this.mine = [];
    /** @type {Collection | null} */
    this.collection = null;
    this.unwatch = runs.watch(() => {
      this.begun.clear();
      this.update();
    });
  }

  /** Whether an export of the collection runs, whoever started it. */
  get busy() {
    return this.begun.has(this.collection?.id ?? 0) || this.mine.some((job) => !job.outcome);
  }

  /**
   * Show the jobs of a collection.
   *
   * @param {Collection} collection
   */
  show(collection) {
    this.collection = collection;
    for (const card of this.cards.values()) card.remove();
    this.cards.clear();
    this.mine = [];
    this.update();
  }

  /**
   * Follow a job that has been started.
   *
   * @param {string} id
   * @param {ExportRequest} body The request that started it.
   */
  started(id, body) {
    this.watched.add(id);
    this.begun.add(body.collection);
    rememberStarted(id, body);
    this.take(this.mine);
    void runs.refresh(); // never fails
  }

  remove() {
    this.unwatch();
  }

  /** Show the jobs of the collection as the server last had them. */
  update() {
    const { collection } = this;
    if (!collection || !runs.known) return;
    const jobs = /** @type {Job[]} */ (/** @type {unknown} */ (runs.all));
    this.take(jobs.filter((job) => belongs(job, collection, startedHere())));
  }

  /** @param {Job[]} jobs Those of the collection, as the server has them now. */
  take(jobs) {
    this.mine = jobs;
    this.draw();
    this.onRunning(runningText(jobs));
    for (const job of jobs) {
      if (!job.outcome) this.watched.add(job.id);
      else if (this.watched.delete(job.id)) this.ended(job);
    }
  }

  /** @param {Job} job */
  ended(job) {
    const end = endText(job);
    if (!end) return;
    const seconds = end.kind === 'info' ? 8 : undefined;
    toast(end.text, { kind: end.kind, seconds, action: { label: 'Show', run: this.reveal } });
  }

  /** @param {boolean} open */
  setOpen(open) {
    this.open = open;
    this.draw();
  }

  /** @param {string} id */
  hide(id) {
    saveStored(HIDDEN, [...hiddenHere(), id].slice(-MOST_REMEMBERED));
    this.draw();
  }

  /** Draw the cards of the jobs that are shown. */
  draw() {
    const shown = shownJobs(this.mine, { open: this.open, hidden: new Set(hiddenHere()), now: Date.now() / 1000 });
    const ids = new Set(shown.map((job) => job.id));
    for (const [id, card] of this.cards) {
      if (ids.has(id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    shown.forEach((job, at) => {
      const token = JSON.stringify([job, this.busy]);
      const card = this.cards.get(job.id) ?? element('div', { class: 'ps-run', role: 'listitem', 'data-run': job.id });
      this.cards.set(job.id, card);
      if (this.element.children[at] !== card) this.element.insertBefore(card, this.element.children[at] ?? null);
      if (card.dataset.token === token) return;
      card.dataset.token = token;
      card.dataset.outcome = job.outcome ?? 'running';
      this.fill(card, job);
    });
  }

  /**
   * @param {HTMLElement} card
   * @param {Job} job
   */
  fill(card, job) {
    const { activeElement } = document;
    const held =
      activeElement instanceof HTMLElement && card.contains(activeElement) ? activeElement.dataset.action : undefined;
    card.replaceChildren(...(job.outcome ? this.finished(job) : this.running(job)));
    const again = held ? card.querySelector(`[data-action="${held}"]`) : null;
    if (again instanceof HTMLElement) again.focus();
  }

  /** @param {Job} job */
  running(job) {
    const bar = element('progress', { class: 'ps-progress', max: '1', 'aria-label': 'Progress of the export' });
    bar.value = shareOf(job);
    const current = currentText(job);
    return [
      head(job, progressText(job), job.stopping ? null : button('Stop', 'stop', () => void this.stop(job))),
      bar,
      ...(current ? [element('div', { class: 'ps-muted ps-run-current', text: current })] : []),
      ...failures(job),
    ];
  }

  /** @param {Job} job */
  finished(job) {
    const { report } = job;
    const folder = report.folder ?? null;
    const complete = job.outcome === 'done' && !job.failed;
    const again = complete ? null : startedHere()[job.id]?.body;
    const cleared = job.outcome === 'done' && report.zip && !job.downloadable;
    return [
      head(
        job,
        resultText(job),
        job.downloadable ? downloadLink(job) : null,
        folder ? button('Copy path', 'copy', () => void copy(folder)) : null,
        again && !this.busy
          ? button(again.to === 'zip' ? 'Start again' : 'Resume', 'again', () => void this.again(job, again))
          : null,
        element('button', {
          class: 'ps-icon',
          type: 'button',
          text: '×',
          'aria-label': 'Dismiss this export',
          title: 'Dismiss',
          'data-action': 'hide',
          onclick: () => this.hide(job.id),
        }),
      ),
      ...(folder ? [element('div', { class: 'ps-run-where', text: folder })] : []),
      ...(cleared ? [element('div', { class: 'ps-muted', text: ZIP_CLEARED })] : []),
      ...(job.outcome !== 'done' && job.message
        ? [element('div', { class: 'ps-run-message', text: job.message })]
        : []),
      ...failures(job),
      ...notes(job),
    ];
  }

  /**
   * Start the same export again. Into the same folder, it goes on where it ended. Shows its errors itself.
   *
   * @param {Job} job
   * @param {ExportRequest} body
   */
  async again(job, body) {
    /** @type {{run: string} | undefined} */
    const answer = await attempt(() => api('/api/exports', { method: 'POST', body }));
    if (!answer) return;
    this.hide(job.id);
    this.started(answer.run, body);
  }

  /**
   * Stop a job. Shows its errors itself.
   *
   * @param {Job} job
   */
  async stop(job) {
    const stopped = await attempt(() => api(`/api/runs/${encodeURIComponent(job.id)}/stop`, { method: 'POST' }));
    if (stopped) toast('Stopping; the clip being cut is finished or discarded first');
    void runs.refresh(); // never fails
  }
}

const ZIP_CLEARED = 'The zip file has been deleted; export again to get a new one.';

/** @returns {import('./job.js').Started} */
function startedHere() {
  return loadStored(STARTED, {});
}

/** @returns {string[]} */
function hiddenHere() {
  return loadStored(HIDDEN, []);
}

/**
 * @param {string} id
 * @param {ExportRequest} body
 */
function rememberStarted(id, body) {
  const kept = Object.entries({ ...startedHere(), [id]: { collection: body.collection, body } }).slice(
    -MOST_REMEMBERED,
  );
  saveStored(STARTED, Object.fromEntries(kept));
}

/**
 * Copy a path. Browsers refuse it to a page that has not the focus: then it stays on the card, to be marked by hand.
 *
 * @param {string} path
 */
async function copy(path) {
  try {
    await navigator.clipboard.writeText(path);
    toast('Copied', { seconds: 1.5 });
  } catch {
    toast('The browser blocked copying; select the path below and copy it instead', { kind: 'error' });
  }
}

/**
 * @param {Job} job
 * @param {string} facts
 * @param {...(HTMLElement | null)} buttons
 */
function head(job, facts, ...buttons) {
  return element(
    'div',
    { class: 'ps-run-head' },
    element('strong', { text: titleOf(job) }),
    element('span', { class: 'ps-muted', text: facts }),
    element('span', { class: 'ps-grow' }),
    ...buttons,
  );
}

/** @param {Job} job */
function downloadLink(job) {
  return element('a', {
    class: 'ps-button ps-primary',
    href: `/api/runs/${encodeURIComponent(job.id)}/download`,
    download: '',
    text: 'Download',
    'data-action': 'download',
  });
}

/** @param {Job} job */
function failures(job) {
  const { shown, more } = failuresOf(job);
  if (!shown.length && !more) return [];
  return [
    element(
      'ul',
      { class: 'ps-run-failures' },
      ...shown.map(({ name, reason }) =>
        element('li', {}, element('strong', { text: name }), element('span', { text: ` ${reason}` })),
      ),
      more ? element('li', { class: 'ps-muted', text: `and ${more} more` }) : null,
    ),
  ];
}

/**
 * Create the notes on what was written: those of the lists, and those of single clips.
 *
 * @param {Job} job
 */
function notes(job) {
  const { shown, count } = notesOf(job.report);
  if (!count) return [];
  const rest = count - shown.length;
  return [
    element(
      'details',
      { class: 'ps-run-notes' },
      element('summary', { text: counted(count, 'note') }),
      element(
        'ul',
        {},
        ...shown.map((text) => element('li', { text })),
        rest > 0 ? element('li', { class: 'ps-muted', text: `and ${rest} more` }) : null,
      ),
    ),
  ];
}

/**
 * @param {string} text
 * @param {string} action
 * @param {() => void} run
 */
function button(text, action, run) {
  return element('button', { class: 'ps-button', type: 'button', text, 'data-action': action, onclick: run });
}
