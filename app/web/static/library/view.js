// Library page: the table of all videos, with filter, sorting and folders; totals above it, and the files that failed.

import { api } from '../core/api.js';
import { element, setOverlayHome, useViewStyles } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { durationText } from '../core/timecode.js';
import { loadStored, saveStored } from '../core/storage.js';
import { toast } from '../core/toast.js';
import { VirtualList } from '../core/virtual_list.js';
import { COLUMNS, compare, prepareVideos, sizeText, STATES } from './rows.js';
import { confirmRemoval, failureSection, totalsRow } from './sections.js';

const GROUP_HEIGHT = 52;
const ROW_HEIGHT = 70;
const WATCH_MILLISECONDS = 3000;
const LAYOUT = 'prismsearch.library.view';
const views = new WeakMap();

/**
 * Mount the view. Triggers: open {video}, remove {ids}, retry {paths}.
 *
 * @param {import('../core/types.js').Component<{token: string, encoder: string | null, said: string | null}>} component
 *   `token` changes when the list must be read again; `encoder` is the one in use; `said` is a message to show.
 * @returns {() => void} Removes the view.
 */
export function mount(component) {
  let view = views.get(component.parentElement);
  if (!view) {
    view = new LibraryView(component.parentElement);
    views.set(component.parentElement, view);
  }
  view.update(component);
  return () => {
    view.remove();
    views.delete(component.parentElement);
  };
}

class LibraryView {
  constructor(parent) {
    setOverlayHome(parent);
    useViewStyles();
    this.layout = { sort: 'name', down: false, grouped: true, ...storedLayout() };
    this.closed = new Set();
    this.chosen = new Set();
    this.state = null;
    this.videos = [];
    this.rows = [];
    this.notBefore = 0;
    this.totals = element('div', { class: 'ps-totals' });
    this.failures = element('div', {});
    this.filter = element('input', {
      class: 'ps-input ps-grow',
      type: 'search',
      placeholder: 'Filter by name, folder, format …',
      'aria-label': 'Filter the videos',
      'data-ps-search': '',
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: () => this.arrange(),
      onsearch: () => this.arrange(),
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
    this.bar = element('div', { class: 'ps-lib-bar', hidden: true, role: 'region', 'aria-label': 'Chosen videos' });
    this.empty = element('p', { class: 'ps-muted ps-lib-empty', hidden: true });
    this.root = element(
      'div',
      { class: 'ps-view' },
      this.totals,
      this.failures,
      (this.tools = element('div', { class: 'ps-lib-tools' }, this.filter, this.groupButton, this.states, this.count)),
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
      { key: 'PageDown', label: 'Ten on', hidden: true, run: (event) => this.move(event, 10) },
      { key: 'PageUp', label: 'Ten back', hidden: true, run: (event) => this.move(event, -10) },
      { key: 'Enter', label: 'Show its shots', run: (event) => this.enter(event) },
      {
        key: 'x X',
        label: 'Choose, for several at once',
        run: () => this.withCurrent((video) => this.choose(video, null)),
      },
      {
        key: 'Delete',
        label: 'Remove from the library (asks first)',
        run: () => this.withCurrent((video) => this.confirmRemove([...(this.chosen.size ? this.chosen : [video.id])])),
      },
    ]);
    this.watching = setInterval(() => this.watch(), WATCH_MILLISECONDS);
    this.onVisible = () => document.visibilityState === 'visible' && this.load();
    document.addEventListener('visibilitychange', this.onVisible);
    this.skeleton();
  }

  skeleton() {
    this.list.replaceChildren(
      ...Array.from({ length: 6 }, () => element('div', { class: 'ps-lib-wait', 'aria-hidden': 'true' })),
    );
    this.totals.replaceChildren(
      element('span', { class: 'ps-muted', text: 'Looking at every video …', role: 'status' }),
    );
  }

  update(component) {
    this.component = component;
    const { token, said } = component.data ?? {};
    if (token === this.token) return;
    const first = this.token === undefined;
    this.token = token;
    if (said && !first) toast(said);
    this.load();
  }

  /** Load the library again when any process has changed it; a large one less often. */
  async watch() {
    if (document.visibilityState !== 'visible' || !this.found || performance.now() < this.notBefore) return;
    const answer = await api('/api/library/state').catch(() => null);
    if (answer && answer.state !== this.libraryState) {
      const first = this.libraryState === undefined;
      this.libraryState = answer.state;
      if (!first) this.load();
    }
  }

  async load() {
    const token = this.token;
    const started = performance.now();
    let found;
    try {
      found = await api('/api/library');
    } catch (error) {
      this.list.replaceChildren();
      this.totals.replaceChildren(
        element(
          'div',
          { class: 'ps-problem', role: 'alert' },
          element('span', { text: error.message }),
          element('button', { class: 'ps-button', type: 'button', text: 'Try again', onclick: () => this.load() }),
        ),
      );
      return;
    }
    if (token !== this.token) return;
    this.notBefore = performance.now() + 8 * (performance.now() - started);
    const fresh = JSON.stringify(found);
    if (fresh === this.known) return;
    this.known = fresh;
    this.found = found;
    this.videos = prepareVideos(found, this.component.data?.encoder ?? null);
    this.chosen = new Set([...this.chosen].filter((id) => this.videos.some((video) => video.id === id)));
    this.totals.replaceChildren(...totalsRow(found.totals, this.disk ?? null));
    this.countDisk(found.totals);
    this.failures.replaceChildren(...failureSection(found.failures, (paths) => this.retry(paths)));
    this.list.replaceChildren();
    this.virtual.shown.clear();
    this.arrange();
    this.root.dataset.ready = 'yes';
  }

  /** Load the size on disk, which the server counts file by file, and which therefore comes later. */
  async countDisk(totals) {
    if (this.diskAt && performance.now() - this.diskAt < 60000) return;
    const answer = await api('/api/library/disk').catch(() => null);
    if (!answer || this.found.totals !== totals) return;
    [this.disk, this.diskAt] = [answer.bytes, performance.now()];
    this.totals.replaceChildren(...totalsRow(totals, this.disk));
  }

  arrangeBy(change) {
    Object.assign(this.layout, change);
    saveStored(LAYOUT, this.layout);
    this.arrange();
  }

  /** Filter, sort and group the videos, and draw them. */
  arrange() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const named = this.videos.filter((video) => words.every((word) => video.text.includes(word)));
    const counts = new Map();
    for (const video of named) for (const state of video.states) counts.set(state, (counts.get(state) ?? 0) + 1);
    if (this.state && !counts.has(this.state)) this.state = null;
    const shown = this.state ? named.filter((video) => video.states.includes(this.state)) : named;
    shown.sort(compare(this.layout.sort, this.layout.down));
    this.rows = this.layout.grouped ? this.groups(shown) : shown.map((video) => ({ video }));
    this.shownVideos = shown;
    this.drawHead();
    this.drawStates(counts, named.length);
    this.groupButton.setAttribute('aria-pressed', String(this.layout.grouped));
    this.count.textContent =
      shown.length === this.videos.length
        ? ''
        : `${shown.length.toLocaleString()} of ${this.videos.length.toLocaleString()}`;
    this.empty.hidden = shown.length > 0 || !this.found;
    this.empty.textContent = this.videos.length
      ? 'No video matches. Change the filter.'
      : 'No video is indexed yet: add a folder on the page Indexing.';
    this.table.hidden = shown.length === 0;
    this.table.setAttribute('aria-rowcount', String(this.rows.length + 1));
    this.virtual.setRows(this.rows.map((row) => (row.video ? ROW_HEIGHT : GROUP_HEIGHT)));
    this.drawBar();
  }

