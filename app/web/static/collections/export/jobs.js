// Exports of a collection: how far each job is, how to stop it, and where its files are. All of it comes from the server's
// journals, so that a reloaded page, or another tab, shows the same.

import { api } from '../../core/api.js';
import { element } from '../../core/dom.js';
import { loadStored, saveStored } from '../../core/storage.js';
import { durationText } from '../../core/timecode.js';
import { attempt, toast } from '../../core/toast.js';

const BUSY_MILLISECONDS = 700;
const IDLE_MILLISECONDS = 6000;
const STARTED = 'prismsearch.export.runs';
const HIDDEN = 'prismsearch.export.hidden';
const FRESH_SECONDS = 600;
const MOST_REMEMBERED = 50;
const MOST_SHOWN = 5;
const MOST_FAILURES = 8;
const MOST_NOTES = 40;

/** A list of cards, one a job. */
export class ExportJobs {
  /** @param {{onRunning: (text: string | null) => void, show: () => void}} callbacks `show` opens the panel. */
  constructor({ onRunning, show }) {
    this.onRunning = onRunning;
    this.reveal = show;
    this.list = element('div', { class: 'ps-runs', role: 'list', 'aria-label': 'Exports of this collection' });
    this.element = this.list;
    this.cards = new Map();
    this.watched = new Set(); // ids of jobs that this page saw running: it reports their end
    this.open = false; // whether the panel is open: then earlier jobs are shown too
    this.mine = [];
    this.onVisible = () => document.visibilityState === 'visible' && this.poll();
    document.addEventListener('visibilitychange', this.onVisible);
  }

  /**
   * Show the jobs of a collection.
   *
   * @param {import('../../core/types.js').Collection} collection
   */
  show(collection) {
    this.collection = collection;
    for (const card of this.cards.values()) card.remove();
    this.cards.clear();
    this.poll();
  }

  /**
   * Follow a job that has been started.
   *
   * @param {string} id
   * @param {any} body The request that started it.
   */
  started(id, body) {
    this.watched.add(id);
    rememberStarted(id, body);
    this.poll();
  }

