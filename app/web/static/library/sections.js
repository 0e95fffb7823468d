// Sections of the library page around its table: totals, files that failed, and the dialog that confirms a removal.

import { element, overlayHome } from '../core/dom.js';
import { durationText } from '../core/timecode.js';
import { sizeText } from './rows.js';

const SHOWN_AT_FIRST = 5;
const MOST_NAMED = 6;

/** @typedef {import('./rows.js').Totals} Totals */
/** @typedef {import('./rows.js').ListedFailure} ListedFailure */

/**
 * Format the length of all videos: 12.0 s, 5:10, 2.5 h, 140 h.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function totalTimeText(seconds) {
  const hours = seconds / 3600;
  if (hours < 1) return durationText(seconds);
  return hours < 99.95 ? `${hours.toFixed(1)} h` : `${Math.round(hours).toLocaleString()} h`;
}

/**
 * Return how often a file was tried, and when last.
 *
 * @param {Pick<ListedFailure, 'attempts' | 'failed_at'>} failure
 * @returns {string}
 */
export function attemptsText({ attempts, failed_at }) {
  const often = attempts === 1 ? 'tried once' : `tried ${attempts} times`;
  const time = new Date(failed_at);
  if (Number.isNaN(time.getTime())) return `${often}, some time ago`;
  return `${often}, ${time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}`;
}

/**
 * Create the tiles of totals.
 *
 * @param {Totals} totals
 * @param {number | null} disk Bytes that the library takes on disk; null while they are being counted.
 * @returns {HTMLElement[]}
 */
export function totalsRow(totals, disk) {
  /**
   * @param {string} value
   * @param {string} what
   * @param {string} [title]
   */
  const tile = (value, what, title) =>
    element(
      'div',
      { class: 'ps-total', title },
      element('strong', { text: value }),
      element('span', { class: 'ps-muted', text: what }),
    );
  return [
    tile(totals.videos.toLocaleString(), totals.videos === 1 ? 'video' : 'videos'),
    tile(totalTimeText(totals.seconds), 'of video'),
    tile(
      totals.shots.toLocaleString(),
      totals.shots === 1 ? 'shot' : 'shots',
      totals.segments > totals.shots
        ? `Long shots are searched in parts: ${totals.segments.toLocaleString()} parts in total`
        : undefined,
    ),
    tile(disk === null ? '…' : sizeText(disk), 'kept by prismsearch', 'Database, posters and previews'),
    tile(sizeText(totals.source_bytes), 'of your files', 'Never changed by prismsearch'),
  ];
}

/**
 * Create the section of files that could not be indexed, with reasons; nothing where there are none.
 *
 * @param {ListedFailure[]} failures
 * @param {(paths: string[]) => void} retry
 * @returns {HTMLElement[]}
 */
export function failureSection(failures, retry) {
  if (!failures.length) return [];
  let all = failures.length <= SHOWN_AT_FIRST;
  const rows = element('div', { class: 'ps-failures', role: 'list' });
  const more = element('button', {
    class: 'ps-link',
    type: 'button',
    hidden: all,
    text: `Show all ${failures.length.toLocaleString()}`,
    onclick: () => {
      all = true;
      more.hidden = true;
      draw();
    },
  });
  const draw = () =>
    rows.replaceChildren(
      ...failures.slice(0, all ? undefined : SHOWN_AT_FIRST).map((failure) =>
        element(
          'div',
          { class: 'ps-failure', role: 'listitem' },
          element(
            'div',
            { class: 'ps-grow' },
            element(
              'div',
              {},
              element('strong', { class: 'ps-lib-name', text: failure.name }),
              element('span', { class: 'ps-muted ps-failure-folder', text: failure.folder }),
            ),
            element('div', {
              class: 'ps-failure-reason',
              text: failure.gone ? `${failure.reason} The file cannot be found now.` : failure.reason,
            }),
          ),
          element('span', {
            class: 'ps-muted ps-failure-when',
            text: attemptsText(failure),
          }),
          element('button', {
            class: 'ps-button ps-needs-manage',
            type: 'button',
            text: 'Retry',
            'aria-label': `Retry ${failure.name}`,
            onclick: () => retry([failure.path]),
          }),
        ),
      ),
    );
  draw();
  return [
    element(
      'section',
      { class: 'ps-failed', 'aria-label': 'Files that could not be indexed' },
      element(
        'header',
        {},
        element('h2', {
          text:
            failures.length === 1
              ? 'One file could not be indexed'
              : `${failures.length.toLocaleString()} files could not be indexed`,
        }),
        failures.length > 1
          ? element('button', {
              class: 'ps-button ps-needs-manage',
              type: 'button',
              text: 'Retry all',
              onclick: () => retry(failures.map((failure) => failure.path)),
            })
          : null,
      ),
      rows,
      more,
    ),
  ];
}

/**
 * Open a dialog that asks before videos are removed from the library.
 *
 * @param {{name: string}[]} videos
 * @param {() => void} run Called where the person agrees.
 */
export function confirmRemoval(videos, run) {
  if (!videos.length) return;
  /** @type {HTMLDialogElement} */
  const dialog = element(
    'dialog',
    { class: 'ps-dialog ps-confirm', 'aria-labelledby': 'ps-confirm-title' },
    element('h2', {
      id: 'ps-confirm-title',
      text:
        videos.length === 1
          ? 'Remove this video from the library?'
          : `Remove ${videos.length.toLocaleString()} videos from the library?`,
    }),
    element(
      'ul',
      {},
      ...videos.slice(0, MOST_NAMED).map((video) => element('li', { text: video.name })),
      videos.length > MOST_NAMED
        ? element('li', { class: 'ps-muted', text: `and ${(videos.length - MOST_NAMED).toLocaleString()} more` })
        : null,
    ),
    element('p', {
      text: 'The files stay where they are. Their shots disappear from searches and the map, but stay in collections. To bring them back, index their folder again.',
    }),
    element(
      'div',
      { class: 'ps-confirm-row' },
      element('button', {
        class: 'ps-button',
        type: 'button',
        text: 'Cancel',
        autofocus: true,
        onclick: () => dialog.close(),
      }),
      element('button', {
        class: 'ps-button ps-primary',
        type: 'button',
        text: 'Remove',
        onclick: () => {
          dialog.close();
          run();
        },
      }),
    ),
  );
  const before = document.activeElement;
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  });
  overlayHome().append(dialog);
  dialog.showModal();
}