  groups(videos) {
    const by = new Map();
    for (const video of videos) {
      if (!by.has(video.folder)) by.set(video.folder, []);
      by.get(video.folder).push(video);
    }
    const folders = [...by.keys()];
    if (this.layout.sort === 'name')
      folders.sort((a, b) => (this.layout.down ? -1 : 1) * a.localeCompare(b, undefined, { numeric: true }));
    return folders.flatMap((folder) => {
      const inside = by.get(folder);
      return [{ folder, inside }, ...(this.closed.has(folder) ? [] : inside.map((video) => ({ video })))];
    });
  }

  drawHead() {
    this.head.replaceChildren(
      element('span', { role: 'columnheader', 'aria-label': 'Chosen' }, this.allBox()),
      element('span', { role: 'columnheader', 'aria-label': 'Poster' }),
      ...COLUMNS.map(({ id, title, kind }) => {
        const sorted = this.layout.sort === id;
        return element(
          'span',
          {
            role: 'columnheader',
            class: `ps-lib-${kind}`,
            'aria-sort': sorted ? (this.layout.down ? 'descending' : 'ascending') : 'none',
          },
          element(
            'button',
            {
              class: 'ps-lib-sort',
              type: 'button',
              title: `Sort by ${title.toLowerCase()}`,
              onclick: () => this.arrangeBy({ sort: id, down: sorted ? !this.layout.down : kind === 'number' }),
            },
            element('span', { text: title }),
            element('span', { 'aria-hidden': 'true', text: sorted ? (this.layout.down ? '↓' : '↑') : '' }),
          ),
        );
      }),
      element('span', { role: 'columnheader', 'aria-label': 'Actions' }),
    );
  }

