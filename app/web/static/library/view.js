// Library page: the table of all videos, with filter, sorting and folders; totals above it, and the files that failed.

import { api, messageOf } from '../core/api.js';
import { mountOnce, trigger } from '../core/component.js';
import { element, redraw, setOverlayHome, useViewStyles } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { lookAgain } from '../core/look_again.js';
import { runs } from '../core/runs.js';
import { findPlace } from '../core/scroll_place.js';
import { keepInTab, keptInTab, loadStored, saveStored } from '../core/storage.js';
import { toast } from '../core/toast.js';
import { VirtualList } from '../core/virtual_list.js';
import { arrangeRows, filterVideos, idsBetween, layoutFrom, rowAfter, tabStop } from './arrangement.js';
import { prepareVideos } from './rows.js';
import { confirmRemoval, failureSection, totalsRow } from './sections.js';
import { columnHeads, folderRow, videoRow } from './table.js';
import { chosenBar, stateChips } from './tools.js';

const GROUP_HEIGHT = 52;
const ROW_HEIGHT = 70;
const DISK_MILLISECONDS = 60000; // for which the size on disk is taken as known
const LAYOUT = 'prismsearch.library.view';
const FILTER = 'prismsearch.library.filter';

/** @typedef {import('./rows.js').Listing} Listing */
/** @typedef {import('./rows.js').State} State */
/** @typedef {import('./rows.js').Video} Video */

/**
 * What the page passes.
 *
 * @typedef {object} LibraryData
 * @property {string} token Changes when the list must be read again.
 * @property {string | null} encoder Id of the one in use.
 * @property {string | null} said A message to show.
 */

/** @typedef {import('../core/types.js').Component<LibraryData>} LibraryComponent */

/** Triggers: open {video}, remove {ids}, retry {paths}. */
export const mount = mountOnce((/** @type {LibraryComponent} */ component) => new LibraryView(component));

