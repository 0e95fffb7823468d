// Content of the card of a job. Its texts are the server's (app/web/services/job_card.py).

import { element } from '../core/dom.js';

/**
 * @typedef {object} Card
 * @property {string} id
 * @property {string} title
 * @property {string} where
 * @property {'done' | 'stopped' | 'failed' | 'interrupted' | null} outcome null: it runs.
 * @property {string} [progress] Of one that runs.
 * @property {number} [share] 0 to 1; likewise.
 * @property {string} [current] Likewise; may be empty.
 * @property {string} [result] Of one that has ended.
 * @property {string[]} [lines] Likewise.
 * @property {string} [when] Likewise.
 * @property {{file: string, reason: string, folder: string}[]} failures The first of them.
 * @property {number} failed The number of all.
 * @property {string[]} actions
 * @property {boolean} [download] Whether a zip that it packed is there.
 */

/** @type {Record<string, {text: string, title: string}>} */
const BUTTONS = {
  stop: { text: 'Stop', title: 'Finished work is kept; you can resume later.' },
  resume: { text: 'Resume', title: 'Continues where it stopped; finished work is not repeated.' },
  retry: { text: 'Retry failed', title: 'Retries the files that could not be read.' },
  log: { text: 'Log', title: 'Shows what the job printed.' },
  forget: { text: 'Dismiss', title: 'Removes it from this list only; nothing else is deleted.' },
};
const FEW = 3;

/**
 * Return the content of a card.
 *
 * @param {Card} card
 * @param {string | undefined} log Its output, where that is shown.
 * @param {(action: string) => void} run Called with the action of a button.
 * @param {boolean} [open] Whether its failures are unfolded; few are, to begin with.
 * @returns {HTMLElement[]}
 */
export function cardContent(card, log, run, open = card.failed <= FEW) {
  const name = element(
    'div',
    { class: 'ps-grow' },
    element('strong', { text: card.title }),
    card.where && element('div', { class: 'ps-muted ps-job-where', text: card.where }),
  );
  const result = card.outcome && element('span', { class: `ps-job-result ps-job-${card.outcome}`, text: card.result });
  return [
    element(
      'div',
      { class: 'ps-job-head' },
      name,
      result,
      card.download && downloadLink(card),
      ...card.actions.map((action) => button(action, card, log, run)),
    ),
    ...(card.outcome ? ended(card) : running(card)),
    ...(card.failures.length ? [failures(card, open)] : []),
    ...(log === undefined
      ? []
      : [element('pre', { class: 'ps-job-log', tabindex: '0', 'aria-label': `Log of ${card.title}`, text: log })]),
  ];
}

/** @param {Card} card */
function running(card) {
  const bar = element('progress', { class: 'ps-job-bar', max: '1', 'aria-label': `Progress of ${card.title}` });
  bar.value = card.share ?? 0;
  // Always a line of files, so that nothing below jumps between two of them.
  return [
    bar,
    element('div', { class: 'ps-job-progress', text: card.progress }),
    element('div', { class: 'ps-muted ps-job-current', text: card.current || '\u00a0' }),
  ];
}

/** @param {Card} card */
function ended({ lines = [], when }) {
  return [...lines, when].map((text, at) =>
    element('div', { class: at ? 'ps-muted ps-job-line' : 'ps-job-line', text }),
  );
}

/** @param {Card} card */
function downloadLink({ id, title }) {
  return element('a', {
    class: 'ps-button',
    href: `/api/runs/${encodeURIComponent(id)}/download`,
    download: '',
    text: 'Download',
    'aria-label': `Download: ${title}`,
  });
}

/**
 * @param {string} action
 * @param {Card} card
 * @param {string | undefined} log
 * @param {(action: string) => void} run
 */
function button(action, card, log, run) {
  const { text, title } = BUTTONS[action];
  return element('button', {
    class: 'ps-button',
    type: 'button',
    text,
    title,
    'aria-label': `${text}: ${card.title}`,
    'aria-expanded': action === 'log' ? String(log !== undefined) : undefined,
    'data-action': action,
    onclick: () => run(action),
  });
}

/**
 * @param {Card} card
 * @param {boolean} open
 */
function failures(card, open) {
  const more = card.failed - card.failures.length;
  const rows = card.failures.map(({ file, reason, folder }) =>
    element(
      'tr',
      {},
      element('td', { text: file }),
      element('td', { text: reason }),
      element('td', { class: 'ps-muted', text: folder }),
    ),
  );
  const heads = ['File', 'Why', 'Folder'].map((text) => element('th', { scope: 'col', text }));
  const details = element(
    'details',
    {},
    element('summary', { text: 'Files that failed' }),
    element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows)),
    more > 0 && element('p', { class: 'ps-muted', text: `and ${more} more` }),
  );
  details.open = open;
  return details;
}