  allBox() {
    const all = this.shownVideos.length > 0 && this.shownVideos.every((video) => this.chosen.has(video.id));
    const box = element('input', {
      type: 'checkbox',
      'aria-label': 'Choose all that are shown',
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

  drawStates(counts, total) {
    const known = Object.keys(STATES).filter((state) => counts.has(state));
    if (known.length < 2 && !this.state) {
      this.states.replaceChildren();
      return;
    }
    const chip = (state, text, count) =>
      element(
        'button',
        {
          class: `ps-chip ${state ? `ps-state-${state}` : ''}`,
          type: 'button',
          'aria-pressed': String(this.state === state),
          onclick: () => {
            this.state = state;
            this.arrange();
          },
        },
        element('span', { text }),
        element('span', { class: 'ps-chip-count', text: count.toLocaleString() }),
      );
    this.states.replaceChildren(
      chip(null, 'All', total),
      ...known.map((state) => chip(state, STATES[state].short, counts.get(state))),
    );
  }

  // Rows

  row(at) {
    const { video, folder, inside } = this.rows[at];
    return video ? this.videoRow(at, video) : this.groupRow(at, folder, inside);
  }

  groupRow(at, folder, inside) {
    const open = !this.closed.has(folder);
    const seconds = inside.reduce((sum, video) => sum + video.seconds, 0);
    const cut = folder.replace(/\/+$/, '').lastIndexOf('/');
    return element(
      'div',
      { class: 'ps-lib-group', role: 'row', 'aria-rowindex': String(at + 2) },
      element(
        'div',
        { role: 'gridcell', class: 'ps-lib-group-cell' },
        element(
          'button',
          { class: 'ps-lib-folder', type: 'button', 'aria-expanded': String(open), 'data-folder': '', title: folder },
          element('span', { class: 'ps-lib-arrow', text: '▸', 'aria-hidden': 'true' }),
          element(
            'span',
            { class: 'ps-lib-path' },
            element('span', { class: 'ps-muted', text: cut > 0 ? folder.slice(0, cut + 1) : '' }),
            element('strong', { text: cut > 0 ? folder.slice(cut + 1) : folder }),
          ),
        ),
        element('span', {
          class: 'ps-muted',
          text: `${inside.length.toLocaleString()} ${inside.length === 1 ? 'video' : 'videos'} · ${durationText(seconds)}`,
        }),
      ),
    );
  }

  videoRow(at, video) {
    const cell = (kind, ...children) => element('span', { role: 'gridcell', class: `ps-lib-${kind}` }, ...children);
    const number = (text, title) => cell('number', element('span', { text, title }));
    const row = element(
      'div',
      {
        class: `ps-lib-row ps-lib-line${this.chosen.has(video.id) ? ' ps-chosen' : ''}`,
        role: 'row',
        tabindex: this.current === video.id || (this.current === undefined && at <= 1) ? '0' : '-1',
        'aria-rowindex': String(at + 2),
        'aria-selected': String(this.chosen.has(video.id)),
        'data-at': String(at),
        'data-video': String(video.id),
        'aria-label': `${video.name}, ${durationText(video.seconds)}, ${video.shots} shots, ${video.size}, ${video.states.map((state) => STATES[state].short).join(', ')}`,
      },
      cell(
        'check',
        element('input', {
          type: 'checkbox',
          tabindex: '-1',
          'aria-label': `Choose ${video.name}`,
          checked: this.chosen.has(video.id),
        }),
      ),
      cell(
        'poster',
        video.poster === null
          ? null
          : element('img', { alt: '', loading: 'lazy', decoding: 'async', src: `/api/poster/${video.poster}` }),
      ),
      cell(
        'text',
        element('a', {
          href: `library?video=${video.id}`,
          class: 'ps-lib-name',
          text: video.name,
          title: video.name,
          tabindex: '-1',
        }),
        element('span', {
          class: 'ps-muted ps-lib-under',
          text: this.layout.grouped ? video.about : video.folder,
          title: video.folder,
        }),
      ),
      number(durationText(video.seconds)),
      number(video.shots.toLocaleString()),
      number(video.size, `${video.width} × ${video.height}`),
      cell('number ps-lib-date', element('span', { text: video.changed })),
      cell(
        'state',
        ...video.states.map((state) =>
          element('span', {
            class: `ps-state ps-state-${state}`,
            text: STATES[state].short,
            title: STATES[state].long(video),
          }),
        ),
      ),
      cell(
        'actions',
        element('button', {
          class: 'ps-icon',
          type: 'button',
          tabindex: '-1',
          'data-action': 'remove',
          'aria-label': `Remove ${video.name} from the library`,
          title: 'Remove from the library',
          text: '×',
        }),
      ),
    );
    row.addEventListener('focus', () => {
      this.current = video.id;
    });
    return row;
  }

  drawBar() {
    const chosen = this.videos.filter((video) => this.chosen.has(video.id));
    this.bar.hidden = chosen.length === 0;
    if (!chosen.length) return;
    const bytes = chosen.reduce((sum, video) => sum + video.bytes, 0);
    this.bar.replaceChildren(
      element('span', {
        class: 'ps-grow',
        text: `${chosen.length.toLocaleString()} chosen · ${durationText(chosen.reduce((sum, video) => sum + video.seconds, 0))} · ${sizeText(bytes)}`,
      }),
      element('button', {
        class: 'ps-button',
        type: 'button',
        text: 'Remove from the library …',
        onclick: () => this.confirmRemove(chosen.map((video) => video.id)),
      }),
      element('button', {
        class: 'ps-button',
        type: 'button',
        text: 'Choose none',
        onclick: () => {
          this.chosen.clear();
          this.arrange();
        },
      }),
    );
  }

  // Input

  click(event) {
    const folder = event.target.closest('[data-folder]');
    if (folder) {
      const name = this.rows[[...this.virtual.shown].find(([, row]) => row.contains(folder))[0]].folder;
      if (!this.closed.delete(name)) this.closed.add(name);
      this.arrange();
      return;
    }
    const row = event.target.closest('.ps-lib-row');
    if (!row) return;
    const { video } = this.rows[Number(row.dataset.at)];
    if (event.target.closest('.ps-lib-check')) {
      if (event.target.tagName !== 'INPUT') event.preventDefault();
      this.choose(video, event.shiftKey ? this.lastChosen : null);
    } else if (event.target.closest('[data-action=remove]')) {
      this.confirmRemove([video.id]);
    } else if (!event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.open(video);
    }
  }

  /** Choose a video, or all from the one chosen before (`from`) to it. */
  choose(video, from) {
    const on = !this.chosen.has(video.id);
    const order = this.rows.filter((row) => row.video).map((row) => row.video.id);
    const [start, end] = [order.indexOf(from ?? video.id), order.indexOf(video.id)].sort((a, b) => a - b);
    for (const id of start < 0 ? [video.id] : order.slice(start, end + 1)) {
      if (on) this.chosen.add(id);
      else this.chosen.delete(id);
    }
    this.lastChosen = video.id;
    this.drawHead();
    this.drawBar();
    this.virtual.refresh();
  }

  withCurrent(run) {
    const row = document.activeElement?.closest?.('.ps-lib-row');
    if (!row || !this.list.contains(row)) return false;
    run(this.rows[Number(row.dataset.at)].video);
    return true;
  }

  enter(event) {
    if (onControl(event)) return false;
    return this.withCurrent((video) => this.open(video));
  }

  move(event, by) {
    if (!this.rows.length || (onControl(event) && !this.table.contains(event.target))) return false;
    const row = document.activeElement?.closest?.('.ps-lib-row, .ps-lib-group');
    if (!row && document.activeElement !== document.body && !this.root.contains(document.activeElement)) return false;
    let at = row ? ([...this.virtual.shown].find(([, each]) => each === row)?.[0] ?? -1) : -1;
    const step = Math.sign(by);
    for (let left = Math.abs(by); left > 0; left -= 1) {
      let next = at + step;
      while (next >= 0 && next < this.rows.length && !this.rows[next].video) next += step;
      if (next < 0 || next >= this.rows.length) break;
      at = next;
    }
    if (at >= 0 && this.rows[at]?.video) this.virtual.focus(at);
    return true;
  }

  open(video) {
    this.component.setTriggerValue('open', { video: video.id, at: Date.now() });
  }

  confirmRemove(ids) {
    const videos = this.videos.filter((video) => ids.includes(video.id));
    confirmRemoval(videos, () => {
      this.chosen.clear();
      this.component.setTriggerValue('remove', { ids: videos.map((video) => video.id), at: Date.now() });
    });
  }

  retry(paths) {
    this.component.setTriggerValue('retry', { paths, at: Date.now() });
  }

  remove() {
    clearInterval(this.watching);
    this.removeKeys();
    this.virtual.remove();
    document.removeEventListener('visibilitychange', this.onVisible);
    this.root.remove();
  }
}

function storedLayout() {
  /** @type {{sort?: string}} */
  const stored = loadStored(LAYOUT, {});
  return COLUMNS.some(({ id }) => id === stored.sort) ? stored : {};
}