  remove() {
    this.removed = true;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  async poll() {
    clearTimeout(this.timer);
    if (this.removed || !this.collection) return;
    const { collection } = this;
    const answer = await api('/api/runs').catch(() => null);
    if (this.removed || collection !== this.collection) return;
    let busy = this.lastBusy ?? false;
    if (answer) {
      const mine = (answer.runs ?? answer).filter((job) => belongs(job, collection));
      this.mine = mine;
      this.draw();
      const running = mine.filter((job) => !job.outcome);
      busy = running.length > 0;
      this.lastBusy = busy;
      const share = running[0]?.progress?.fraction;
      this.onRunning(busy ? `Exporting${share ? ` ${Math.floor(share * 100)} %` : ' …'}` : null);
      for (const job of mine) {
        if (!job.outcome) this.watched.add(job.id);
        else if (this.watched.delete(job.id)) this.ended(job);
      }
    }
    clearTimeout(this.timer);
    const wait = busy ? BUSY_MILLISECONDS : IDLE_MILLISECONDS;
    this.timer = setTimeout(() => (document.visibilityState === 'visible' || busy ? this.poll() : null), wait);
  }

  ended(job) {
    const failed = job.failures?.length ?? 0;
    if (job.outcome === 'done' && !failed)
      toast('The export is done', { seconds: 8, action: { label: 'Show', run: this.reveal } });
    else if (job.outcome === 'done')
      toast(`The export is done; ${failed} ${failed === 1 ? 'clip' : 'clips'} could not be written`, {
        kind: 'error',
        action: { label: 'Show', run: this.reveal },
      });
    else if (job.outcome === 'failed')
      toast('The export failed', { kind: 'error', action: { label: 'Show', run: this.reveal } });
  }

  setOpen(open) {
    this.open = open;
    this.draw();
  }

  hide(id) {
    saveStored(HIDDEN, [...loadStored(HIDDEN, []), id].slice(-MOST_REMEMBERED));
    this.draw();
  }

  /** Draw the cards. While the panel is closed: jobs that run, and the last one if it ended a short while ago. */
  draw() {
    const hidden = new Set(loadStored(HIDDEN, []));
    const kept = this.mine.filter((job) => !job.outcome || !hidden.has(job.id));
    const fresh = (job, at) => !job.outcome || (at === 0 && Date.now() / 1000 - job.updated_at < FRESH_SECONDS);
    const shown = (this.open ? kept : kept.filter(fresh)).slice(0, MOST_SHOWN);
    const ids = new Set(shown.map((job) => job.id));
    for (const [id, card] of this.cards) {
      if (ids.has(id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    shown.forEach((job, at) => {
      let card = this.cards.get(job.id);
      const token = JSON.stringify(job);
      if (!card) {
        card = element('div', { class: 'ps-run', role: 'listitem', 'data-run': job.id });
        this.cards.set(job.id, card);
      }
      if (this.list.children[at] !== card) this.list.insertBefore(card, this.list.children[at] ?? null);
      if (card.dataset.token === token) return;
      card.dataset.token = token;
      card.dataset.outcome = job.outcome ?? 'running';
      this.fill(card, job);
    });
  }

  fill(card, job) {
    const held = card.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    card.replaceChildren(...(job.outcome ? this.finished(job) : this.running(job)));
    if (held) card.querySelector(`[data-action="${held}"]`)?.focus();
  }

  running(job) {
    const { progress = {} } = job;
    const share = Math.min(1, Math.max(0, progress.fraction ?? 0));
    const facts = [
      progress.files_total ? `${progress.files_done ?? 0} of ${progress.files_total}` : '',
      progress.phase === 'start' ? 'getting ready' : '',
      progress.eta_seconds ? `about ${durationText(progress.eta_seconds)} left` : '',
      progress.speed
        ? typeof progress.speed === 'number'
          ? `${progress.speed.toFixed(1)}× real time`
          : String(progress.speed)
        : '',
    ]
      .filter(Boolean)
      .join(' · ');
    const current = (progress.current ?? []).map(lastPart).join(', ') || progress.text || '';
    const bar = element('progress', { class: 'ps-progress', max: '1', 'aria-label': 'How far the export is' });
    bar.value = share;
    return [
      element(
        'div',
        { class: 'ps-run-head' },
        element('strong', { text: job.stopping ? 'Stopping' : 'Exporting' }),
        element('span', { class: 'ps-muted', text: facts }),
        element('span', { class: 'ps-grow' }),
        job.stopping ? null : button('Stop', 'stop', () => this.stop(job)),
      ),
      bar,
      current ? element('div', { class: 'ps-muted ps-run-current', text: current }) : null,
      ...failures(job),
    ].filter(Boolean);
  }

  finished(job) {
    const report = job.report ?? {};
    const failed = job.failures?.length ?? 0;
    const title =
      {
        done: failed ? 'Exported, but not all' : 'Exported',
        stopped: 'Stopped',
        failed: 'Failed',
        interrupted: 'Interrupted',
      }[job.outcome] ?? job.outcome;
    const written =
      report.written || (job.outcome !== 'done' && report.written === 0)
        ? `${report.written} ${report.written === 1 ? 'clip' : 'clips'}`
        : '';
    const lists = (report.lists ?? []).length;
    const facts = [
      written,
      lists ? `${lists} ${lists === 1 ? 'list' : 'lists'}` : '',
      when(job.updated_at ?? job.started_at),
    ]
      .filter(Boolean)
      .join(' · ');
    const where = report.folder ?? null;
    const again = job.outcome === 'done' && !failed ? null : startedHere()[job.id]?.body;
    const message = ['stopped', 'interrupted', 'failed'].includes(job.outcome) ? job.message : '';
    return [
      element(
        'div',
        { class: 'ps-run-head' },
        element('strong', { text: title }),
        element('span', { class: 'ps-muted', text: facts }),
        element('span', { class: 'ps-grow' }),
        job.downloadable
          ? element('a', {
              class: 'ps-button ps-primary',
              href: `/api/runs/${encodeURIComponent(job.id)}/download`,
              download: '',
              text: 'Download',
              'data-action': 'download',
            })
          : null,
        where
          ? button('Copy path', 'copy', () =>
              navigator.clipboard?.writeText(where).then(() => toast('Copied', { seconds: 1.5 })),
            )
          : null,
        again ? button(again.to === 'zip' ? 'Start again' : 'Go on', 'again', () => this.again(job, again)) : null,
        element('button', {
          class: 'ps-icon',
          type: 'button',
          text: '×',
          'aria-label': 'Hide this export',
          title: 'Hide',
          'data-action': 'hide',
          onclick: () => this.hide(job.id),
        }),
      ),
      where ? element('div', { class: 'ps-run-where', text: where }) : null,
      job.outcome === 'done' && report.zip && !job.downloadable
        ? element('div', {
            class: 'ps-muted',
            text: 'Its zip has been cleared away since; export again for a new one.',
          })
        : null,
      message ? element('div', { class: 'ps-run-message', text: message }) : null,
      ...failures(job),
      ...notes(report),
    ].filter(Boolean);
  }

  /** Start the same export again. Into the same folder, it goes on where it ended. */
  async again(job, body) {
    const answer = await attempt(() => api('/api/exports', { method: 'POST', body }));
    if (!answer) return;
    this.hide(job.id);
    this.started(answer.run, body);
  }

  async stop(job) {
    await attempt(() => api(`/api/runs/${encodeURIComponent(job.id)}/stop`, { method: 'POST' }));
    toast('The clip that is being cut is finished, or dropped; then it stops');
    this.poll();
  }
}

/** Return whether a job exports this collection: this browser started it, or its command names the collection. */
function belongs(job, collection) {
  if (job.kind !== 'export') return false;
  const started = startedHere()[job.id];
  if (started) return started.collection === collection.id;
  const words = job.arguments ?? [];
  const at = words.indexOf('--collection');
  return (at >= 0 && words[at + 1] === collection.name) || words.includes(`--collection=${collection.name}`);
}

function startedHere() {
  return loadStored(STARTED, {});
}

function rememberStarted(id, body) {
  const kept = Object.entries({ ...startedHere(), [id]: { collection: body.collection, body } }).slice(
    -MOST_REMEMBERED,
  );
  saveStored(STARTED, Object.fromEntries(kept));
}

function failures(job) {
  const all = job.failures ?? [];
  if (!all.length) return [];
  const shown = all.slice(0, MOST_FAILURES);
  return [
    element(
      'ul',
      { class: 'ps-run-failures' },
      ...shown.map((each) =>
        element(
          'li',
          {},
          element('strong', { text: lastPart(each.path ?? '') }),
          element('span', { text: ` ${each.reason ?? ''}` }),
        ),
      ),
      all.length > shown.length
        ? element('li', { class: 'ps-muted', text: `and ${all.length - shown.length} more` })
        : null,
    ),
  ];
}

/** Create the notes on what was written: those of the lists, and those of single clips. */
function notes(report) {
  const ofClips = (report.clips ?? [])
    .filter((clip) => typeof clip?.note === 'string' && clip.note && clip.file)
    .map((clip) => `${lastPart(clip.file)}: ${clip.note}`);
  const all = [...(report.notes ?? []).filter((note) => typeof note === 'string'), ...ofClips];
  if (!all.length) return [];
  const rest = all.length - MOST_NOTES;
  return [
    element(
      'details',
      { class: 'ps-run-notes' },
      element('summary', { text: `${all.length} ${all.length === 1 ? 'note' : 'notes'}` }),
      element(
        'ul',
        {},
        ...all.slice(0, MOST_NOTES).map((text) => element('li', { text })),
        rest > 0 ? element('li', { class: 'ps-muted', text: `and ${rest} more` }) : null,
      ),
    ),
  ];
}

function button(text, action, run) {
  return element('button', { class: 'ps-button', type: 'button', text, 'data-action': action, onclick: run });
}

function lastPart(path) {
  return String(path).split(/[/\\]/).at(-1);
}

function when(seconds) {
  if (!seconds) return '';
  const at = typeof seconds === 'number' ? new Date(seconds * 1000) : new Date(seconds);
  return Number.isNaN(at.getTime()) ? '' : at.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}