class LibraryView {
  /** @param {LibraryComponent} component */
  constructor(component) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    useViewStyles();
    this.component = component;
    /** @type {string | undefined} */
    this.token = undefined; // of the data that was loaded last
    this.layout = layoutFrom(loadStored(LAYOUT, {}));
    /** @type {Set<string>} */
    this.closed = new Set(); // folders
    /** @type {Set<number>} */
    this.chosen = new Set(); // ids of videos
    /** @type {number | null} */
    this.lastChosen = null;
    /** @type {number | undefined} */
    this.current = undefined; // id of the video that had the focus last
    /** @type {number | undefined} */
    this.tabStop = undefined; // id of the video that Tab reaches
    /** @type {State | null} */
    this.state = null;
    /** @type {Listing | null} */
    this.found = null;
    this.known = ''; // the listing as text, to see whether another one differs
    this.libraryState = ''; // as it was when the listing was requested
    this.loading = 0; // number of the last request of a listing
    /** @type {number | null} */
    this.disk = null; // bytes
    this.diskAt = -Infinity; // when they were counted
    /** @type {Video[]} */
    this.videos = [];
    /** @type {Video[]} */
    this.shownVideos = [];
    /** @type {import('./arrangement.js').Row[]} */
    this.rows = [];
    this.notBefore = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.totals = element('div', { class: 'ps-totals' });
    this.failures = element('div', {});
    this.filter = element('input', {
      class: 'ps-input ps-grow',
      type: 'search',
      placeholder: 'Filter by name, folder, format …',
      'aria-label': 'Filter videos',
      'data-ps-search': '',
      autocomplete: 'off',
      spellcheck: 'false',
      value: keptInTab(FILTER), // it was typed before a video was opened
      oninput: () => this.filterAgain(),
      onsearch: () => this.filterAgain(),
    }); // Escape empties it, which some browsers report by this event alone
    this.groupButton = element('button', {
      class: 'ps-button',
      type: 'button',
      text: 'By folder',
      onclick: () => this.arrangeBy({ grouped: !this.layout.grouped }),
    });
    this.states = element('div', { class: 'ps-chips', role: 'group', 'aria-label': 'Show only' });
    this.count = element('span', { class: 'ps-muted', role: 'status' });
    this.head = element('div', { class: 'ps-lib-head ps-lib-line', role: 'row' });
    this.list = element('div', { class: 'ps-lib-list', role: 'rowgroup' });
    this.table = element(
      'div',
      { class: 'ps-lib', role: 'grid', 'aria-label': 'Videos', 'data-ps-keys': '' },
      this.head,
      this.list,
    );
    this.bar = element('div', { class: 'ps-lib-bar', hidden: true, role: 'region', 'aria-label': 'Selected videos' });
    this.empty = element('p', { class: 'ps-muted ps-lib-empty', hidden: true });
    this.root = element(
      'div',
      { class: 'ps-view' },
      this.totals,
      this.failures,
      element('div', { class: 'ps-lib-tools' }, this.filter, this.groupButton, this.states, this.count),
      this.table,
      this.empty,
      this.bar,
    );
    parent.append(this.root);
    this.virtual = new VirtualList(this.list, (at) => this.row(at));
    this.list.addEventListener('click', (event) => this.click(event));
    this.removeKeys = addKeys('Library', [
      { key: 'ArrowDown', label: 'Next video', run: (event) => this.move(event, 1) },
      { key: 'ArrowUp', label: 'Previous video', run: (event) => this.move(event, -1) },
      { key: 'PageDown', label: 'Ten videos down', hidden: true, run: (event) => this.move(event, 10) },
      { key: 'PageUp', label: 'Ten videos up', hidden: true, run: (event) => this.move(event, -10) },
      { key: 'Enter', label: 'Show its shots', run: (event) => this.enter(event) },
      {
        key: 'x X',
        label: 'Select or deselect',
        run: () => this.withCurrent((video) => this.choose(video, null)),
      },
      {
        key: 'Delete',
        label: 'Remove from the library (asks first)',
        run: () => this.withCurrent((video) => this.confirmRemove([...(this.chosen.size ? this.chosen : [video.id])])),
      },
    ]);
    this.stopLooking = lookAgain(() => void this.watch());
    let wasBusy = false;
    this.unwatch = runs.watch(() => {
      if (runs.busy || wasBusy) this.watchSoon();
      wasBusy = runs.busy;
    });
    this.onVisible = () => {
      if (document.visibilityState === 'visible') void this.load(); // files may have come or gone, too
    };
    document.addEventListener('visibilitychange', this.onVisible);
    this.skeleton();
  }

  skeleton() {
    this.list.replaceChildren(
      ...Array.from({ length: 6 }, () => element('div', { class: 'ps-lib-wait', 'aria-hidden': 'true' })),
    );
    this.totals.replaceChildren(element('span', { class: 'ps-muted', text: 'Checking videos …', role: 'status' }));
  }

  /** @param {LibraryComponent} component */
  update(component) {
    this.component = component;
    const { token, said } = component.data;
    if (token === this.token) return;
    const first = this.token === undefined;
    this.token = token;
    if (said && !first) toast(said);
    void this.load();
  }

  /** Look for changes while a job makes them, or once more after it; a large library less often. */
  watchSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.watch(), Math.max(0, this.notBefore - performance.now()));
  }

  /** Load the library again when any process has changed it. Never throws. */
  async watch() {
    if (document.visibilityState !== 'visible' || !this.found) return;
    const state = await requestState();
    if (state && state !== this.libraryState) await this.load();
  }

  /** Load the library, and show it where it differs. Never throws. */
  async load() {
    this.loading += 1;
    const { loading } = this;
    const started = performance.now();
    const state = await requestState(); // before the listing, so that no change between the two is missed
    /** @type {Listing} */
    let found;
    try {
      found = await api('/api/library');
    } catch (error) {
      if (loading === this.loading) this.showProblem(messageOf(error));
      return;
    }
    if (loading !== this.loading) return; // a later request has the latest
    this.libraryState = state;
    this.notBefore = performance.now() + 8 * (performance.now() - started);
    const fresh = JSON.stringify(found);
    if (fresh === this.known) return;
    this.known = fresh;
    this.found = found;
    this.videos = prepareVideos(found, this.component.data.encoder);
    const ids = new Set(this.videos.map((video) => video.id));
    this.chosen = new Set([...this.chosen].filter((id) => ids.has(id)));
    this.totals.replaceChildren(...totalsRow(found.totals, this.disk));
    void this.countDisk(found.totals);
    this.failures.replaceChildren(...failureSection(found.failures, (paths) => this.retry(paths)));
    this.list.replaceChildren();
    this.virtual.shown.clear();
    this.arrange();
    this.root.dataset.ready = 'yes';
    findPlace();
  }

  /** @param {string} problem A sentence, shown in place of the list. */
  showProblem(problem) {
    this.known = ''; // the same listing must be drawn again after it
    this.list.replaceChildren();
    this.totals.replaceChildren(
      element(
        'div',
        { class: 'ps-problem', role: 'alert' },
        element('span', { text: problem }),
        element('button', { class: 'ps-button', type: 'button', text: 'Retry', onclick: () => void this.load() }),
      ),
    );
  }

  /**
   * Load the size on disk, which the server counts file by file, and which therefore comes later. Never throws.
   *
   * @param {import('./rows.js').Totals} totals
   */
  async countDisk(totals) {
    if (performance.now() - this.diskAt < DISK_MILLISECONDS) return;
    /** @type {{bytes: number} | null} */
    const answer = await api('/api/library/disk').catch(() => null);
    if (!answer || this.found?.totals !== totals) return;
    [this.disk, this.diskAt] = [answer.bytes, performance.now()];
    this.totals.replaceChildren(...totalsRow(totals, this.disk));
  }

  /** @param {Partial<import('./arrangement.js').Layout>} change */
  arrangeBy(change) {
    Object.assign(this.layout, change);
    saveStored(LAYOUT, this.layout);
    this.arrange();
  }

  filterAgain() {
    keepInTab(FILTER, this.filter.value);
    this.arrange();
  }

  /** Filter, sort and group the videos, and draw them. */
  arrange() {
    const filtered = filterVideos(this.videos, this.filter.value, this.state);
    const { videos, rows } = arrangeRows(filtered.videos, this.layout, this.closed);
    this.state = filtered.state;
    this.rows = rows;
    this.shownVideos = videos;
    this.tabStop = tabStop(rows, this.current);
    this.drawHead();
    this.drawStates(filtered.counts, filtered.named);
    this.groupButton.setAttribute('aria-pressed', String(this.layout.grouped));
    this.count.textContent =
      videos.length === this.videos.length
        ? ''
        : `${videos.length.toLocaleString()} of ${this.videos.length.toLocaleString()}`;
    this.empty.hidden = videos.length > 0 || !this.found;
    this.empty.textContent = this.videos.length
      ? 'No videos match. Change the filter.'
      : 'No videos yet. Add a folder on the Indexing page.';
    this.table.hidden = videos.length === 0;
    this.table.setAttribute('aria-rowcount', String(rows.length + 1));
    this.virtual.setRows(rows.map((row) => (row.video ? ROW_HEIGHT : GROUP_HEIGHT)));
    this.drawBar();
  }

  drawHead() {
    redraw(this.head, ...columnHeads(this.layout, this.allBox(), (change) => this.arrangeBy(change)));
  }

  allBox() {
    const all = this.shownVideos.length > 0 && this.shownVideos.every((video) => this.chosen.has(video.id));
    const box = element('input', {
      type: 'checkbox',
      'aria-label': 'Select all shown',
      checked: all,
      onchange: () => {
        for (const video of this.shownVideos) {
          if (box.checked) this.chosen.add(video.id);
          else this.chosen.delete(video.id);
        }
        this.arrange();
      },
    });
    return box;
  }

  /**
   * @param {Map<State, number>} counts
   * @param {number} total
   */
  drawStates(counts, total) {
    redraw(
      this.states,
      ...stateChips(counts, total, this.state, (state) => {
        this.state = state;
        this.arrange();
      }),
    );
  }

  // Rows

  /** @param {number} at */
  row(at) {
    const row = this.rows[at];
    if (!row.video) return folderRow(at, row, !this.closed.has(row.folder));
    const { id } = row.video;
    const look = { chosen: this.chosen.has(id), tabbed: this.tabStop === id, grouped: this.layout.grouped };
    return videoRow(at, row.video, look, () => {
      this.current = id;
      this.tabStop = id;
    });
  }

  drawBar() {
    const chosen = this.videos.filter((video) => this.chosen.has(video.id));
    this.bar.hidden = chosen.length === 0;
    this.bar.replaceChildren(
      ...chosenBar(chosen, {
        remove: () => this.confirmRemove(chosen.map((video) => video.id)),
        clear: () => {
          this.chosen.clear();
          this.arrange();
        },
      }),
    );
  }

  // Input

  /** @param {MouseEvent} event */
  click(event) {
    const { target } = event;
    if (!(target instanceof Element)) return;
    const folder = target.closest('[data-folder]')?.getAttribute('data-folder');
    if (typeof folder === 'string') {
      if (!this.closed.delete(folder)) this.closed.add(folder);
      this.arrange();
      return;
    }
    const video = this.videoOf(target);
    if (!video) return;
    if (target.closest('.ps-lib-check')) {
      if (target.tagName !== 'INPUT') event.preventDefault();
      this.choose(video, event.shiftKey ? this.lastChosen : null);
    } else if (target.closest('[data-action=remove]')) {
      this.confirmRemove([video.id]);
    } else if (!event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.open(video);
    }
  }

  /**
   * Return the video whose row has an element, or null.
   *
   * @param {Element | null} part
   * @returns {Video | null}
   */
  videoOf(part) {
    const row = part?.closest('.ps-lib-row');
    if (!row || !this.list.contains(row)) return null;
    return this.rows[Number(row.getAttribute('data-at'))]?.video ?? null;
  }

  /**
   * Choose a video, or all from the one chosen before to it; or take them out of the choice where it is chosen.
   *
   * @param {Video} video
   * @param {number | null} from Id of the one chosen before.
   */
  choose(video, from) {
    const on = !this.chosen.has(video.id);
    for (const id of idsBetween(this.rows, from, video.id)) {
      if (on) this.chosen.add(id);
      else this.chosen.delete(id);
    }
    this.lastChosen = video.id;
    this.drawHead();
    this.drawBar();
    this.virtual.refresh();
  }

  /**
   * Run an action with the video whose row has the focus.
   *
   * @param {(video: Video) => void} run
   * @returns {boolean} Whether there is one.
   */
  withCurrent(run) {
    const video = this.videoOf(document.activeElement);
    if (video) run(video);
    return video !== null;
  }

  /** @param {KeyboardEvent} event */
  enter(event) {
    return !onControl(event) && this.withCurrent((video) => this.open(video));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} by
   */
  move(event, by) {
    const { activeElement } = document;
    if (!this.rows.length || (onControl(event) && !this.table.contains(activeElement))) return false;
    const row = activeElement?.closest('.ps-lib-row, .ps-lib-group');
    if (!row && activeElement !== document.body && !this.root.contains(activeElement)) return false;
    const from = [...this.virtual.shown].find(([, each]) => each === row)?.[0] ?? -1;
    const at = rowAfter(this.rows, from, by);
    if (this.rows[at]?.video) this.virtual.focus(at);
    return true;
  }

  /** @param {Video} video */
  open(video) {
    trigger(this.component, 'open', { video: video.id });
  }

  /** @param {number[]} ids */
  confirmRemove(ids) {
    const videos = this.videos.filter((video) => ids.includes(video.id));
    confirmRemoval(videos, () => {
      this.chosen.clear();
      trigger(this.component, 'remove', { ids: videos.map((video) => video.id) });
    });
  }

  /** @param {string[]} paths */
  retry(paths) {
    trigger(this.component, 'retry', { paths });
  }

  remove() {
    clearTimeout(this.timer);
    this.stopLooking();
    this.unwatch();
    document.removeEventListener('visibilitychange', this.onVisible);
    this.removeKeys();
    this.virtual.remove();
    this.root.remove();
  }
}

/**
 * Return a token that changes whenever any process writes to the library; '' where the server does not answer.
 *
 * @returns {Promise<string>}
 */
async function requestState() {
  /** @type {{state: string} | null} */
  const answer = await api('/api/library/state').catch(() => null);
  return answer?.state ?? '';
}
